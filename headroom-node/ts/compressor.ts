import type { Exchange } from '../native/index.js';
import { bytesBody, textBody } from './body.js';
import { engineOr } from './default.js';
import { type Engine, pathOf } from './engine.js';
import { ConfigurationError, checkOptions } from './errors.js';
import { native } from './native.js';

/** Settings of what sends requests. */
export interface ClientOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
  /**
   * How the model retrieves what is left out. `server-tool`: requests with tools get one more, `headroom_retrieve`, whose calls are
   * answered here. `client-tool`: parts are left out only if your own tools have it. `off`: never. The default is `server-tool`,
   * unless the engine's is `off`.
   */
  retrieval?: 'server-tool' | 'client-tool' | 'off';
}

/** A request whose body may be rewritten. */
export interface Candidate {
  method: string;
  url: string;
  headers: Headers;
  body: string | Uint8Array;
}

/** Signatures and digests that cover the body: other bytes would be refused. */
const DIGESTS = ['x-amz-content-sha256', 'content-digest', 'repr-digest', 'digest', 'content-md5', 'signature-input'];

/** An engine, and how what it leaves out is retrieved. */
export class Compressor {
  readonly engine: Engine;
  readonly #retrieval: string;

  constructor(options: ClientOptions) {
    checkOptions(options, ['engine', 'retrieval']);
    this.engine = engineOr(options.engine);
    this.#retrieval = options.retrieval ?? (this.engine.retrieval === 'off' ? 'off' : 'server-tool');
    if (!['server-tool', 'client-tool', 'off'].includes(this.#retrieval)) {
      throw new ConfigurationError(`unknown retrieval ${this.#retrieval}; expected server-tool, client-tool or off`);
    }
  }

  /** Begins the exchange about a request, if it is one of a known API whose body may be rewritten. */
  async begin(request: Candidate): Promise<{ exchange: Exchange; isQuick: boolean } | undefined> {
    const { method, url, headers } = request;
    const api = apiOfRequest(method, url, headers);
    if (!api) return undefined;
    const body = typeof request.body === 'string' ? await textBody(request.body) : await bytesBody(request.body);
    const isQuick = this.engine.isQuick(body.size);
    const exchange = this.engine.exchange({ method, url, headers: [...headers], body, api }, this.#retrieval);
    return { exchange, isQuick };
  }
}

/** Headers that can be asked for by a name in lower case. */
export type RequestHeaders = Pick<Headers, 'get' | 'has'>;

/** Returns the API of a request whose body may be rewritten. */
export function apiOfRequest(method: string, url: string, headers: RequestHeaders): string | undefined {
  const type = (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const isOurs =
    method === 'POST' &&
    type === 'application/json' &&
    !headers.has('content-encoding') &&
    headers.get('x-headroom-bypass') !== 'true' &&
    !headers.get('authorization')?.startsWith('AWS4-') &&
    !DIGESTS.some((name) => headers.has(name));
  return (isOurs && native.apiOfPath(pathOf(url))) || undefined;
}
