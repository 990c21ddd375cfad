/** Bytes in, bytes out; texts; and texts that agents share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { compressRequest, compressText, defaultEngine, Engine, retrieveTool, SharedContext, type ApiName } from 'headroom-rs';

import { APIS, conversation, listName, log, records } from './conversations.js';

const bodyOf = (api: ApiName, ...texts: string[]): string =>
  JSON.stringify({ model: 'gpt-4o', tools: [retrieveTool(api)], [listName(api)]: conversation(api, ...texts) });

test('a body without savings is the same object', async () => {
  for (const odd of ['', '{}', '[1,', '{"messages":"hi"}', bodyOf('openai', 'ok'), Buffer.from([0xff])]) {
    const result = await compressRequest(odd);
    assert.equal(result.body, odd);
    assert.equal(result.tokensSaved, 0);
    assert.ok(result.reason);
    assert.equal(result.report.bytesBefore, odd.length);
  }
});

test('unusual JSON survives around the results', async () => {
  const text = JSON.stringify(records());
  const [start, end] = [
    '{ "model" : "gpt-4o", "temperature": 1.0e0, "x": "\\u00e9\\/", "messages": [\n' +
      '{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"ls","arguments":"{}"}}]},\n' +
      '{"tool_call_id":"1","content":',
    ',"role":"tool", "n": 1.10}] , "seed":12345678901234567890}',
  ];
  const { body } = await compressRequest(start + text + end);
  assert.ok(typeof body === 'string' && body.startsWith(start) && body.endsWith(end));
  assert.ok(body.length < (start + text + end).length / 2);
});

for (const [path, api] of [
  ['/v1/messages?beta=true', 'anthropic'],
  ['https://example.com/openai/v1/chat/completions', 'openai'],
  ['/v1/responses', 'responses'],
  ['/v1beta/models/gemini-3-pro:streamGenerateContent', 'gemini'],
] as const) {
  test(`the path names the API: ${path}`, async () => {
    const given = bodyOf(api, records());
    const result = await compressRequest(given, { path });
    assert.equal(result.report.api, api);
    assert.equal(result.body, (await compressRequest(given, { api })).body);
  });
}

test('bytes stay bytes and a string stays a string, also on a thread', async () => {
  for (const api of APIS.slice(0, 4)) {
    for (const given of [bodyOf(api, records()), bodyOf(api, `é😀${log(7919, 2000)}`)]) {
      const text = await compressRequest(given);
      const bytes = await compressRequest(Buffer.from(given));
      assert.ok(typeof text.body === 'string' && bytes.body instanceof Uint8Array);
      assert.equal(Buffer.from(bytes.body).toString(), text.body);
      assert.ok(text.body.length < given.length);
    }
  }
});

test('tiers go further one by one', async () => {
  const head = log().replaceAll('served', 'took');
  const given = bodyOf('openai', records(), head + log(7919, 30), head + log(31, 30), log(7907));
  const lengths = [given.length];
  for (const tier of ['lossless', 'dedup', 'recoverable'] as const) {
    lengths.push((await new Engine({ tier }).compressRequest(given)).body.length);
  }
  assert.deepEqual(lengths, lengths.toSorted((a, b) => b - a));
  assert.equal(new Set(lengths).size, 4);
});

test('settings of the engine hold unless a call has others', async () => {
  const given = bodyOf('openai', log());
  const engine = new Engine({ retrieval: 'off' });
  assert.deepEqual((await engine.compressRequest(given)).originals, []);
  const { originals } = await engine.compressRequest(given, { retrieval: 'client-tool', tenant: 'team-a' });
  const [handle] = originals as [string];
  assert.equal(await engine.store.get(handle), null);
  assert.equal(await engine.store.get(handle, { tenant: 'team-a' }), log());
});

test('a text is whole unless its reader can retrieve', async () => {
  const table = await compressText(records(), { model: 'gpt-4o' });
  assert.match(table.text, /^\[60 rows/);
  assert.ok(table.tokensSaved > 0 && table.tokensBefore - table.tokensAfter === table.tokensSaved);
  assert.deepEqual([table.report.kind, table.report.transforms, table.originals], ['json', ['json'], []]);

  const plain = await compressText(log());
  assert.deepEqual([plain.text, plain.report.reason], [log(), 'no_saving']);
  const short = await compressText(log(), { tool: 'Bash', retrieval: 'client-tool' });
  const [handle] = short.originals as [string];
  assert.ok(short.text.includes(`[headroom:${handle} `) && short.text.includes('ERROR pool'));
  assert.equal(await defaultEngine().store.get(handle), log());
  await assert.rejects(compressText(7 as never), TypeError);
});

test('lines that the question or the call names stay', async () => {
  const wanted = 'served request 77 in';
  const without = await compressText(log(), { retrieval: 'client-tool' });
  const asked = await compressText(log(), { query: 'what about request 77?', retrieval: 'client-tool' });
  const args = { command: "grep 'request 77'" };
  const called = await compressText(log(), { arguments: args, retrieval: 'client-tool' });
  const written = await compressText(log(), { arguments: JSON.stringify(args), retrieval: 'client-tool' });
  assert.ok(!without.text.includes(wanted) && asked.text.includes(wanted));
  assert.equal(called.text, written.text);
});

test('agents share a text small and whole', async () => {
  const context = new SharedContext({ model: 'gpt-4o' });
  const entry = await context.put('rows', records(), { agent: 'scout' });
  assert.equal(context.get('rows'), entry.compressed);
  assert.equal(context.get('rows', { full: true }), records());
  assert.ok(entry.compressed.length < records().length);
  assert.deepEqual([entry.agent, entry.transforms], ['scout', ['json']]);
  const stats = context.stats();
  assert.equal(stats.totalTokensSaved, entry.originalTokens - entry.compressedTokens);
  assert.ok(entry.savingsPercent > 0 && entry.savingsPercent === stats.savingsPercent);
  context.clear();
  assert.deepEqual([context.get('rows'), context.stats().savingsPercent], [null, 0]);
});

test('entries leave by age and number, and a later put wins', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const context = new SharedContext({ ttl: 60, maxEntries: 2 });
  for (const key of ['a', 'b', 'c']) await context.put(key, key);
  const slow = context.put('b', log(7919, 5000));
  await context.put('b', 'again');
  await slow;
  assert.deepEqual([context.keys(), context.get('b')], [['c', 'b'], 'again']);
  now += 59_900;
  assert.equal(context.get('b'), 'again');
  now += 100;
  assert.deepEqual([context.keys(), context.getEntry('c')], [[], null]);
});

test('a context leaves out only for readers that can retrieve', async () => {
  assert.equal((await new SharedContext().put('log', log())).compressed, log());
  assert.match((await new SharedContext({ retrieval: 'client-tool' }).put('log', log())).compressed, /\[headroom:/);
});
