/** Servers that pass LLM requests on: Express and Hono. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as ask, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { serve } from '@hono/node-server';
import express from 'express';
import { compressRequest, Engine, headroomFetch } from 'headroom-rs';
import { headroomMiddleware, headroomRequest } from 'headroom-rs/server';
import { Hono } from 'hono';

import { conversation, log, records, SCHEMA, type Message } from './conversations.js';
import { scripted } from './scripted.js';
import { curious } from './sdks.js';

const JSON_TYPE = { 'content-type': 'application/json' };

function bodyOf(messages: Message[], more: object = {}): string {
  return JSON.stringify({ model: 'claude-opus-5-5', max_tokens: 99, tools: [{ name: 'Bash', input_schema: SCHEMA }], messages, ...more });
}

const BODY = bodyOf(conversation('anthropic', records(), log(), 'é😀'));
const SMALL = (await compressRequest(BODY, { path: '/v1/messages' })).body as string;
assert.ok(SMALL.length < BODY.length);

/** What a handler saw. */
interface Seen {
  body: string;
  headers: Record<string, string | string[] | undefined>;
  rawHeaders?: string[];
}

/** Runs a server while the work lasts. */
async function served<T>(server: Server, work: (url: string) => Promise<T>): Promise<T> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Runs an application of Express with our middleware; `before` and `after` are parsers. */
function application(
  { before = [], after = [], options = {} }: { before?: express.RequestHandler[]; after?: express.RequestHandler[]; options?: object },
  work: (url: string, seen: Seen[]) => Promise<void>,
): Promise<void> {
  const seen: Seen[] = [];
  const app = express();
  for (const handler of [...before, headroomMiddleware({ engine: new Engine(), ...options }), ...after]) app.use(handler);
  app.use((request, response, next) => {
    const { body, headers, rawHeaders } = request as { body: unknown; headers: IncomingHttpHeaders; rawHeaders: string[] };
    const see = (body: string) => (seen.push({ body, headers, rawHeaders }), response.json({ ok: true }));
    if (body !== undefined && after.length + before.length > 0) {
      return void see(typeof body === 'string' ? body : Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body));
    }
    collected(request).then(see, next);
  });
  app.use(((error, _request, response, _next) => void response.status(500).end(String(error))) as express.ErrorRequestHandler);
  return served(createServer(app as RequestListener), (url) => work(url, seen));
}

async function collected(stream: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces).toString();
}

const post = (url: string, body: string | ReadableStream, headers: object = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body, duplex: 'half' } as RequestInit);

const limit = '9mb';
const PARSERS: Record<string, Parameters<typeof application>[0]> = {
  'no parser': {},
  'a parser of JSON after it': { after: [express.json({ limit })] },
  'a parser of bytes after it': { after: [express.raw({ type: '*/*', limit })] },
  'a parser of text after it': { after: [express.text({ type: '*/*', limit })] },
  'a parser of JSON before it': { before: [express.json({ limit })] },
  'a parser of bytes before it': { before: [express.raw({ type: '*/*', limit })] },
  'a parser of text before it': { before: [express.text({ type: '*/*', limit })] },
  'a parser of forms before it': { before: [express.urlencoded()], after: [express.json({ limit })] },
};

for (const [name, parsers] of Object.entries(PARSERS)) {
  test(`Express: handlers see the smaller body, with ${name}`, () =>
    application(parsers, async (url, seen) => {
      await post(`${url}/v1/messages?beta=true`, BODY, { 'x-own': 'kept' });
      // Piece by piece, with no length.
      await post(`${url}/v1/messages`, Readable.toWeb(Readable.from(pieces(BODY))) as ReadableStream);
      await post(`${url}/v1/messages`, bodyOf([]));
      await post(`${url}/other`, BODY);
      await post(`${url}/v1/messages`, BODY, { 'x-headroom-bypass': 'true' });
      assert.deepEqual(seen.map(({ body }) => body), [SMALL, SMALL, bodyOf([]), BODY, BODY]);
      assert.equal(seen[0]?.headers['x-own'], 'kept');
      for (const { body, headers, rawHeaders } of seen) {
        assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
        const names = (rawHeaders ?? []).filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
        assert.equal(names.filter((name) => name === 'content-length').length, 1);
        assert.ok(!names.includes('transfer-encoding') && headers['transfer-encoding'] === undefined);
        const at = names.indexOf('content-length');
        assert.equal(Number(rawHeaders?.[2 * at + 1]), Buffer.byteLength(body));
      }
    }));
}

function* pieces(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
}

test('Express: what is not read passes: forms, empty and long bodies, other methods', () =>
  application({ options: { maxBody: 5000 } }, async (url, seen) => {
    await post(`${url}/v1/messages`, BODY);
    await post(`${url}/v1/messages`, Readable.toWeb(Readable.from(pieces(BODY))) as ReadableStream);
    await post(`${url}/v1/messages`, '');
    await post(`${url}/v1/messages`, Readable.toWeb(Readable.from([])) as ReadableStream);
    await post(`${url}/v1/messages`, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' });
    await fetch(`${url}/v1/messages`);
    await fetch(`${url}/v1/messages`, { method: 'PUT', headers: JSON_TYPE, body: BODY });
    await post(`${url}/v1/messages`, 'no JSON');
    assert.deepEqual(seen.map(({ body }) => body), [BODY, BODY, '', '', 'a=b', '', BODY, 'no JSON']);
  }));

test('Express: the path counts wherever it is mounted', () => {
  const seen: string[] = [];
  const router = express.Router();
  router.use(headroomMiddleware({ engine: new Engine() }), express.text({ type: '*/*' }));
  router.post('/messages', (request, response) => {
    seen.push(request.body as string);
    response.end();
  });
  return served(createServer(express().use('/v1', router) as RequestListener), async (url) => {
    await post(`${url}/v1/messages`, BODY);
    assert.deepEqual(seen, [SMALL]);
  });
});

test('Node: it is a plain function, and a client that leaves is an error', { timeout: 10_000 }, async () => {
  const middleware = headroomMiddleware({ engine: new Engine() });
  let left!: (error: unknown) => void;
  const error = new Promise((resolve) => (left = resolve));
  const server = createServer((request, response) =>
    middleware(request, response, (error) => {
      if (error) return left(error);
      request.pipe(response);
    }));
  await served(server, async (url) => {
    assert.equal(await (await post(`${url}/v1/messages`, BODY)).text(), SMALL);
    const headers = { ...JSON_TYPE, 'content-length': BODY.length };
    const leaving = ask(`${url}/v1/messages`, { method: 'POST', headers }).on('error', () => {});
    leaving.write(BODY.slice(0, 1000), () => setTimeout(() => leaving.destroy(), 20));
    assert.match(String(await error), /aborted|closed/);
  });
});

test('Express: an answer is streamed as it is written, and a client that leaves is seen by the handler', { timeout: 10_000 }, async () => {
  const app = express();
  let go!: () => void;
  const may = new Promise<void>((resolve) => (go = resolve));
  let closed!: () => void;
  const left = new Promise<void>((resolve) => (closed = resolve));
  app.use(headroomMiddleware({ engine: new Engine() }));
  app.post('/v1/messages', async (_request, response) => {
    response.on('close', closed);
    response.write('one\n');
    await may;
    response.write('two\n');
  });
  await served(createServer(app as RequestListener), async (url) => {
    const stop = new AbortController();
    const answer = await fetch(`${url}/v1/messages`, { method: 'POST', headers: JSON_TYPE, body: BODY, signal: stop.signal });
    assert.deepEqual([...answer.headers.keys()].filter((name) => name.includes('headroom')), []);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'one\n');
    go();
    assert.equal(Buffer.from((await reader.read()).value as Uint8Array).toString(), 'two\n');
    stop.abort();
    await left;
  });
});

/** A server of Hono. */
async function hono<T>(app: Hono, work: (url: string) => Promise<T>): Promise<T> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  return served(server, work);
}

test('Hono: handlers see the smaller body', () => {
  const seen: Seen[] = [];
  const app = new Hono();
  const engine = new Engine();
  app.use('/v1/*', async (c, next) => {
    c.req.raw = await headroomRequest(c.req.raw, { engine, maxBody: 1 << 20 });
    await next();
  });
  app.all('*', async (c) => {
    seen.push({ body: await c.req.text(), headers: c.req.header() });
    return c.json({ ok: true });
  });
  return hono(app, async (url) => {
    await post(`${url}/v1/messages?beta=true`, BODY, { 'x-own': 'kept' });
    await post(`${url}/v1/messages`, Readable.toWeb(Readable.from(pieces(BODY))) as ReadableStream);
    await post(`${url}/v1/messages`, bodyOf([]));
    await post(`${url}/other`, BODY);
    await post(`${url}/v1/messages`, BODY, { 'x-headroom-bypass': 'true' });
    const long = bodyOf(conversation('anthropic', 'x'.repeat(2 << 20)));
    await post(`${url}/v1/messages`, Readable.toWeb(Readable.from(pieces(long))) as ReadableStream);
    await fetch(`${url}/v1/messages`);
    assert.deepEqual(seen.map(({ body }) => body), [SMALL, SMALL, bodyOf([]), BODY, BODY, long, '']);
    for (const { body, headers } of seen.slice(0, 2)) assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
    assert.equal(seen[0]?.headers['x-own'], 'kept');
  });
});

test('web standard: a request without a change is the same object, unread; another keeps its signal', async () => {
  const url = 'https://gateway.example.com/v1/messages';
  const init = { method: 'POST', headers: JSON_TYPE };
  for (const [input, more] of [
    [url, { ...init, body: bodyOf([]) }],
    [`${url}/batches`, { ...init, body: BODY }],
    [url, { ...init, body: BODY, headers: { ...JSON_TYPE, 'content-digest': 'sha-256=:x:' } }],
    [url, { ...init, body: BODY, headers: { 'content-type': 'text/plain' } }],
    [url, {}],
  ] as [string, RequestInit][]) {
    const given = new Request(input, more);
    assert.equal(await headroomRequest(given, { engine: new Engine() }), given);
    assert.equal(await given.text(), more.body ?? '');
  }
  const stop = new AbortController();
  const given = new Request(url, { ...init, body: BODY, signal: stop.signal });
  const made = await headroomRequest(given, { engine: new Engine() });
  assert.equal(made.url, url);
  assert.equal(await made.text(), SMALL);
  stop.abort();
  assert.ok(made.signal.aborted);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
  const failing = new Request(url, { ...init, body: broken, duplex: 'half' } as RequestInit);
  assert.equal(await headroomRequest(failing), failing);
  await assert.rejects(failing.text(), /gone/);
});

/** A gateway that forwards with `headroomFetch`, in Hono. */
function honoGateway(upstream: string): Hono {
  const app = new Hono();
  const send = headroomFetch(undefined, { engine: new Engine() });
  app.post('/v1/*', async ({ req: { raw: request } }) => {
    const { pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
    headers.set('accept-encoding', 'identity');
    return send(upstream + pathname + search, { method: 'POST', headers, body: await request.text(), signal: request.signal });
  });
  return app;
}

/** The same in Express. */
function expressGateway(upstream: string): express.Express {
  const app = express();
  const send = headroomFetch(undefined, { engine: new Engine() });
  app.post('/v1/*path', express.text({ type: '*/*', limit }), async (request, response) => {
    const stop = new AbortController();
    response.on('close', () => stop.abort());
    const { 'content-length': _, host, connection, ...headers } = request.headers;
    const answer = await send(upstream + request.originalUrl, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: request.body as string,
      signal: stop.signal,
    });
    response.status(answer.status);
    for (const [name, value] of answer.headers) if (name !== 'transfer-encoding') response.setHeader(name, value);
    if (answer.body) Readable.fromWeb(answer.body as never).on('error', () => response.destroy()).pipe(response);
    else response.end();
  });
  return app;
}

type Gateway = <T>(upstream: string, work: (url: string) => Promise<T>) => Promise<T>;
const GATEWAYS: Record<string, Gateway> = {
  Hono: (upstream, work) => hono(honoGateway(upstream), work),
  Express: (upstream, work) => served(createServer(expressGateway(upstream) as RequestListener), work),
};

for (const [name, gateway] of Object.entries(GATEWAYS)) {
  test(`${name}: a gateway that forwards with headroomFetch answers the model, whole and streaming`, () =>
    scripted(curious, (provider) =>
      gateway(provider.url, async (baseURL) => {
        const client = new Anthropic({ baseURL, apiKey: 'x', maxRetries: 0, defaultHeaders: { 'x-own': 'kept' } });
        const asked = JSON.parse(bodyOf(conversation('anthropic', log()))) as Anthropic.MessageCreateParamsNonStreaming;
        const whole = await client.messages.create(asked);
        const streamed = await client.messages.stream(asked).finalMessage();
        for (const { content } of [whole, streamed]) {
          const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
          assert.equal(text, 'Let me look. I run it once more.');
          assert.deepEqual(content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : [])), ['Bash']);
          assert.doesNotMatch(JSON.stringify(content), /headroom/);
        }
        assert.equal(provider.bodies.length, 4, 'one hidden round for each');
        for (const headers of provider.headers) {
          assert.deepEqual([headers['x-own'], headers.host], ['kept', new URL(provider.url).host]);
        }
      })));

  test(`${name}: a client that leaves a stream closes the connection to the provider`, { timeout: 10_000 }, () =>
    scripted(curious, (provider) =>
      gateway(provider.url, async (baseURL) => {
        provider.pause = new Promise(() => {});
        const client = new Anthropic({ baseURL, apiKey: 'x', maxRetries: 0 });
        const stream = client.messages.stream(JSON.parse(bodyOf(conversation('anthropic', log()))) as Anthropic.MessageCreateParams);
        for await (const event of stream) if (event.type === 'content_block_start') break;
        await provider.brokeOff;
        assert.equal(provider.bodies.length, 1);
      })));
}
