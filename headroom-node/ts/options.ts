import type { ApiName } from './shape.js';
import type { Store } from './stores.js';

/**
 * How far edits may go. Each includes the ones before it: renderings that can be read and reversed from the output itself;
 * references to lines of an earlier result in the same request; parts replaced by a marker, if the model can retrieve them.
 */
export type Tier = 'lossless' | 'dedup' | 'recoverable';

/**
 * How the model retrieves content that a marker replaces: your program runs the tool `headroom_retrieve`, which counts as `off` for
 * requests whose tools lack it; or not at all, so that nothing is left out.
 */
export type Retrieval = 'client-tool' | 'off';

/** Settings of one call, in place of the engine's. */
export interface CallOptions {
  tier?: Tier;
  retrieval?: Retrieval;
  /** Whose originals these are. */
  tenant?: string;
}

/** What a request has besides its messages, and settings. */
export interface CompressOptions extends CallOptions {
  /** The model that will read the messages. */
  model?: string;
  /** The tools of the request. Parts are left out only if they have `headroom_retrieve`. */
  tools?: readonly unknown[];
  /** The tool choice of the request. */
  toolChoice?: unknown;
  /** The format of the messages; told from their shape by default. */
  api?: ApiName;
}

/** How a body is read, and settings. */
export interface RequestOptions extends CallOptions {
  api?: ApiName;
  /** The path of the URL, which tells the format. */
  path?: string;
}

/** Where a text is from, and settings. */
export interface TextOptions extends CallOptions {
  /** The tool that returned it. */
  tool?: string;
  /** The arguments of its call. */
  arguments?: string | Record<string, unknown>;
  /** What the user asked: lines that match stay. */
  query?: string;
  /** The model that will read it. */
  model?: string;
}

/** The part of an original that is wanted. */
export interface RetrievePart {
  /** A range such as `120-180`. */
  lines?: string;
  /** A range of records. */
  rows?: string;
  /** The way to a JSON value, such as `logs[3].message`. */
  path?: string;
  /** Words or a regular expression. */
  query?: string;
}

/** Arguments of a call of `headroom_retrieve`. */
export interface RetrieveArguments extends RetrievePart {
  /** The handle that the marker names. */
  hash: string;
}

/** Settings of an engine. */
export interface EngineOptions extends CallOptions {
  /** Keeps what markers stand for; by default the memory of this process. */
  store?: Store;
  /** Length in bytes above which requests pass as they are. Default: 64 MiB. */
  maxBody?: number;
  /** Size of the cache in bytes. It makes the next request of a growing conversation cheap, and changes no output. */
  cacheCapacity?: number;
}
