// The page of `headroom dashboard`. Everything is put in as text, never as markup.

const EVERY = 2000; // Milliseconds between two looks.
const SESSION = "headroom-session";
const find = (id) => document.getElementById(id);

let session = sessionStorage.getItem(SESSION);
let data = null;
let lookingAt = null; // The request in the dialog.
let timer = 0;

// Numbers

const whole = new Intl.NumberFormat();
const count = (number) => whole.format(number).replace("-", "−");
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function dollars(amount) {
  if (amount === null || amount === undefined) return "no price";
  const size = Math.abs(amount);
  const sign = amount < 0 ? "−" : "";
  if (size > 0 && size < 0.001) return `${sign}$${size.toLocaleString(undefined, { maximumSignificantDigits: 2, notation: "standard" })}`;
  const digits = size >= 1 || size === 0 ? 2 : size >= 0.1 ? 3 : 4;
  return `${sign}$${size.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

const percent = (part, all) => (all > 0 ? `${((part / all) * 100).toFixed(1).replace("-", "−")} %` : "–");
const prompt = (usage) => usage.input + usage.cache_read + usage.cache_write;
const saved = (sums) => sums.saved_new + sums.saved_cached;
const bytes = (number) => `${count(number)} B`;

// Elements

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Makes the rows of a table those of the items. Rows that stay are not touched, so focus and selection stay as well.
function rows(body, items, key, row) {
  const known = new Map([...body.children].map((element) => [element.dataset.key, element]));
  let at = body.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const state = JSON.stringify(item);
    let element = known.get(name);
    if (!element) {
      element = make("tr", { "data-key": name });
    }
    known.delete(name);
    if (element.dataset.state !== state) {
      element.dataset.state = state;
      row(element, item);
    }
    if (element === at) at = at.nextElementSibling;
    else body.insertBefore(element, at);
  }
  for (const element of known.values()) element.remove();
}

function cells(element, ...contents) {
  contents.forEach((content, column) => {
    const [name, inner] = content;
    let cell = element.children[column];
    if (!cell) {
      cell = make("td", name ? { class: name } : {});
      element.append(cell);
    }
    if (typeof inner === "string") put(cell, inner);
    else if (cell.childNodes.length !== inner.length || inner.some((node, at) => cell.childNodes[at] !== node)) cell.replaceChildren(...inner);
    cell.classList.toggle("bad", typeof inner === "string" && inner.startsWith("−"));
  });
}

// Talking to the proxy

class Closed extends Error {}

async function ask(path) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${session}` }, cache: "no-store" });
  if (response.status === 401) throw new Closed();
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

// Trades the code behind the # for a session, and takes it out of the address.
async function enter() {
  const code = location.hash.slice(1);
  if (!/^[0-9a-f]{64}$/.test(code)) return;
  history.replaceState(null, "", location.pathname);
  const response = await fetch("/dashboard/session", { method: "POST", body: code });
  if (response.ok) {
    session = (await response.json()).session;
    sessionStorage.setItem(SESSION, session);
    find("closed").hidden = true;
  } else if (!session) {
    put(find("closed-why"), "This link was used already, or is older than two minutes.");
  }
}

function close() {
  session = null;
  sessionStorage.removeItem(SESSION);
  for (const id of ["board", "empty", "base", "period"]) find(id).hidden = true;
  find("closed").hidden = false;
  if (find("detail").open) find("detail").close();
  state("", "Not signed in");
}

function state(kind, text) {
  find("state").className = kind;
  put(find("state"), text);
}

async function look() {
  clearTimeout(timer);
  if (!session) return close();
  try {
    data = await ask("/dashboard/data");
    show();
    if (data.ledger?.error) state("lost", `The ledger cannot be read: ${data.ledger.error}`);
    else state("live", "Live");
  } catch (error) {
    if (error instanceof Closed) return close();
    state("lost", "The proxy does not answer. Trying again …");
  }
  if (!document.hidden) timer = setTimeout(look, EVERY);
}

// The page

const period = () => Number(document.querySelector("#period :checked").value);

function sum(all) {
  const total = { turns: 0, refused: 0, rewritten: 0, unpriced: 0, saved_new: 0, saved_cached: 0, paid: 0, saved: 0 };
  const usage = { input: 0, cache_read: 0, cache_write: 0, output: 0 };
  const epochs = { began: 0, freed: 0, written: 0, expected: 0, gain: 0 };
  for (const sums of all) {
    for (const name in total) total[name] += sums[name];
    for (const name in usage) usage[name] += sums.usage[name];
    for (const name in epochs) epochs[name] += sums.epochs[name];
  }
  return { ...total, usage, epochs };
}

function show() {
  const { ledger, live } = data;
  const days = ledger?.days ?? [];
  const isEmpty = live.count === 0 && days.every((day) => day.turns + day.refused === 0);
  find("empty").hidden = !isEmpty;
  find("board").hidden = isEmpty;
  find("period").hidden = isEmpty;
  find("base").hidden = false;
  for (const element of document.querySelectorAll("[data-origin]")) put(element, location.origin);
  put(find("prices"), data.prices_as_of);
  put(find("version"), data.version);
  put(find("tier"), data.tier);
  if (isEmpty) return;
  const names = { 1: "today", 7: "7 days", 30: "30 days" };
  const wanted = days.slice(-period());
  showSums(sum(wanted));
  showEpochs(sum(wanted).epochs, (ledger?.lost_epochs ?? []).filter((epoch) => epoch.day >= (wanted[0]?.day ?? "")));
  showHeads(ledger?.head_changes ?? []);
  showDays(days, wanted.length);
  const began = new Date(live.since * 1000);
  const isToday = began.toDateString() === new Date().toDateString();
  const since = `since ${(isToday ? clock : moment).format(began)}`;
  for (const element of document.querySelectorAll("[data-since]")) put(element, since);
  for (const element of document.querySelectorAll("[data-period]")) put(element, names[period()]);
  showShares(find("tools"), live.tools);
  showShares(find("projects"), live.projects);
  showModels(ledger?.models ?? [], wanted[0]?.day ?? "");
  showRequests(live);
}

function showSums(total) {
  const priced = total.turns > total.unpriced;
  const without = total.paid + total.saved;
  put(find("saved"), priced ? dollars(total.saved) : "no price");
  find("saved").className = `figure ${total.saved < 0 ? "bad" : "good"}`;
  put(find("saved-of"), priced ? `${percent(total.saved, without)} of ${dollars(without)} without Headroom; paid ${dollars(total.paid)}` : "no usage told, or no known price");
  put(find("tokens"), count(saved(total)));
  put(find("tokens-of"), `${count(total.saved_new)} new, ${count(total.saved_cached)} that would have come from the cache`);
  put(find("cache"), percent(total.usage.cache_read, prompt(total.usage)));
  put(find("cache-of"), `${count(total.usage.cache_read)} of ${count(prompt(total.usage))} tokens`);
  put(find("turns"), count(total.turns));
  const notes = [`${count(total.rewritten)} rewritten`];
  if (total.refused) notes.push(`${count(total.refused)} refused by the provider`);
  if (total.unpriced) notes.push(`${count(total.unpriced)} without a price`);
  put(find("turns-of"), notes.join(", "));
  document.title = priced ? `${dollars(total.saved)} saved – Headroom` : "Headroom";
}

function showEpochs(epochs, lost) {
  put(find("epochs"), count(epochs.began));
  const notes = [`gained ${dollars(epochs.gain)} of ${dollars(epochs.expected)} expected`, `${count(epochs.freed)} tokens left, ${count(epochs.written)} written again`];
  if (lost.length) notes.push(`${count(lost.length)} not repaid: ${dollars(lost.reduce((all, epoch) => all + epoch.gain, 0))}`);
  put(find("epochs-of"), epochs.began || epochs.gain || lost.length ? notes.join("; ") : "none in this period");
}

/** What changed in the heads of conversations, so that the provider wrote their prompts again. */
function showHeads(changes) {
  find("heads-box").hidden = changes.length === 0;
  const words = { text: "other words", order: "another order", number: "a number", id: "an id", time: "a time", date: "a date" };
  const named = changes.slice(0, 3).map((change) => {
    const place = change.place.startsWith("tool") ? change.place : `${change.place}, line ${change.line}`;
    return `${place}: ${words[change.what] ?? change.what} (${dollars(change.dollars)})`;
  });
  put(find("heads"), count(changes.reduce((all, change) => all + change.turns, 0)));
  put(find("heads-of"), named.join("; "));
}

function showDays(days, within) {
  const top = Math.max(...days.map((day) => Math.abs(day.saved)), 0);
  const bars = find("days");
  while (bars.children.length < days.length) bars.append(make("i"));
  days.forEach((day, at) => {
    const bar = bars.children[at];
    bar.style.height = top > 0 ? `${Math.max((Math.abs(day.saved) / top) * 100, day.turns ? 2 : 0)}%` : "0";
    bar.className = day.saved < 0 ? "below" : at < days.length - within ? "outside" : "";
    bar.title = `${day.day}: ${dollars(day.saved)} saved, ${count(day.turns)} turns`;
  });
  put(find("days-top"), top > 0 ? `highest ${dollars(top)}` : "");
  put(find("days-first"), days.length ? shortDay.format(new Date(days[0].day)) : "");
  const best = days.reduce((best, day) => (day.saved > best.saved ? day : best), days[0] ?? { saved: 0, day: "" });
  bars.setAttribute("aria-label", `Dollars saved on each of the last ${days.length} days; the most on ${best.day}: ${dollars(best.saved)}. The table below has all.`);
  const some = days.filter((day) => day.turns + day.refused).reverse();
  rows(find("days-table"), some, (day) => day.day, (element, day) => {
    cells(element, ["", day.day], ["number", count(day.turns)], ["number", count(saved(day))], ["number", dollars(day.paid)], ["number", dollars(day.saved)]);
  });
}

// A name with a bar under it: its share of the most.
function named(name, amount, most) {
  const bar = make("i", { "aria-hidden": "true", class: amount < 0 ? "below" : "" });
  bar.style.width = most > 0 ? `${Math.min(Math.abs(amount / most), 1) * 100}%` : "0";
  return ["name", [name, bar]];
}

function showShares(body, shares) {
  const most = Math.max(...shares.map((share) => Math.abs(share.saved ?? 0)), 0);
  const mostTokens = Math.max(...shares.map((share) => Math.abs(saved(share))), 0);
  const items = shares.map((share) => ({ ...share, most, mostTokens }));
  rows(body, items, (share) => share.name, (element, share) => {
    const bar = most > 0 ? named(share.name, share.saved ?? 0, most) : named(share.name, saved(share), mostTokens);
    cells(element, bar, ["number", count(share.turns)], ["number", count(saved(share))], ["number", dollars(share.saved)]);
  });
}

function showModels(all, first) {
  const models = new Map();
  for (const sums of all.filter((sums) => sums.day >= first)) {
    models.set(sums.model, [...(models.get(sums.model) ?? []), sums]);
  }
  const items = [...models].map(([model, all]) => ({ model, ...sum(all) })).filter((item) => item.turns);
  items.sort((a, b) => b.saved - a.saved);
  const most = Math.max(...items.map((item) => Math.abs(item.saved)), 0);
  rows(find("models"), items.map((item) => ({ ...item, most })), (item) => item.model, (element, item) => {
    const priced = item.turns > item.unpriced;
    cells(element, named(item.model, item.saved, most), ["number", count(item.turns)], ["number", dollars(priced ? item.paid : null)], ["number", dollars(priced ? item.saved : null)]);
  });
}

function outcome(request) {
  if (request.status >= 300) return `refused: ${request.status}`;
  if (request.outcome === "rewritten") return request.tokens_before > request.tokens_after ? "smaller" : "only our tool was added";
  if (request.outcome === "rejected") return "sent again as it came";
  if (request.outcome === "passed") return "as it came";
  return `as it came: ${request.why ?? request.outcome}`;
}

const less = (request) => percent(request.tokens_before - request.tokens_after, request.tokens_before);
const fromCache = (request) => (request.usage ? percent(request.usage.cache_read, prompt(request.usage)) : "–");

function results(request) {
  if (!request.tokens_before) return "–";
  if (request.tokens_before === request.tokens_after) return count(request.tokens_before);
  return `${count(request.tokens_before)} → ${count(request.tokens_after)}`;
}

function showRequests(live) {
  const kept = live.content ? "" : "; texts are not kept (dashboard_content = false)";
  put(find("requests-note"), live.count > live.requests.length ? `the last ${live.requests.length} of ${count(live.count)}${kept}` : kept.slice(2));
  rows(find("requests"), live.requests, (request) => request.id, (element, request) => {
    if (!element.firstChild) {
      const button = make("button", { class: "link", type: "button" }, clock.format(request.at * 1000));
      button.setAttribute("aria-label", `Request ${request.id}, ${clock.format(request.at * 1000)}`);
      const cell = make("td", {}, button);
      element.append(cell);
      element.addEventListener("click", () => open(request.id));
    }
    const project = make("bdi", {}, request.project ?? "–");
    cells(
      element,
      ["", [element.firstChild.firstChild]],
      ["project wide", [project]],
      ["", request.model ?? request.provider],
      ["number", results(request)],
      ["number wide", request.tokens_before ? less(request) : "–"],
      ["number", request.saved === null ? "no price" : dollars(request.saved)],
      ["number wide", fromCache(request)],
      ["wide", outcome(request)],
    );
    if (request.project) element.children[1].title = request.project;
  });
}

// One request

async function open(id) {
  const request = data.live.requests.find((request) => request.id === id);
  if (!request) return;
  lookingAt = { id, request };
  put(find("detail-title"), `Request ${id}, ${moment.format(request.at * 1000)}`);
  find("blocks").replaceChildren();
  find("texts").hidden = true;
  find("blocks-part").hidden = true;
  put(find("detail-note"), "");
  facts(request, null);
  find("detail").showModal();
  if (!request.detail) {
    put(find("detail-note"), request.outcome === "passed" ? "Headroom did not look at this request." : "What was done to its blocks is not kept any more: 16 MiB are, the newest first.");
    return;
  }
  try {
    const detail = await ask(`/dashboard/request/${id}`);
    if (lookingAt?.id !== id) return;
    lookingAt.detail = detail;
    facts(request, detail);
    find("only-changed").checked = detail.blocks.some((block) => block.steps.length);
    showBlocks();
    const first = detail.blocks.findIndex((block) => block.steps.length);
    if (first >= 0 && detail.texts) showTexts(first);
    if (!detail.texts) put(find("detail-note"), data.live.content ? "Texts are kept of requests that went on smaller, up to 4 MiB each." : "Texts are not kept: dashboard_content = false.");
  } catch (error) {
    if (error instanceof Closed) return close();
    put(find("detail-note"), "This is not kept any more.");
  }
}

function facts(request, detail) {
  const usage = request.usage;
  const all = [
    ["Model", request.model ?? "not told"],
    ["Project", request.project ?? "not told"],
    ["Outcome", `${outcome(request)} (${request.provider}, status ${request.status}${request.calls > 1 ? `, ${request.calls} calls` : ""})`],
    ["Took", `${count(request.milliseconds)} ms to the end of the answer`],
    ["Prompt", usage ? `${count(prompt(usage))} tokens: ${count(usage.cache_read)} from the cache, ${count(usage.cache_write)} written to it, ${count(usage.input)} besides` : "not told by the provider"],
    ["Output", usage ? `${count(usage.output)} tokens` : "not told by the provider"],
    ["Paid", dollars(request.paid)],
    ["Saved", `${dollars(request.saved)}; ${count(request.saved_new)} tokens that were new, ${count(request.saved_cached)} that would have come from the cache`],
  ];
  if (request.epochs) {
    const began = request.epoch ? `; the newest began here: about ${count(request.epoch.freed)} tokens left` : "";
    all.push(["Epochs", `${count(request.epochs)}${began}`]);
  }
  if (detail?.bytes_before) {
    const sent = request.outcome === "rewritten" ? `${bytes(detail.bytes_before)} → ${bytes(detail.bytes_after)}` : bytes(detail.bytes_before);
    all.push(["Body", sent]);
    all.push(["Counted by", `${detail.tokenizer}${detail.estimated ? " (an estimate: the model’s own tokenizer is not public)" : ""}`]);
  }
  find("facts").replaceChildren(...all.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

function showBlocks() {
  const { detail } = lookingAt;
  find("blocks-part").hidden = detail.blocks.length === 0;
  if (detail.blocks.length === 0) put(find("detail-note"), "It had no results of tools.");
  const only = find("only-changed").checked;
  const items = detail.blocks.map((block, at) => ({ at, block })).filter(({ block }) => !only || block.steps.length);
  rows(find("blocks"), items, ({ at }) => at, (element, { at, block }) => {
    const changed = block.steps.length > 0;
    const name = block.tool ?? "(unknown)";
    const shown = changed && detail.texts ? make("button", { class: "link", type: "button", "aria-label": `${name}, ${block.path}` }, name) : name;
    if (shown !== name) element.addEventListener("click", () => showTexts(at));
    const tokens = block.tokens_before === null ? bytes(block.bytes_before) : changed ? `${count(block.tokens_before)} → ${count(block.tokens_after)}` : count(block.tokens_before);
    cells(element, ["", [shown]], ["wide", block.kind], ["number", tokens], [changed ? "" : "kept", changed ? block.steps.join(", ") : (block.kept ?? "")]);
    element.title = block.path;
  });
}

async function showTexts(at) {
  const { id, detail } = lookingAt;
  const block = detail.blocks[at];
  for (const row of find("blocks").children) row.setAttribute("aria-current", String(row.dataset.key === String(at)));
  let texts = null;
  try {
    texts = await ask(`/dashboard/request/${id}/${at}`);
  } catch (error) {
    if (error instanceof Closed) return close();
  }
  if (lookingAt?.id !== id) return;
  find("texts").hidden = false;
  put(find("before-title"), `Before: ${bytes(block.bytes_before)}`);
  put(find("after-title"), `Sent: ${bytes(block.bytes_after)}, ${block.steps.join(", ")}`);
  find("before").replaceChildren(texts ? shownText(texts.before, texts.more_before) : "This cannot be shown any more.");
  find("after").replaceChildren(...(texts ? marked(texts.after, texts.more_after) : []));
  find("before").scrollTop = 0;
  find("after").scrollTop = 0;
}

const shownText = (text, more) => (more ? `${text}\n… ${count(more)} more bytes are not shown` : text);

// The text with Headroom's own markers told apart.
function marked(text, more) {
  const parts = shownText(text, more).split(/(\[headroom:[^\]\n]*\])/);
  return parts.map((part, at) => (at % 2 ? make("mark", {}, part) : part));
}

// What the user does

for (const radio of document.querySelectorAll("#period input")) radio.addEventListener("change", () => data && show());
find("only-changed").addEventListener("change", showBlocks);
find("detail").addEventListener("click", (event) => event.target === find("detail") && find("detail").close());
find("detail").addEventListener("close", () => {
  const row = document.querySelector(`#requests [data-key="${lookingAt?.id}"] button`);
  lookingAt = null;
  row?.focus();
});
document.addEventListener("visibilitychange", () => !document.hidden && look());
addEventListener("hashchange", () => enter().then(look));

await enter().catch(() => {});
look();
