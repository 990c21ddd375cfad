import type { BlockReport, Report } from '../native/index.js';
import type { UnreadableMessage } from './rebuild.js';

export type { BlockReport, Report, UnreadableMessage };

/** What every result tells. */
export interface Outcome {
  /** Tokens that the edits saved. */
  tokensSaved: number;
  /** Handles of the originals that the markers name. They are stored. */
  originals: string[];
  /** Whether the store failed, so that something may have been left in full. */
  storeFailed: boolean;
}

/** The result of compressing messages. */
export interface CompressResult<Message = unknown> extends Outcome {
  /** The messages to send: the given array if nothing changed. Messages without changes are the same objects. */
  messages: Message[];
  /** Tokens of the texts in the given messages. */
  tokensBefore: number;
  /** Tokens of the texts in the resulting messages. */
  tokensAfter: number;
  /** The share of the tokens that was saved: 0 is nothing. */
  compressionRatio: number;
  /** The kinds of edits that were made, each once. */
  transformsApplied: string[];
  /** Whether anything changed. */
  compressed: boolean;
  /** The same as `originals`, under the name that headroom-ai has for it. */
  ccrHashes: string[];
  /** Why nothing was edited, if nothing was. */
  reason: string | null;
  /** Messages that pass as they are because they could not be read or copied. */
  unreadable: UnreadableMessage[];
  /** What the engine looked at and did. */
  report: Report;
}

/** The result of compressing the body of a request. */
export interface RequestResult<Body extends string | Uint8Array = string | Uint8Array> extends Outcome {
  /** The body to send: the given one if nothing changed. */
  body: Body;
  /** Why nothing was edited, if nothing was. */
  reason: string | null;
  /** What the engine looked at and did. */
  report: Report;
}

/** The result of compressing one piece of content. */
export interface TextResult extends Outcome {
  /** The text to use: the given one if nothing changed. */
  text: string;
  /** Tokens of the given text. */
  tokensBefore: number;
  /** Tokens of the resulting text. */
  tokensAfter: number;
  /** What was done, or why nothing was done. */
  report: BlockReport;
}
