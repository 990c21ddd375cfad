/** The API over a running proxy. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Engine, retrieveTool } from 'headroom-rs';
import { compress, RemoteEngine, retrieve } from 'headroom-rs/remote';

import { APIS, conversation, log, records } from './conversations.js';
import { inFolder, noProgram, proxy } from './programs.js';

test('the proxy makes the same messages, and all that does not change is the same object', { skip: noProgram() }, () =>
  inFolder((home) =>
    proxy(home, 'http://127.0.0.1:9', async (baseUrl) => {
      const token = readFileSync(join(home, 'token'), 'utf8').trim();
      for (const api of APIS) {
        const messages = conversation(api, log(), 'ok', records());
        const tools = [retrieveTool(api)];
        if (api === 'converse') continue;
        const result = await compress(messages, { baseUrl, token, model: 'gpt-4o', tools });
        const own = await new Engine().compress(messages, { model: 'gpt-4o', tools });
        assert.deepEqual(result.messages, own.messages, api);
        assert.equal(result.tokensSaved, own.tokensSaved);
        assert.deepEqual(result.unreadable, []);
        for (const at of [0, 1, 3, 4, 5]) assert.equal(result.messages[at], messages[at]);
        assert.deepEqual(result.transformsApplied, own.transformsApplied.toSorted());
      }
      const { originals } = await new Engine().compress(conversation('openai', log()), { tools: [retrieveTool('openai')] });
      const [handle] = originals as [string];
      assert.match(await retrieve(handle, { baseUrl, token, lines: '143' }), /request 142 in/);
      assert.equal(await new RemoteEngine({ baseUrl, token }).retrieve(handle), log());
      await assert.rejects(retrieve('aaaaaaaaaaaaaaaa', { baseUrl, token }), { name: 'StoreError', message: /404/ });

      const refused = await compress(conversation('openai', records()), { baseUrl, token: 'wrong' });
      assert.match(refused.reason as string, /^the proxy answered with status 401$/);
    })));

test('without a proxy the messages are the given ones, with the reason', async () => {
  const messages = conversation('openai', records());
  const result = await compress(messages, { baseUrl: 'http://127.0.0.1:9' });
  assert.equal(result.messages, messages);
  assert.deepEqual([result.compressed, result.reason], [false, 'the proxy cannot be reached']);
  await assert.rejects(retrieve('aaaaaaaaaaaaaaaa', { baseUrl: 'http://127.0.0.1:9' }), { name: 'StoreError' });
});

test('an answer that does not fit the messages changes none', async () => {
  const messages = conversation('openai', records());
  // A text of another message, and one that has lost its id.
  const ODD = JSON.stringify({ messages: [messages[0], messages[1], { role: 'tool', content: 'x' }] });
  for (const answer of ['[]', 'null', '{}', '{"messages":[]}', '{"messages":[null,null,{"content":"x"}]}', 'no json', ODD]) {
    const result = await compress(messages, { fetch: async () => new Response(answer) });
    assert.equal(result.compressed, false, answer);
    assert.equal(result.messages, messages, answer);
  }
});

test('misuse throws', async () => {
  assert.throws(() => new RemoteEngine({ baseUrl: 'localhost' }), { name: 'ConfigurationError' });
  await assert.rejects(compress(7 as never), TypeError);
  await assert.rejects(compress([], { tokens: 1 } as never), /unknown option tokens/);
  assert.deepEqual((await compress([1n])).reason, 'the messages cannot be written as JSON');
});
