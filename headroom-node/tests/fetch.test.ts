/** What `headroomFetch` does to requests and answers of HTTP. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import Anthropic from '@anthropic-ai/sdk';
import { Engine, headroomFetch, withHeadroom } from 'headroom-rs';
import OpenAI from 'openai';

import { conversation, log, records, SCHEMA, type Message } from './conversations.js';
import { scripted, type Model, type RawAnswer } from './scripted.js';
import { curious } from './sdks.js';

const JSON_TYPE = { 'content-type': 'application/json' };

function requestOf(messages: Message[], more: object = {}): string {
  const tools = [{ name: 'Bash', input_schema: SCHEMA }];
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 99, tools, messages, ...more });
}

const BODY = requestOf(conversation('anthropic', log()));
const fresh = (): typeof fetch => headroomFetch(undefined, { engine: new Engine() });

test('strings, bytes and Request objects are made smaller, and all else of a request stays', () =>
  scripted(() => ['Fine.'], async (provider) => {
    const url = `${provider.url}/v1/messages?beta=true`;
    const headers = { ...JSON_TYPE, 'x-own': 'kept', 'anthropic-beta': 'a' };
    const send = fresh();
    const asked = new Request(url, { method: 'POST', headers, body: BODY });
    await send(url, { method: 'POST', headers, body: BODY });
    await send(new URL(url), { method: 'post', headers, body: Buffer.from(BODY) });
    await send(url, { method: 'POST', headers, body: new TextEncoder().encode(BODY).buffer as ArrayBuffer });
    await send(asked);
    assert.equal(new Set(provider.bodies).size, 1, 'the same bytes');
    assert.ok((provider.bodies[0] as string).length < BODY.length / 2);
    for (const [at, got] of provider.headers.entries()) {
      assert.deepEqual([got['x-own'], got['anthropic-beta']], ['kept', 'a']);
      assert.equal(Number(got['content-length']), Buffer.byteLength(provider.bodies[at] as string));
    }
    assert.equal(await asked.text(), BODY, 'the given request was not read');
  }));

test('requests that are none of ours pass untouched', async () => {
  const seen: unknown[][] = [];
  const send = headroomFetch(async (...args: unknown[]) => (seen.push(args), new Response('{}')), { engine: new Engine() });
  const url = 'https://api.example.com/v1/messages';
  const post = { method: 'POST', headers: JSON_TYPE, body: BODY };
  const cases: [string, RequestInit | undefined][] = [
    [url, undefined],
    ['https://api.example.com/v1/models', post],
    ['/relative/v1/models', post],
    [url, { ...post, method: 'PUT' }],
    [url, { ...post, body: new FormData() }],
    [url, { ...post, headers: { 'content-type': 'text/plain' } }],
    [url, { ...post, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' } }],
    [url, { ...post, headers: { ...JSON_TYPE, authorization: 'AWS4-HMAC-SHA256 Credential=x' } }],
    [url, { ...post, headers: { ...JSON_TYPE, 'content-digest': 'sha-256=:x:' } }],
    [url, { ...post, headers: { ...JSON_TYPE, 'x-headroom-bypass': 'true' } }],
    [url, { ...post, body: 'not json' }],
    [url, { ...post, body: '{"messages":' }],
  ];
  for (const [at, [input, init]] of cases.entries()) {
    await send(input, init);
    assert.equal(seen[at]?.[0], input);
    assert.equal(seen[at]?.[1], init, `the same object: ${at}`);
  }
});

test('fields of a request that nobody knows survive byte for byte', () =>
  scripted(() => ['Fine.'], async (provider) => {
    const text = JSON.stringify(records());
    const odd =
      '{"model":"claude-opus-5-5","max_tokens":1e2,"x":{"a":1.0,"a":2,"\\u00e9":"\\/"},"messages":[{"role":"assistant","content":' +
      '[{"type":"tool_use","id":"t","name":"Bash","input":{"n":12345678901234567890}}]},{"role":"user","content":' +
      `[{"type":"tool_result","tool_use_id":"t","later":[null],"content":${text}}]}]}`;
    await fresh()(`${provider.url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body: odd });
    const [start, end] = odd.split(text) as [string, string];
    const sent = provider.bodies[0] as string;
    assert.ok(sent.startsWith(start) && sent.endsWith(end) && sent.length < odd.length);
  }));

test('answers are the ones of the provider: status, headers, url, encodings', () => {
  const document = JSON.stringify({ type: 'message', content: [], note: 'é'.repeat(500) });
  const answers: Record<string, { status: number; body: Buffer; headers: Record<string, string> }> = {
    plain: { status: 200, body: Buffer.from(document), headers: { 'x-a': 'b' } },
    gzip: { status: 200, body: gzipSync(document), headers: { 'content-encoding': 'gzip' } },
    br: { status: 200, body: brotliCompressSync(document), headers: { 'content-encoding': 'br' } },
    overloaded: { status: 529, body: Buffer.from('{"type":"error"}'), headers: { 'retry-after': '3' } },
    refused: { status: 400, body: Buffer.from('{"type":"error","error":{"message":"é"}}'), headers: {} },
    empty: { status: 204, body: Buffer.alloc(0), headers: {} },
  };
  const model: Model = (asked) => answers[asked['metadata'].case] as never;
  return scripted(model, async (provider) => {
    for (const name of Object.keys(answers)) {
      const body = requestOf(conversation('anthropic', log()), { metadata: { case: name } });
      const init = { method: 'POST', headers: JSON_TYPE, body };
      const url = `${provider.url}/v1/messages`;
      const [plain, ours] = [await fetch(url, init), await fresh()(url, init)];
      assert.deepEqual([ours.status, ours.ok, ours.url], [plain.status, plain.ok, plain.url], name);
      assert.equal(ours.headers.get('x-a'), plain.headers.get('x-a'));
      assert.equal(ours.headers.get('retry-after'), plain.headers.get('retry-after'));
      assert.equal(await ours.text(), await plain.text(), name);
    }
  });
});

for (const what of ['cut', 'damaged']) {
  test(`a body that is ${what} reads as without us`, () => {
    const body = gzipSync(log()).subarray(0, what === 'cut' ? 300 : undefined);
    if (what === 'damaged') body.fill(0xff, 200, 260);
    const model: Model = () => ({ status: 200, body, headers: { 'content-encoding': 'gzip' } });
    return scripted(model, async (provider) => {
      const read = async (send: typeof fetch): Promise<unknown> => {
        const answer = await send(`${provider.url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body: BODY });
        return answer.text().catch((error: Error) => error.constructor);
      };
      assert.equal(await read(fresh()), await read(fetch));
    });
  });
}

test('a stream passes event by event, and leaving it closes the connection', () =>
  scripted(curious, async (provider) => {
    let go = (): void => {};
    provider.pause = new Promise((resolve) => (go = resolve));
    const client = withHeadroom(new Anthropic({ baseURL: provider.url, apiKey: 'x', maxRetries: 0 }), { engine: new Engine() });
    const stream = client.messages.stream(JSON.parse(BODY) as Anthropic.MessageCreateParams);
    for await (const event of stream) {
      // The provider holds back the second half, so this one was not waited for.
      if (event.type === 'content_block_start') break;
    }
    await provider.brokeOff;
    go();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(provider.bodies.length, 1, 'no further round is asked for');
  }));

test('cancelling a call closes the connection, and the reason is the caller\'s', () =>
  scripted(curious, async (provider) => {
    provider.pause = new Promise(() => {});
    const stop = new AbortController();
    const reason = new Error('enough');
    const init = { method: 'POST', headers: JSON_TYPE, body: requestOf(conversation('anthropic', log()), { stream: true }) };
    const answer = await fresh()(`${provider.url}/v1/messages`, { ...init, signal: stop.signal });
    const reading = answer.text();
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(reading, reason);
    await provider.brokeOff;
    await assert.rejects(fresh()(`${provider.url}/v1/messages`, { ...init, signal: stop.signal }), reason);
  }));

/** A model that retrieves, and then answers as told. */
const thenRaw = (answer: RawAnswer): Model => {
  let rounds = 0;
  return (asked) => (++rounds === 2 ? answer : curious(asked));
};

test('a hidden round that finds the provider busy is asked again', () =>
  scripted(thenRaw({ status: 529, body: '{"type":"error"}', headers: { 'retry-after': '0' } }), async (provider) => {
    const answer = await fresh()(`${provider.url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body: BODY });
    assert.match(await answer.text(), /I run it once more/);
    assert.equal(provider.bodies.length, 3);
    assert.equal(provider.bodies[1], provider.bodies[2]);
  }));

test('waiting for a busy provider ends when the caller aborts', () =>
  scripted(thenRaw({ status: 529, body: '{"type":"error"}', headers: { 'retry-after': '20' } }), async (provider) => {
    const stop = new AbortController();
    const init = { method: 'POST', headers: JSON_TYPE, body: BODY, signal: stop.signal };
    const asked = fresh()(`${provider.url}/v1/messages`, init);
    const rejected = assert.rejects(asked, /enough/);
    while (provider.bodies.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort(new Error('enough'));
    await rejected;
    assert.equal(provider.bodies.length, 2, 'no further round is asked for');
  }));

test('a hidden round whose document breaks off is no part of an answer', () => {
  const headers = { 'content-length': '1000' };
  return scripted(thenRaw({ status: 200, body: '{"id":"msg_2","content":[', headers, isCut: true }), async (provider) => {
    const answer = await fresh()(`${provider.url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body: BODY });
    assert.equal(answer.status, 502);
    const text = await answer.text();
    assert.equal(Number(answer.headers.get('content-length')), Buffer.byteLength(text));
    assert.doesNotMatch(text, /headroom_retrieve|msg_2/);
    assert.equal(typeof JSON.parse(text), 'object');
  });
});

test('no event of a stream waits for the next', () =>
  scripted(() => ['one two three four five six seven eight'], async (provider) => {
    let go = (): void => {};
    provider.pause = new Promise((resolve) => (go = resolve));
    const body = requestOf(conversation('anthropic', log()), { stream: true });
    const answer = await fresh()(`${provider.url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body });
    let text = '';
    for await (const piece of answer.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(piece).toString();
      if (text.includes('"two ')) go();
    }
    assert.ok(text.endsWith('data: {"type":"message_stop"}\n\n'));
  }));

test('withResponse, asResponse and usage are the SDKs\' own', () =>
  scripted(curious, async (provider) => {
    const client = withHeadroom(new Anthropic({ baseURL: provider.url, apiKey: 'x', maxRetries: 0 }), { engine: new Engine() });
    const request = JSON.parse(BODY) as Anthropic.MessageCreateParamsNonStreaming;
    const { data, response } = await client.messages.create(request).withResponse();
    assert.equal(data.usage.output_tokens, 20, 'of both rounds');
    assert.equal(response.headers.get('content-type'), 'application/json');
    const raw = await client.messages.create(request).asResponse();
    assert.equal(Number(raw.headers.get('content-length')), (await raw.arrayBuffer()).byteLength);

    const openai = withHeadroom(new OpenAI({ baseURL: `${provider.url}/v1`, apiKey: 'x' }), { engine: new Engine() });
    const asked = { model: 'gpt-4o', messages: conversation('openai', log()) as never };
    const { data: chat, request_id: id } = await openai.chat.completions.create(asked).withResponse();
    assert.equal(id, `req_${provider.bodies.length}`);
    assert.equal((chat as { _request_id?: string })._request_id, id);
  }));

test('what is no client is a TypeError', () => {
  for (const wrong of [{}, { withOptions: () => ({}) }, { chat: {} }]) {
    assert.throws(() => withHeadroom(wrong), /expected a client of the SDK/);
  }
  assert.throws(() => headroomFetch(fetch, { retrieval: 'file' as never }), { name: 'ConfigurationError' });
  assert.throws(() => headroomFetch(fetch, { store: 1 } as never), TypeError);
  assert.throws(() => headroomFetch(fetch, { engine: {} as never }), /engine: expected an Engine/);
  assert.throws(() => new Engine({ store: {} as never }), /store: expected a MemoryStore/);
});
