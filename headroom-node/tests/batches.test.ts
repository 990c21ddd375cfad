/** Batches pass as they are; their messages can be compressed before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { compress, Engine, withHeadroom } from 'headroom-rs';
import OpenAI, { toFile } from 'openai';

import { conversation, log, records, SCHEMA } from './conversations.js';
import { raw, type RawProvider } from './raw.js';

const requests = [0, 1].map((n) => ({
  custom_id: `request-${n}`,
  params: {
    model: 'claude-opus-5-5',
    max_tokens: 99,
    tools: [{ name: 'Bash', input_schema: SCHEMA }],
    messages: conversation('anthropic', records(60 + n), log()) as unknown as Anthropic.MessageParam[],
  },
}));

/** Sends what this client and the same of Headroom send. */
async function both<Client extends object>(
  make: (url: string) => Client,
  send: (client: Client) => Promise<unknown>,
): Promise<RawProvider> {
  return raw(async (provider) => {
    const plain = make(provider.url);
    await send(plain);
    await send(withHeadroom(plain, { engine: new Engine() }));
    return provider;
  });
}

test('batches of Anthropic pass byte for byte', async () => {
  for (const of of ['messages', 'beta'] as const) {
    const { bodies, paths } = await both(
      (baseURL) => new Anthropic({ baseURL, apiKey: 'x', maxRetries: 0 }),
      (client) => (of === 'beta' ? client.beta.messages : client.messages).batches.create({ requests }),
    );
    assert.ok(paths.every((path) => path.startsWith('/v1/messages/batches')));
    assert.equal(bodies.length, 2);
    assert.deepEqual(bodies[1], bodies[0]);
    assert.ok(bodies[0]?.includes(JSON.stringify(log())));
  }
});

test('batches of OpenAI pass: the file, and the request that names it', async () => {
  const line = (n: number): string =>
    JSON.stringify({ custom_id: String(n), method: 'POST', url: '/v1/responses', body: { input: conversation('responses', records()) } });
  const { bodies, paths } = await both(
    (url) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 }),
    async (client) => {
      await client.files.create({ purpose: 'batch', file: await toFile(Buffer.from(`${line(1)}\n${line(2)}\n`), 'b.jsonl') });
      await client.batches.create({ input_file_id: 'file_1', endpoint: '/v1/responses', completion_window: '24h' });
    },
  );
  assert.deepEqual(paths, ['/v1/files', '/v1/batches', '/v1/files', '/v1/batches']);
  const [plain, ours] = [bodies[0], bodies[2]].map((body) => withoutBoundary(String(body)));
  assert.equal(ours, plain);
  assert.ok(plain?.includes(line(2)));
  assert.equal(bodies[3], bodies[1]);
});

function withoutBoundary(form: string): string {
  return form.replaceAll(/-{2,}formdata-[\w-]+/g, '--boundary');
}

test('messages of a batch are compressed before it is sent, without anything left out', async () => {
  const small = await Promise.all(
    requests.map(async ({ custom_id, params }) => {
      const { messages } = await compress(params.messages, { model: params.model, tools: params.tools });
      return { custom_id, params: { ...params, messages } };
    }),
  );
  const text = JSON.stringify(small);
  assert.match(text, /\[60 rows/);
  assert.match(text, /\[61 rows/);
  assert.doesNotMatch(text, /headroom/);
  assert.equal(small[0]?.params.messages[0], requests[0]?.params.messages[0]);
});
