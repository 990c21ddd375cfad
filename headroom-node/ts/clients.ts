import { Compressor, type ClientOptions } from './compressor.js';
import { likeGiven } from './engine.js';
import { answer } from './exchange.js';
import { changed, headroomFetch, type Fetch } from './fetch.js';

/**
 * Returns a client like this one, which compresses the tool results in its requests. `client` is one of Anthropic's, OpenAI's or
 * Google's SDKs, also for Azure. All its methods work as before, streams and raw responses included; the given client stays as it is.
 *
 * Requests that have tools get one more, `headroom_retrieve`, with which the model reads what was left out. Its calls are answered
 * here, and the answers that you get show none of them; see `retrieval`.
 *
 * Batches, websockets and bodies that are signed before they reach `fetch` pass as they are.
 */
export function withHeadroom<Client extends object>(client: Client, options: ClientOptions = {}): Client {
  const given = client as Client & Members;
  if (typeof given.withOptions === 'function') {
    if (Array.isArray(given.middleware)) {
      const middleware = [...given.middleware, headroomAnthropicMiddleware(options)];
      return given.withOptions({ middleware }) as Client;
    }
    if (typeof given.fetch === 'function') {
      return given.withOptions({ fetch: headroomFetch(given.fetch, options) }) as Client;
    }
  }
  if (given.apiClient?.clientOptions) return google(given, options);
  throw new TypeError('expected a client of the SDK of Anthropic, OpenAI or Google');
}

/** The members that tell the SDKs apart. None is imported. */
interface Members {
  withOptions?: (options: object) => object;
  middleware?: unknown[];
  fetch?: Fetch;
  apiClient?: { clientOptions?: Record<string, unknown>; customBaseUrl?: string; getFetch?: () => unknown };
}

/** A request in the middleware of Anthropic's SDK. */
interface MiddlewareRequest extends RequestInit {
  url: string;
}

type MiddlewareNext<Request> = (request: Request) => Promise<Response>;

/**
 * Returns the middleware that `withHeadroom` gives to Anthropic's client. It runs before a request is signed, so that it works for
 * Bedrock, Vertex and Foundry too.
 *
 * ```ts
 * const client = new Anthropic({ middleware: [headroomAnthropicMiddleware()] });
 * ```
 */
export function headroomAnthropicMiddleware(options: ClientOptions = {}) {
  const compressor = new Compressor(options);
  return async <Asked extends MiddlewareRequest>(request: Asked, next: MiddlewareNext<Asked>): Promise<Response> => {
    const { method = 'GET', url, body } = request;
    const headers = new Headers(request.headers);
    const begun = typeof body === 'string' && (await compressor.begin({ method: method.toUpperCase(), url, headers, body }));
    if (!begun) return next(request);
    return answer(begun.exchange, {
      isQuick: begun.isQuick,
      signal: request.signal,
      sendOriginal: () => next(request),
      send: (made, changes) =>
        next({ ...request, headers: changed(headers, changes), body: likeGiven(body, made) }),
    });
  };
}

/** Makes a client of Google's SDK with what the given one was made with, but its `fetch`. */
function google<Client extends object>(client: Client & Members, options: ClientOptions): Client {
  const inner = client.apiClient?.clientOptions ?? {};
  const http = inner['httpOptions'] as { fetch?: Fetch } | undefined;
  const httpOptions = { ...http, fetch: headroomFetch(http?.fetch, options) };
  const { vertexai, project, location, apiKey, apiVersion } = inner;
  const Class = client.constructor as new (options: object) => Client & Members;
  const made = new Class({ vertexai, project, location, apiKey, apiVersion, httpOptions });
  // Its credentials are made already, and may come from the environment.
  Object.assign(made.apiClient?.clientOptions ?? {}, inner, { httpOptions });
  Object.assign(made.apiClient ?? {}, { customBaseUrl: client.apiClient?.customBaseUrl });
  // Versions before 2 would send what they are given by the global one.
  if (made.apiClient?.getFetch?.() !== httpOptions.fetch) throw new TypeError('this version takes no fetch; use @google/genai 2 or newer');
  return made;
}
