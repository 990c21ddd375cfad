/** What `compress` does to messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  compress,
  ConfigurationError,
  Engine,
  retrieveTool,
  type ApiName,
  type CompressOptions,
  type EngineOptions,
} from 'headroom-rs';

import { APIS, conversation, listName, log, question, records, turn, type Message } from './conversations.js';

/** The request with these messages, as the SDKs write it. */
function bodyOf(api: ApiName, messages: unknown[], tools?: unknown[]): string {
  if (api === 'converse') return JSON.stringify({ modelId: 'gpt-4o', toolConfig: tools && { tools }, messages });
  return JSON.stringify({ model: 'gpt-4o', tools, [listName(api)]: messages });
}

for (const api of APIS) {
  test(`messages become what the body with them becomes: ${api}`, async () => {
    const engine = new Engine();
    const messages = conversation(api, log(), records(), log(7907), log());
    for (const tools of [undefined, [retrieveTool(api)]]) {
      const result = await engine.compress(messages, { model: 'gpt-4o', ...(tools && { tools }) });
      const request = await engine.compressRequest(bodyOf(api, messages, tools), { api });
      assert.equal(bodyOf(api, result.messages, tools), request.body, 'byte for byte');
      assert.equal(result.report.api, api);
      assert.equal(result.report.bytesBefore, request.report.bytesBefore);
      assert.deepEqual([result.tokensSaved, result.originals], [request.tokensSaved, request.originals]);
      assert.ok(result.tokensSaved > 0);
    }
  });

  test(`only texts of results change, and everything else is the same object: ${api}`, async () => {
    const messages = conversation(api, log(), 'ok', records());
    const before = structuredClone(messages);
    const result = await new Engine().compress(messages, { tools: [retrieveTool(api)] });
    assert.deepEqual(messages, before, 'the given messages are not touched');
    const changed = result.messages.flatMap((message, index) => (message === messages[index] ? [] : [index]));
    assert.deepEqual(changed, [2, 6]);
    for (const index of changed) {
      assert.equal(differences(messages[index], result.messages[index]), 1, 'one text');
    }
  });

  test(`a conversation that grows keeps what was sent: ${api}`, async () => {
    const messages = conversation(api, log(), records(), log(7907), log(), records());
    const tools = [retrieveTool(api)];
    const whole = (await new Engine().compress(messages, { tools })).messages;
    const growing = new Engine();
    for (let end = 1; end <= messages.length; end++) {
      const sent = (await growing.compress(messages.slice(0, end), { tools })).messages;
      assert.equal(JSON.stringify(sent), JSON.stringify(whole.slice(0, end)));
    }
  });
}

/** Returns how many leaves differ; containers that do not contain one must be the same objects. */
function differences(old: unknown, made: unknown): number {
  if (old === made) return 0;
  if (typeof old !== 'object' || typeof made !== 'object') return 1;
  assert.deepEqual(Object.keys(old as object), Object.keys(made as object));
  const [from, to] = [old as Message, made as Message];
  const found = Object.keys(from).reduce((sum, key) => sum + differences(from[key], to[key]), 0);
  assert.ok(found > 0, 'a container was copied without need');
  return found;
}

test('parts are left out only if the model can get them back', async () => {
  const engine = new Engine();
  const messages = conversation('anthropic', log());
  const plain = await engine.compress(messages);
  assert.deepEqual([plain.originals, plain.report.retrieval], [[], 'off']);
  assert.doesNotMatch(JSON.stringify(plain.messages), /headroom:/);

  const able = await engine.compress(messages, { tools: [retrieveTool('anthropic')] });
  const [handle] = able.originals;
  assert.match(JSON.stringify(able.messages), new RegExp(`\\[headroom:${handle} `));
  assert.match(JSON.stringify(able.messages), /ERROR pool 7919 exhausted/);
  assert.equal(await engine.store.get(handle as string), log());
  const off = await engine.compress(messages, { tools: [retrieveTool('anthropic')], retrieval: 'off' });
  assert.deepEqual(off.messages, plain.messages);
});

test('a list without savings comes back as it is', async () => {
  for (const messages of [[], [question('openai')], conversation('openai', 'ok')]) {
    const result = await compress(messages);
    assert.equal(result.messages, messages);
    assert.deepEqual([result.tokensSaved, result.compressionRatio, result.compressed], [0, 0, false]);
    assert.match(result.reason as string, /^(nothing_editable|no_saving)$/);
  }
});

test('what is no list is a TypeError, and settings that no call accepts are errors', async () => {
  for (const wrong of [null, 'hello', 7, { role: 'user' }]) {
    await assert.rejects(compress(wrong as never), { name: 'TypeError', message: 'messages: expected an array' });
  }
  const messages = conversation('openai', records());
  for (const options of [{ tier: 'most' }, { retrieval: 'server-tool' }, { api: 'openai-chat' }]) {
    await assert.rejects(compress(messages, options as CompressOptions), { name: 'ConfigurationError', message: /expected/ });
  }
  assert.throws(() => new Engine({ tier: 'all' } as unknown as EngineOptions), ConfigurationError);
  assert.throws(() => new Engine({ maxBody: -1 }), ConfigurationError);
  const unknown = { baseUrl: 'http://localhost:8787' } as CompressOptions;
  await assert.rejects(compress(messages, unknown), /unknown option baseUrl; there are tier, retrieval/);
});

test('counts are of all texts, and a result can be spread and written', async () => {
  const hi = await compress([question('openai', 'hi')], { model: 'gpt-4o' });
  assert.deepEqual([hi.tokensBefore, hi.tokensAfter], [1, 1]);
  const result = await compress(conversation('openai', records()), { model: 'gpt-4o' });
  assert.ok(result.tokensSaved > 0);
  assert.equal(result.tokensBefore - result.tokensAfter, result.tokensSaved);
  assert.equal(result.compressionRatio, result.tokensSaved / result.tokensBefore);
  assert.deepEqual(result.transformsApplied, ['json']);
  assert.deepEqual(result.report.blocks.map((block) => block.transforms), [['json']]);
  assert.equal(result.report.estimated, false);
  const { tokensBefore, report } = { ...result };
  assert.deepEqual([tokensBefore, report.tokensSaved], [result.tokensBefore, result.tokensSaved]);
  assert.equal((JSON.parse(JSON.stringify(result)) as typeof result).tokensAfter, result.tokensAfter);
});

test('counts are the same on a thread', async () => {
  const messages = conversation('openai', ...Array.from({ length: 8 }, (_, n) => log(7900 + n)));
  const result = await compress(messages, { model: 'gpt-4o' });
  assert.ok(result.report.bytesBefore > 32 * 1024);
  const counts = await Promise.all(messages.map((message) => compress([message], { model: 'gpt-4o' })));
  assert.equal(result.tokensBefore, counts.reduce((sum, count) => sum + count.tokensBefore, 0));
});

test('images are no texts', async () => {
  const url = `data:image/png;base64,${'iVBORw0KGgo'.repeat(10_000)}`;
  const content = [{ type: 'text', text: 'hi' }, { type: 'image_url', image_url: { url } }];
  assert.equal((await compress([{ role: 'user', content }])).tokensBefore, 1);
});

test('objects keep their class, order, symbols and odd keys', async () => {
  class Tool {
    role = 'tool';
    constructor(
      public content: string,
      public tool_call_id: string,
    ) {}
    get length(): number {
      return this.content.length;
    }
  }
  const [call] = turn('openai', 0, '');
  const mark = Symbol('mark');
  const plain = { ['__proto__']: { own: 1 }, role: 'tool', tool_call_id: 'call_0', content: records(61), [mark]: 7 };
  const bare = Object.assign(Object.create(null) as Message, { role: 'tool', tool_call_id: 'call_0', content: records(62) });
  const frozen = Object.freeze({ role: 'tool', tool_call_id: 'call_0', content: Object.freeze([{ type: 'text', text: records(63) }]) });
  const messages: unknown[] = [call, new Tool(records(), 'call_0'), call, plain, call, bare, call, frozen];
  const { messages: made, unreadable } = await new Engine().compress(messages, { api: 'openai' });
  assert.deepEqual(unreadable, []);
  const tool = made[1] as Tool;
  assert.ok(tool instanceof Tool && tool !== messages[1] && tool.length < records().length);
  assert.deepEqual(Object.keys(made[3] as object), ['__proto__', 'role', 'tool_call_id', 'content']);
  assert.equal(Object.getPrototypeOf(made[3]), Object.prototype);
  assert.equal((made[3] as typeof plain)[mark], 7);
  assert.equal(Object.getPrototypeOf(made[5]), null);
  assert.equal(plain.content, records(61));
  for (const at of [3, 5]) assert.match((made[at] as Message)['content'] as string, /^\[\d+ rows/);
  assert.match((made[7] as typeof frozen).content[0]?.text as string, /^\[63 rows/);
});

test('strings and numbers are written as JSON.stringify does', async () => {
  const odd = { a: 1.0, b: 1e22, d: -0, e: true, f: null, 7: '\u2028 é \x7f \x1f " \\ 😀', g: undefined, h: new Date(0) };
  const [call, answer] = turn('anthropic', 0, records()) as [Message, Message];
  call['content'][0].input = odd;
  const messages = [question('anthropic'), call, answer];
  const result = await compress(messages, { model: 'gpt-4o' });
  const request = await new Engine().compressRequest(bodyOf('anthropic', messages));
  assert.equal(bodyOf('anthropic', result.messages), request.body);
  assert.equal(result.messages[1], call);
});

test('calls at the same time share an engine', async () => {
  const engine = new Engine();
  const tools = [retrieveTool('openai')];
  const work = Array.from({ length: 12 }, (_, n) => conversation('openai', log(7000 + n, 900), records(20 + n)));
  const expected = await Promise.all(work.map((messages) => new Engine().compress(messages, { tools })));
  const found = await Promise.all(work.map((messages) => engine.compress(messages, { tools })));
  assert.deepEqual(found.map(({ messages }) => messages), expected.map(({ messages }) => messages));
});
