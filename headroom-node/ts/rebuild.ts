/** A string of the messages that is to be another. The first key of the path is the message. */
export interface TextEdit {
  path: ReadonlyArray<string | number>;
  before: string;
  after: string;
}

/** A message that passes as it is, and why. */
export interface UnreadableMessage {
  index: number;
  reason: string;
}

/** Messages with new texts, and those that could not be copied. */
export interface Rebuilt<Message> {
  messages: Message[];
  failed: UnreadableMessage[];
}

/**
 * Returns the messages with these texts. Only the containers around a text that changes are copies: everything else is the same
 * object. `expected` is what a message is to be as JSON, for objects of classes, whose copies may write themselves otherwise.
 */
export function rebuild<Message>(
  messages: readonly Message[],
  edits: readonly TextEdit[],
  expected?: (index: number) => string | null,
): Rebuilt<Message> {
  const made = messages.slice();
  const failed: UnreadableMessage[] = [];
  for (const [index, own] of byMessage(edits)) {
    try {
      const copies = new Copies();
      const message = own.reduce((message, edit) => copies.replace(message, edit, 1), messages[index] as unknown);
      if (copies.hasClasses && expected && JSON.stringify(message) !== expected(index)) throw new Error(CANNOT_COPY);
      made[index] = message as Message;
    } catch (error) {
      failed.push({ index, reason: error instanceof Stale ? CHANGED : CANNOT_COPY });
    }
  }
  return { messages: made, failed };
}

const CHANGED = 'the message was changed while it was compressed';
const CANNOT_COPY = 'a copy with another text cannot be made';

class Stale extends Error {}

/** Copies of the containers of one message. */
class Copies {
  readonly #made = new Set<unknown>();
  /** Whether one of them is the object of a class. */
  hasClasses = false;

  /** Returns the value with the text replaced to which the rest of the path leads. */
  replace(value: unknown, edit: TextEdit, depth: number): unknown {
    const key = edit.path[depth];
    if (key === undefined) {
      // The caller may change the message while the engine works on the text that it was.
      if (value !== edit.before) throw new Stale();
      return edit.after;
    }
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) throw new Stale();
    const inner = this.replace((value as Record<string | number, unknown>)[key], edit, depth + 1);
    const copy = this.#made.has(value) ? value : this.#copy(value);
    Object.defineProperty(copy, key, { value: inner, writable: true, enumerable: true, configurable: true });
    return copy;
  }

  #copy(value: object): object {
    const prototype: unknown = Object.getPrototypeOf(value);
    let copy: object;
    if (Array.isArray(value)) {
      copy = value.slice();
    } else if (prototype === Object.prototype) {
      copy = { ...value };
    } else {
      this.hasClasses ||= prototype !== null;
      const members = Object.getOwnPropertyDescriptors(value);
      for (const member of Object.values(members)) member.configurable = true;
      copy = Object.create(prototype as object | null, members) as object;
    }
    this.#made.add(copy);
    return copy;
  }
}

function byMessage(edits: readonly TextEdit[]): Map<number, TextEdit[]> {
  const found = new Map<number, TextEdit[]>();
  for (const edit of edits) {
    const index = Number(edit.path[0]);
    const own = found.get(index);
    if (own) own.push(edit);
    else found.set(index, [edit]);
  }
  return found;
}
