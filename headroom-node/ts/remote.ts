import { ConfigurationError, HeadroomError, StoreError, checkOptions } from './errors.js';
import { rebuild, type TextEdit } from './rebuild.js';
import type { CompressResult, Report, UnreadableMessage } from './results.js';
import { apiOf, isRecord, listName, type ApiName } from './shape.js';

export { ConfigurationError, HeadroomError, StoreError };
export type { ApiName, CompressResult, Report, UnreadableMessage };

/** How `headroom proxy` is reached. */
export interface RemoteOptions {
  /** The address of `headroom proxy`. Default: `HEADROOM_BASE_URL`, else `http://127.0.0.1:8787`. */
  baseUrl?: string;
  /** The token in the file `token` of the proxy's folder. Default: `HEADROOM_TOKEN`. */
  token?: string;
  /** Seconds to wait for an answer. Default: 30. */
  timeout?: number;
  /** What sends requests. */
  fetch?: typeof globalThis.fetch;
}

/** What a request has besides its messages, and how the proxy is reached. */
export interface RemoteCompressOptions extends RemoteOptions {
  /** The model that will read the messages. */
  model?: string;
  /** The tools of the request. Parts are left out only if they have `headroom_retrieve`. */
  tools?: readonly unknown[];
  /** The tool choice of the request. */
  toolChoice?: unknown;
  /** The format of the messages; told from their shape by default. */
  api?: ApiName;
}

/** The part of an original that is wanted. */
export interface RemotePart {
  lines?: string;
  rows?: string;
  path?: string;
  query?: string;
}

const REMOTE = ['baseUrl', 'token', 'timeout', 'fetch'];

/** The answer of the proxy. */
interface Answer {
  messages?: unknown[];
  input?: unknown[];
  contents?: unknown[];
  tokens_before: number;
  tokens_after: number;
  tokens_saved: number;
  reason?: string;
  report?: { blocks?: { action?: unknown }[] } & Record<string, unknown>;
}

/** Sends requests to a running `headroom proxy`. */
export class RemoteEngine {
  readonly #baseUrl: string;
  readonly #token: string | undefined;
  readonly #timeout: number;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: RemoteOptions = {}) {
    checkOptions(options, REMOTE);
    this.#baseUrl = (options.baseUrl ?? environment('HEADROOM_BASE_URL') ?? 'http://127.0.0.1:8787').replace(/\/+$/, '');
    if (!/^https?:\/\//.test(this.#baseUrl)) throw new ConfigurationError('baseUrl: expected http://HOST:PORT');
    this.#token = options.token ?? environment('HEADROOM_TOKEN');
    this.#timeout = (options.timeout ?? 30) * 1000;
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /**
   * Compresses the messages of a request. Only texts of tool results change, in copies of the messages that hold them; all others are
   * the same objects. If the proxy does not answer, the messages are the given ones, and `reason` says why.
   */
  async compress<Message>(
    messages: readonly Message[],
    options: Omit<RemoteCompressOptions, keyof RemoteOptions> = {},
  ): Promise<RemoteResult<Message>> {
    if (!Array.isArray(messages)) throw new TypeError('messages: expected an array');
    checkOptions(options, ['model', 'tools', 'toolChoice', 'api']);
    const { model = '', tools, toolChoice, api = apiOf(messages) } = options;
    const given = messages.slice() as Message[];
    const list = listName(api);
    const choice = api === 'gemini' ? { toolConfig: toolChoice } : { tool_choice: toolChoice };
    let body: string;
    try {
      body = JSON.stringify({ model, tools, ...choice, [list]: given });
    } catch {
      return unchanged(messages as Message[], 'the messages cannot be written as JSON');
    }
    try {
      const headers = { 'content-type': 'application/json' };
      const response = await this.#send('/v1/compress', { method: 'POST', headers, body });
      if (!response.ok) return unchanged(messages as Message[], `the proxy answered with status ${response.status}`);
      const answer = (await response.json()) as Answer;
      const sent = (JSON.parse(body) as Answer)[list];
      return resultOf(messages as Message[], given, answer, [sent, answer[list]]);
    } catch {
      return unchanged(messages as Message[], 'the proxy cannot be reached');
    }
  }

  /** Returns what a marker stands for, or a part of it. Throws `StoreError` if the proxy cannot answer or has none. */
  async retrieve(handle: string, part: RemotePart = {}): Promise<string> {
    const query = new URLSearchParams(Object.entries(part) as [string, string][]).toString();
    const path = `/v1/retrieve/${encodeURIComponent(handle)}${query && `?${query}`}`;
    let response: Response;
    try {
      response = await this.#send(path, {});
    } catch {
      throw new StoreError('the proxy cannot be reached');
    }
    if (!response.ok) throw new StoreError(`the proxy answered with status ${response.status}`);
    return ((await response.json()) as { text: string }).text;
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token) headers.set('authorization', `Bearer ${this.#token}`);
    return this.#fetch(this.#baseUrl + path, { ...init, headers, signal: AbortSignal.timeout(this.#timeout) });
  }
}

/** The result of compressing messages by the proxy. Tokens are those of the tool results. */
export type RemoteResult<Message> = Omit<CompressResult<Message>, 'originals' | 'ccrHashes' | 'storeFailed' | 'report'> & {
  /** What the proxy's engine looked at and did, as it writes it. */
  report: Record<string, unknown> | null;
};

/** Compresses the messages of a request by a running `headroom proxy`; see `RemoteEngine.compress`. */
export async function compress<Message>(
  messages: readonly Message[],
  options: RemoteCompressOptions = {},
): Promise<RemoteResult<Message>> {
  const { baseUrl, token, timeout, fetch, ...rest } = options;
  return remote({ baseUrl, token, timeout, fetch }).compress(messages, rest);
}

/** Returns what a marker stands for, or a part of it; see `RemoteEngine.retrieve`. */
export async function retrieve(handle: string, options: RemotePart & RemoteOptions = {}): Promise<string> {
  const { baseUrl, token, timeout, fetch, ...part } = options;
  return remote({ baseUrl, token, timeout, fetch }).retrieve(handle, part);
}

function remote(options: { [Name in keyof RemoteOptions]: RemoteOptions[Name] | undefined }): RemoteEngine {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return new RemoteEngine(Object.fromEntries(given));
}

function resultOf<Message>(
  list: Message[],
  given: Message[],
  answer: Answer,
  [sent, made]: [sent: unknown, made: unknown[] | undefined],
): RemoteResult<Message> {
  const edits: TextEdit[] = [];
  if (!Array.isArray(made) || !collect(sent, made, [], edits)) return unchanged(list, 'the answer of the proxy does not fit the messages');
  const { messages, failed } = rebuild(given, edits, (index) => JSON.stringify(made[index]));
  const compressed = edits.length > failed.length;
  const { tokens_before: tokensBefore, tokens_after: tokensAfter, tokens_saved: tokensSaved } = answer;
  return {
    messages: compressed ? messages : list,
    tokensBefore,
    tokensAfter,
    tokensSaved,
    compressionRatio: tokensBefore === 0 ? 0 : tokensSaved / tokensBefore,
    transformsApplied: transformsOf(answer),
    compressed,
    reason: answer.reason ?? null,
    unreadable: failed,
    report: answer.report ?? null,
  };
}

/** Collects the texts that differ between two values of JSON. Returns whether nothing else does. */
function collect(sent: unknown, made: unknown, path: (string | number)[], edits: TextEdit[]): boolean {
  if (typeof sent === 'string' && typeof made === 'string') {
    if (sent !== made) edits.push({ path, before: sent, after: made });
    return true;
  }
  if (Array.isArray(sent) && Array.isArray(made)) {
    return sent.length === made.length && sent.every((item, index) => collect(item, made[index], [...path, index], edits));
  }
  if (!isRecord(sent) || !isRecord(made)) return sent === made;
  const names = Object.keys(sent);
  const isSame = names.length === Object.keys(made).length && names.every((name) => Object.hasOwn(made, name));
  return isSame && names.every((name) => collect(sent[name], made[name], [...path, name], edits));
}

function transformsOf({ report }: Answer): string[] {
  const found = new Set<string>();
  for (const { action } of report?.blocks ?? []) {
    const edited = isRecord(action) && Array.isArray(action['edited']) ? (action['edited'] as unknown[]) : [];
    for (const name of edited) found.add(String(name));
  }
  return [...found].sort();
}

function unchanged<Message>(messages: Message[], reason: string): RemoteResult<Message> {
  return {
    messages,
    tokensBefore: 0,
    tokensAfter: 0,
    tokensSaved: 0,
    compressionRatio: 0,
    transformsApplied: [],
    compressed: false,
    reason,
    unreadable: [],
    report: null,
  };
}

/** Edge runtimes may have no `process`. */
function environment(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}
