/** Other clients and methods of the SDKs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { Engine, withHeadroom } from 'headroom-rs';
import OpenAI, { AzureOpenAI } from 'openai';

import { conversation, log, SCHEMA } from './conversations.js';
import { scripted } from './scripted.js';
import { curious, FOUND, MARKER, texts } from './sdks.js';

const fresh = (): { engine: Engine } => ({ engine: new Engine() });
const tools = [{ type: 'function' as const, function: { name: 'Bash', parameters: SCHEMA } }];
const chat = { model: 'gpt-4o', tools, messages: conversation('openai', log()) as never };
const anthropic = {
  model: 'claude-opus-5-5',
  max_tokens: 99,
  tools: [{ name: 'Bash', input_schema: SCHEMA }],
  messages: conversation('anthropic', log()) as never,
};

test('a client of Azure keeps its class, address and key', () =>
  scripted(curious, async ({ url, paths, headers, bodies }) => {
    const given = new AzureOpenAI({ endpoint: url, apiKey: 'azure', apiVersion: '2024-10-21', deployment: 'own', maxRetries: 0 });
    const client = withHeadroom(given, fresh());
    assert.ok(client instanceof AzureOpenAI);
    const answer = await client.chat.completions.create(chat);
    assert.equal(answer.choices[0]?.message.content, 'Let me look. I run it once more.');
    assert.deepEqual([...new Set(paths)], ['/openai/deployments/own/chat/completions']);
    assert.deepEqual(headers.map((header) => header['api-key']), ['azure', 'azure']);
    assert.match(texts(JSON.parse(bodies[0] as string)), MARKER);
  }));

test('parse, beta and streams of create go through, too', () =>
  scripted(curious, async ({ url, bodies }) => {
    const openai = withHeadroom(new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 }), fresh());
    const strict = [{ type: 'function' as const, function: { ...tools[0]?.function, strict: true } }];
    const parsed = await openai.chat.completions.parse({ ...chat, tools: strict as never });
    assert.equal(parsed.choices[0]?.message.content, 'Let me look. I run it once more.');

    const client = withHeadroom(new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 0 }), fresh());
    const beta = await client.beta.messages.create({ ...anthropic, betas: ['files-api-2025-04-14'] });
    assert.doesNotMatch(JSON.stringify(beta.content), /headroom/);
    const events: string[] = [];
    for await (const event of await client.messages.create({ ...anthropic, stream: true })) events.push(event.type);
    assert.equal(events.filter((type) => type === 'message_start').length, 1);
    assert.equal(events.at(-1), 'message_stop');
    const rounds = bodies.map((body) => texts(JSON.parse(body)).includes(FOUND));
    assert.deepEqual(rounds, [false, true, false, true, false, true]);
  }));

test('a client\'s own middleware and fetch stay, and see what is sent', () =>
  scripted(curious, async ({ url }) => {
    const seen: string[] = [];
    const own = new Anthropic({
      baseURL: url,
      apiKey: 'x',
      maxRetries: 0,
      middleware: [(request, next) => (seen.push('middleware'), next(request))],
      fetch: (input, init) => (seen.push(String(init?.body).slice(0, 9)), fetch(input, init)),
    });
    await withHeadroom(own, fresh()).messages.create(anthropic);
    assert.deepEqual(seen, ['middleware', '{"model":', '{"model":']);

    const bodies: unknown[] = [];
    const custom: typeof fetch = (input, init) => (bodies.push(init?.body), fetch(input, init));
    await withHeadroom(new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', fetch: custom }), fresh()).chat.completions.create(chat);
    assert.deepEqual(bodies.map((body) => typeof body), ['string', 'string']);
  }));

test('a client of Google that takes no fetch is refused, because it would send everything as it is', () => {
  class GoogleGenAI {
    apiClient = { clientOptions: { httpOptions: {} } };
  }
  assert.throws(() => withHeadroom(new GoogleGenAI()), { name: 'TypeError', message: /use @google\/genai 2 or newer/ });
});

test('a busy provider is asked again by the SDK, each time with the same bytes', () => {
  let attempts = 0;
  const busy = { status: 529, body: '{"type":"error","error":{"type":"overloaded_error"}}', headers: { 'retry-after-ms': '1' } };
  return scripted(
    () => (++attempts < 3 ? busy : ['Fine.']),
    async ({ url, bodies }) => {
      const client = withHeadroom(new Anthropic({ baseURL: url, apiKey: 'x', maxRetries: 3 }), fresh());
      await client.messages.create(anthropic);
      assert.equal(bodies.length, 3);
      assert.equal(new Set(bodies).size, 1);
    },
  );
});
