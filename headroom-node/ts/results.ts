import type { BlockReport, MessagesOutcome, Report } from '../native/index.js';
import { rebuild, type UnreadableMessage } from './rebuild.js';

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

/** @internal Puts what changed into copies of the messages: `list` as the caller has it, `given` as it was when it was read. */
export function messagesResult<Message>(
  list: Message[],
  given: Message[],
  outcome: MessagesOutcome,
  unreadable: UnreadableMessage[],
): CompressResult<Message> {
  const edits = outcome.takeEdits();
  const { messages, failed } = rebuild(given, edits, (index) => outcome.message(index));
  const left = failed.reduce((sum, { index }) => sum + outcome.savedTokens(index), 0);
  const tokensSaved = Math.max(outcome.tokensSaved - left, 0);
  const compressed = edits.length > 0 && messages.some((message, index) => message !== given[index]);
  const { originals } = outcome;
  return {
    messages: compressed ? messages : list,
    // Counted when they are first asked for, where a thread did not do it.
    get tokensBefore() {
      return outcome.tokensBefore;
    },
    get tokensAfter() {
      return outcome.tokensBefore - tokensSaved;
    },
    get compressionRatio() {
      return tokensSaved === 0 ? 0 : tokensSaved / outcome.tokensBefore;
    },
    tokensSaved,
    transformsApplied: outcome.transforms,
    compressed,
    originals,
    ccrHashes: originals,
    reason: outcome.reason ?? null,
    storeFailed: outcome.storeFailed,
    unreadable: [...unreadable, ...failed].sort((a, b) => a.index - b.index),
    get report() {
      return outcome.report;
    },
  };
}
