import { Compressor, apiOfRequest, type ClientOptions } from './compressor.js';
import { likeGiven } from './engine.js';
import { answer, type HeaderChange } from './exchange.js';

/** What SDKs call to send a request. */
export type Fetch = (input: any, init?: any) => Promise<Response>;

/**
 * Returns a `fetch` that makes requests to LLM providers smaller, for every SDK and provider that takes one.
 *
 * Calls of `headroom_retrieve` are answered here, in streams too, and the answers that you get show none of them. Requests that are
 * none of a known API, are signed, or have a body that is no JSON text or bytes pass as they are.
 *
 * ```ts
 * const openai = createOpenAI({ fetch: headroomFetch() });
 * ```
 */
export function headroomFetch<F extends Fetch = typeof globalThis.fetch>(inner?: F, options: ClientOptions = {}): F {
  const compressor = new Compressor(options);
  // The global one is looked up late, so that it can be replaced.
  const send: Fetch = inner ?? ((input, init) => globalThis.fetch(input, init));
  return (async (input: string | URL | Request, init?: RequestInit) => {
    const given = await candidate(input, init);
    const begun = given && (await compressor.begin(given));
    if (!begun) return send(input, init);
    return answer(begun.exchange, {
      isQuick: begun.isQuick,
      signal: init?.signal ?? (input instanceof Request ? input.signal : undefined),
      // A request whose body was sent cannot be sent again.
      sendOriginal: () => send(input instanceof Request ? input.clone() : input, init),
      send: (made, changes) => {
        const headers = changed(given.headers, changes);
        const body = likeGiven(given.body, made);
        if (input instanceof Request) return send(new Request(input, { ...init, headers, body }));
        return send(input, { ...init, headers, body });
      },
    });
  }) as F;
}

/** Returns what a request sends, if that can be rewritten. */
async function candidate(input: string | URL | Request, init: RequestInit | undefined) {
  const asked = input instanceof Request ? input : undefined;
  const method = init?.method ?? asked?.method ?? 'GET';
  if (method.toUpperCase() !== 'POST') return undefined;
  const headers = new Headers(init?.headers ?? asked?.headers);
  const url = asked?.url ?? String(input);
  if (!apiOfRequest('POST', url, headers)) return undefined;
  const body = init?.body ?? (asked?.body ? await asked.clone().text() : undefined);
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : body;
  if (typeof bytes !== 'string' && !(bytes instanceof Uint8Array)) return undefined;
  return { method: 'POST', url, headers, body: bytes };
}

/** Returns headers with these changes, for another body. */
export function changed(given: Headers, changes: readonly HeaderChange[]): Headers {
  const headers = new Headers(given);
  headers.delete('content-length');
  for (const { name, value } of changes) {
    if (value == null) headers.delete(name);
    else headers.set(name, value);
  }
  return headers;
}
