/**
 * Measures what Node adds to the engine, and for how long the event loop stands still. Use a release build: `npm run build:native`.
 *
 *     node build/bench/overhead.js
 *
 * The engine's own time is that of `RequestBody` to outcome in the addon, with no JavaScript in between.
 */
import { Engine, retrieveTool } from 'headroom-rs';

import * as native from '#native';

const TOOLS = [retrieveTool('openai')];
const SETTINGS = { tier: 'recoverable', retrieval: 'client-tool', tenant: 'local' };

type Message = Record<string, unknown>;

/** A conversation of about this size, in results of at most 10 KB. */
function conversation(size: number): Message[] {
  const messages: Message[] = [{ role: 'user', content: 'Which requests were slow?' }];
  const two = (n: number): string => String(n).padStart(2, '0');
  for (let number = 0; ; number++) {
    const left = size - JSON.stringify(messages).length;
    if (left <= 300) return messages;
    const fn = { name: 'Bash', arguments: JSON.stringify({ command: `cat ${number}.log` }) };
    const row = (n: number): string =>
      `2026-01-01T10:${two(Math.floor(n / 60) % 60)}:${two(n % 60)} INFO served request ${n} in ${(n * (7919 + number)) % 97} ms\n`;
    const content = Array.from({ length: Math.floor(Math.min(left, 10_000) / 56) }, (_, n) => row(n)).join('');
    messages.push({ role: 'assistant', tool_calls: [{ id: String(number), type: 'function', function: fn }] });
    messages.push({ role: 'tool', tool_call_id: String(number), content });
  }
}

/** Returns the median time of a call, in microseconds. */
async function median(work: () => unknown, milliseconds = 1000): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + milliseconds;
  while (performance.now() < end || times.length < 20) {
    const start = performance.now();
    await work();
    times.push((performance.now() - start) * 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] as number;
}

/** Returns for how many milliseconds the event loop stood still while this was done five times. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let [longest, isOver, last] = [0, false, performance.now()];
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  for (let n = 0; n < 5; n++) await work();
  isOver = true;
  return longest;
}

const cell = (value: string | number, width: number): string =>
  (typeof value === 'number' ? value.toFixed(0) : value).padStart(width);
const heads = [cell('', 24), cell('engine, µs', 14), cell('request', 12), cell('ratio', 8), cell('messages', 12), cell('ratio', 8)];
console.log(heads.join(''));
for (const size of [1_000, 10_000, 100_000, 1_000_000]) {
  const messages = conversation(size);
  const body = JSON.stringify({ model: 'gpt-4o', tools: TOOLS, messages });
  for (const [name, cacheCapacity] of [['fresh', 0], ['seen before', 2 ** 26]] as const) {
    const [inner, store] = [new native.Engine(2 ** 26, cacheCapacity), native.Store.memory(2 ** 28, 3600)];
    const bytes = Buffer.from(body);
    const engine = await median(() => {
      const given = new native.RequestBody();
      given.pushBytes(bytes);
      inner.request(given, 'openai', store, SETTINGS);
    });
    const outer = new Engine({ cacheCapacity });
    const request = await median(() => outer.compressRequest(body, { api: 'openai' }));
    const list = await median(() => outer.compress(messages, { model: 'gpt-4o', tools: TOOLS }));
    const ratio = (time: number): string => cell((time / engine).toFixed(2), 8);
    console.log(
      `${cell(body.length, 9)} B, ${name.padEnd(12)}${cell(engine, 14)}${cell(request, 12)}${ratio(request)}${cell(list, 12)}${ratio(list)}`,
    );
  }
}
for (const size of [1_000, 30_000, 100_000, 1_000_000, 10_000_000]) {
  const [messages, engine] = [conversation(size), new Engine({ cacheCapacity: 0 })];
  const body = JSON.stringify({ model: 'gpt-4o', tools: TOOLS, messages });
  const list = await longestPause(() => engine.compress(messages, { model: 'gpt-4o', tools: TOOLS }));
  const request = await longestPause(() => engine.compressRequest(body));
  console.log(`${cell(size, 9)} B: the event loop stood still for ${list.toFixed(1)} ms (messages), ${request.toFixed(1)} ms (body)`);
}
