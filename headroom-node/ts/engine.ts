import type * as addon from '../native/index.js';
import { bytesBody, messagesBody, textBody } from './body.js';
import { ConfigurationError, StoreError, checkOptions } from './errors.js';
import { call, later, native } from './native.js';
import type {
  CallOptions,
  CompressOptions,
  EngineOptions,
  RequestOptions,
  Retrieval,
  RetrievePart,
  TextOptions,
  Tier,
} from './options.js';
import { messagesResult, type CompressResult, type RequestResult, type TextResult } from './results.js';
import { apiOf } from './shape.js';
import { MemoryStore, Store } from './stores.js';

const CALL = ['tier', 'retrieval', 'tenant'];
const TIERS: readonly string[] = ['lossless', 'dedup', 'recoverable'];
const RETRIEVALS: readonly string[] = ['client-tool', 'off'];
/** Strings longer than this stay bytes: making a string of more holds up the event loop. */
const MAX_STRING = 1 << 21;

/**
 * Compresses requests with one set of settings and one store.
 *
 * Use one engine for all requests of a conversation: a block that was written otherwise in the last request is a cache miss for
 * everything after it.
 */
export class Engine {
  /** The store of the originals. */
  readonly store: Store;
  /** Whose originals these are. */
  readonly tenant: string;
  /** How the model retrieves what is left out, unless a call says otherwise. */
  readonly retrieval: Retrieval;
  readonly #tier: Tier;
  readonly #native: addon.Engine;

  constructor(options: EngineOptions = {}) {
    checkOptions(options, [...CALL, 'store', 'maxBody', 'cacheCapacity']);
    const { maxBody = 2 ** 26, cacheCapacity = 2 ** 26 } = options;
    this.#native = call(() => new native.Engine(maxBody, cacheCapacity));
    this.#tier = oneOf('tier', TIERS, options.tier ?? 'recoverable');
    this.retrieval = oneOf('retrieval', RETRIEVALS, options.retrieval ?? 'client-tool');
    this.tenant = options.tenant ?? 'local';
    this.store = options.store ?? new MemoryStore();
    if (!(this.store instanceof Store)) throw new TypeError('store: expected a MemoryStore, FolderStore or RedisStore');
  }

  /**
   * Compresses the messages of a request.
   *
   * `messages` are those of OpenAI (Chat Completions or Responses items), Anthropic, Gemini or Bedrock Converse. The result has
   * them again, in the same order: only texts of tool results change, in copies of the messages that hold them. All others are the
   * same objects. A message that cannot be read passes as it is, and `unreadable` says why. Only misuse throws.
   */
  async compress<Message>(
    messages: readonly Message[],
    options: CompressOptions = {},
  ): Promise<CompressResult<Message>> {
    if (!Array.isArray(messages)) throw new TypeError('messages: expected an array');
    checkOptions(options, [...CALL, 'model', 'tools', 'toolChoice', 'api']);
    const { model = '', tools, toolChoice, api = apiOf(messages) } = options;
    const settings = this.#settings(options);
    const given = messages.slice() as Message[];
    const { body, unreadable } = await messagesBody(given, { model, tools, toolChoice }, api);
    const store = this.store.native;
    const outcome = this.isQuick(body.size)
      ? call(() => this.#native.messages(body, api, store, settings))
      : await later(() => this.#native.messagesLater(body, api, store, settings));
    return messagesResult(messages as Message[], given, outcome, unreadable);
  }

  /**
   * Compresses the body of a request. The result's `body` differs from the given one inside texts of tool results only; if nothing
   * changes it is the same object. A string stays a string up to 2 MiB, and bytes stay bytes.
   */
  async compressRequest<Body extends string | Uint8Array>(
    body: Body,
    options: RequestOptions = {},
  ): Promise<RequestResult<Body | Uint8Array>> {
    checkOptions(options, [...CALL, 'api', 'path']);
    const settings = this.#settings(options);
    const api = options.api ?? (options.path === undefined ? undefined : native.apiOfPath(pathOf(options.path)));
    const given = typeof body === 'string' ? await textBody(body) : await bytesBody(body);
    const store = this.store.native;
    const outcome = this.isQuick(given.size)
      ? call(() => this.#native.request(given, api, store, settings))
      : await later(() => this.#native.requestLater(given, api, store, settings));
    const made = outcome.takeBody();
    return {
      body: made ? (likeGiven(body, made) as Body | Uint8Array) : body,
      tokensSaved: outcome.tokensSaved,
      reason: outcome.reason ?? null,
      originals: outcome.originals,
      storeFailed: outcome.storeFailed,
      get report() {
        return outcome.report;
      },
    };
  }

  /**
   * Compresses one piece of content outside any conversation, such as the result of a tool. Nothing is left out unless `retrieval`
   * says that its reader can call `headroom_retrieve`: the engine's setting does not count here.
   */
  async compressText(text: string, options: TextOptions = {}): Promise<TextResult> {
    if (typeof text !== 'string') throw new TypeError('text: expected a string');
    checkOptions(options, [...CALL, 'tool', 'arguments', 'query', 'model']);
    const { tool, query, model = '' } = options;
    const settings = this.#settings({ ...options, retrieval: options.retrieval ?? 'off' });
    const given = options.arguments;
    const args = typeof given === 'object' ? JSON.stringify(given) : given;
    const source = { tool, arguments: args, query, model } as addon.TextSource;
    const store = this.store.native;
    const outcome = this.isQuick(text.length)
      ? call(() => this.#native.text(text, source, store, settings))
      : await later(() => this.#native.textLater(text, source, store, settings));
    const { tokensBefore, tokensSaved, report, originals, storeFailed } = outcome;
    const tokensAfter = tokensBefore - tokensSaved;
    return { text: outcome.text ?? text, tokensBefore, tokensAfter, tokensSaved, report, originals, storeFailed };
  }

  /**
   * Returns what a marker stands for, or a part of it, in the words of the tool `headroom_retrieve`: at most 32 KiB, with what else
   * there is. An unknown handle gets an answer in plain words. For the whole original, byte for byte, use `engine.store.get`.
   *
   * Throws `StoreError` if the store cannot answer.
   */
  retrieve(handle: string, part: RetrievePart = {}): Promise<string> {
    return this.answer({ ...part, hash: handle });
  }

  /** Answers a call of `headroom_retrieve`, given its arguments as the API has them: JSON or an object. */
  answer(args: string | object): Promise<string> {
    const json = typeof args === 'string' ? args : JSON.stringify(args);
    return later(() => this.store.native.answer(json, this.tenant), StoreError);
  }

  /** @internal Begins the exchange about a request whose answer you read. */
  exchange(request: ExchangeRequest, retrieval: string): addon.Exchange {
    const { method, url, headers, body, api } = request;
    const settings = { tier: this.#tier, retrieval, tenant: this.tenant };
    return call(() => this.#native.exchange(method, url, headers, body, api, this.store.native, settings));
  }

  /** @internal Whether a body of this length is compressed and stored fast enough for an event loop. */
  isQuick(size: number): boolean {
    return this.store.native.isQuick && native.Engine.isQuick(size);
  }

  #settings(options: CallOptions): addon.Settings {
    return {
      tier: oneOf('tier', TIERS, options.tier ?? this.#tier),
      retrieval: oneOf('retrieval', RETRIEVALS, options.retrieval ?? this.retrieval),
      tenant: options.tenant ?? this.tenant,
    };
  }
}

/** @internal A request that an exchange is about. */
export interface ExchangeRequest {
  method: string;
  url: string;
  headers: [string, string][];
  body: addon.RequestBody;
  api: string;
}

/** Returns a body as text where the given one was. */
export function likeGiven(given: string | Uint8Array, made: Buffer): string | Uint8Array {
  return typeof given === 'string' && made.length <= MAX_STRING ? made.toString() : made;
}

function oneOf<Name extends string>(what: string, names: readonly string[], given: Name): Name {
  if (names.includes(given)) return given;
  throw new ConfigurationError(`unknown ${what} ${String(given)}; expected one of ${names.join(', ')}`);
}

/** Returns the path of a URL. */
export function pathOf(url: string): string {
  try {
    return new URL(url, 'http://localhost').pathname;
  } catch {
    return '';
  }
}
