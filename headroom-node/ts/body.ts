import { native } from './native.js';
import type { UnreadableMessage } from './rebuild.js';
import { listName, type ApiName } from './shape.js';

/** Characters that are handed over at once: about a tenth of a millisecond. */
const PIECE = 1 << 17;
/** Milliseconds after which other work of the event loop gets its turn. */
const SLICE = 2;

/** What a request has besides its messages. */
export interface RequestHead {
  model: string;
  tools: readonly unknown[] | undefined;
  toolChoice: unknown;
}

/** Hands a body over in pieces, and lets the event loop go on in between. */
class Pusher {
  readonly body = new native.RequestBody();
  #pending = '';
  #start = performance.now();

  add(piece: string): void {
    this.#pending += piece;
    if (this.#pending.length >= PIECE) this.flush();
  }

  flush(): void {
    if (this.#pending) this.body.push(this.#pending);
    this.#pending = '';
  }

  /** Whether the event loop was held for long enough. */
  get isDue(): boolean {
    return performance.now() - this.#start > SLICE;
  }

  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#start = performance.now();
  }
}

/** Returns a text as a body. */
export async function textBody(text: string): Promise<native.RequestBody> {
  const pusher = new Pusher();
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + PIECE, text.length);
    // A character of two halves must not be cut.
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end += 1;
    pusher.body.push(text.slice(at, end));
    at = end;
    if (pusher.isDue) await pusher.rest();
  }
  return pusher.body;
}

/** Returns bytes as a body. */
export async function bytesBody(bytes: Uint8Array): Promise<native.RequestBody> {
  const pusher = new Pusher();
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    pusher.body.pushBytes(bytes.subarray(at, at + (1 << 20)));
    if (pusher.isDue) await pusher.rest();
  }
  return pusher.body;
}

/**
 * Writes messages as the body that an SDK would send: as `JSON.stringify` does, one message after the other. A message that cannot be
 * written leaves `null` in its place.
 */
export async function messagesBody(
  messages: readonly unknown[],
  head: RequestHead,
  api: ApiName,
): Promise<{ body: native.RequestBody; unreadable: UnreadableMessage[] }> {
  const pusher = new Pusher();
  const unreadable: UnreadableMessage[] = [];
  pusher.add(headOf(head, api));
  pusher.flush();
  pusher.body.beginMessages();
  let separator = '[';
  for (const [index, message] of messages.entries()) {
    let json = 'null';
    try {
      // `undefined` in a list is written as `null`.
      json = (JSON.stringify(message) as string | undefined) ?? 'null';
    } catch (error) {
      unreadable.push({ index, reason: `JSON.stringify threw ${error instanceof Error ? error.name : 'a value'}` });
    }
    pusher.add(separator + json);
    separator = ',';
    if (pusher.isDue) await pusher.rest();
  }
  pusher.add(messages.length ? ']}' : '[]}');
  pusher.flush();
  return { body: pusher.body, unreadable };
}

/** Returns the text before the list of messages. */
function headOf({ model, tools, toolChoice }: RequestHead, api: ApiName): string {
  const isConverse = api === 'converse';
  let head = `{"${isConverse ? 'modelId' : 'model'}":${JSON.stringify(model)}`;
  if (tools) {
    const list = `[${tools.map(jsonOrNull).join(',')}]`;
    head += isConverse ? `,"toolConfig":{"tools":${list}}` : `,"tools":${list}`;
  }
  if (toolChoice != null && !isConverse) {
    head += `,"${api === 'gemini' ? 'toolConfig' : 'tool_choice'}":${jsonOrNull(toolChoice)}`;
  }
  return `${head},"${listName(api)}":`;
}

function jsonOrNull(value: unknown): string {
  try {
    return (JSON.stringify(value) as string | undefined) ?? 'null';
  } catch {
    return 'null';
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
