import type { IncomingMessage, ServerResponse } from 'node:http';

import { apiOfRequest, type RequestHeaders } from './compressor.js';
import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import { bytesOf, replace } from './incoming.js';

/** Settings for servers that pass LLM requests on. */
export interface ServerOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
  /** Bytes above which the body of a request passes as it is. Default: 32 MiB, the limit of providers. */
  maxBody?: number;
}

const MAX_BODY = 32 << 20;

/**
 * Returns a request with smaller tool results, for servers on web-standard requests: Hono, route handlers of Next, Node's `fetch`-like
 * servers. A request that does not change is the given one, unread. Answers and streams are not touched.
 *
 * Parts are left out only if the request's own tools have `headroom_retrieve`. A server that forwards with `fetch` uses `headroomFetch`
 * instead, which answers the model itself.
 *
 * ```ts
 * app.use('/v1/*', async (c, next) => {
 *   c.req.raw = await headroomRequest(c.req.raw);
 *   await next();
 * });
 * ```
 */
export async function headroomRequest(request: Request, options: ServerOptions = {}): Promise<Request> {
  const { engine, maxBody } = settingsOf(options);
  const { method, url, headers } = request;
  if (!apiOfRequest(method, url, headers) || !isAtMost(headers, maxBody) || request.bodyUsed) return request;
  const body = await readUpTo(request.clone(), maxBody);
  if (!body) return request;
  const made = (await engine.compressRequest(body, { path: url })).body;
  if (made === body) return request;
  const changed = new Headers(headers);
  changed.delete('transfer-encoding');
  changed.set('content-length', String(made.length));
  // Some frameworks have requests of their own, which a constructor does not take.
  return new Request(url, { method, headers: changed, body: made as Uint8Array<ArrayBuffer>, signal: request.signal });
}

/** A request of Express, Connect or Node. */
export interface ServerRequest extends IncomingMessage {
  originalUrl?: string;
  body?: unknown;
}

/**
 * Returns a middleware for Express and Connect, which makes the bodies of LLM requests smaller before handlers see them, read already or
 * not. All other requests pass unread. Answers and streams are not touched.
 *
 * Parts are left out only if the request's own tools have `headroom_retrieve`. A server that forwards with `fetch` uses `headroomFetch`
 * instead, which answers the model itself.
 *
 * ```ts
 * app.use(headroomMiddleware());
 * ```
 */
export function headroomMiddleware(options: ServerOptions = {}) {
  const settings = settingsOf(options);
  return (request: ServerRequest, _response: ServerResponse, next: (error?: unknown) => void): void => {
    const path = request.originalUrl ?? request.url ?? '';
    const headers = headersOf(request);
    if (!apiOfRequest(request.method ?? 'GET', path, headers) || !isAtMost(headers, settings.maxBody)) return next();
    rewrite(request, path, settings).then(
      () => next(),
      (error: unknown) => next(error),
    );
  };
}

type Settings = Required<ServerOptions>;

function settingsOf(options: ServerOptions): Settings {
  checkOptions(options, ['engine', 'maxBody']);
  return { engine: engineOr(options.engine), maxBody: options.maxBody ?? MAX_BODY };
}

/** Puts a smaller body into a request. */
async function rewrite(request: ServerRequest, path: string, { engine, maxBody }: Settings): Promise<void> {
  if (request.readableDidRead) return rewriteParsed(request, engine, path);
  const body = await bytesOf(request, maxBody);
  if (!body) return;
  const made = (await engine.compressRequest(body, { path })).body;
  if (made === body) return;
  replace(request, made);
  setLength(request, made.length);
}

/** Rewrites what a parser before has read: text, bytes or JSON. */
async function rewriteParsed(request: ServerRequest, engine: Engine, path: string): Promise<void> {
  const { body: given } = request;
  const isJson = typeof given === 'object' && given !== null && !(given instanceof Uint8Array);
  const body = isJson ? jsonOf(given) : given;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return;
  const made = (await engine.compressRequest(body, { path })).body;
  if (made === body) return;
  const bytes = Buffer.from(made as Uint8Array);
  if (isJson) request.body = JSON.parse(bytes.toString());
  else request.body = typeof given === 'string' ? bytes.toString() : bytes;
  setLength(request, bytes.length);
}

function jsonOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A parser of somebody's own has made values that JSON does not have.
    return undefined;
  }
}

/** Says how long the new body is, to parsers and to proxies that copy the headers. */
function setLength(request: IncomingMessage, length: number): void {
  delete request.headers['transfer-encoding'];
  request.headers['content-length'] = String(length);
  const kept: string[] = [];
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const [name, value] = request.rawHeaders.slice(at, at + 2) as [string, string];
    if (!['content-length', 'transfer-encoding'].includes(name.toLowerCase())) kept.push(name, value);
  }
  request.rawHeaders = [...kept, 'Content-Length', String(length)];
}

/** Reads a body of web standard; nothing if it is too long or breaks off. */
async function readUpTo(request: Request, limit: number): Promise<Uint8Array | undefined> {
  const reader = request.body?.getReader();
  if (!reader) return undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return Buffer.concat(pieces);
      pieces.push(value);
      size += value.length;
      if (size > limit) {
        // Its other half has all that was read, and goes on.
        void reader.cancel();
        return undefined;
      }
    }
  } catch {
    // Whoever reads the request sees the same error.
    return undefined;
  }
}

/** Headers of Node, of which those of HTTP/2 may have names that `Headers` does not take. */
function headersOf(request: IncomingMessage): RequestHeaders {
  const value = (name: string): string | null => request.headers[name]?.toString() ?? null;
  return { get: value, has: (name) => value(name) !== null };
}

/** Whether a body is not longer than the limit, as far as the headers say. */
function isAtMost(headers: RequestHeaders, limit: number): boolean {
  return Number(headers.get('content-length') ?? 0) <= limit;
}
