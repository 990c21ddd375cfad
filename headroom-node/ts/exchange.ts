import type { Exchange, ExchangeCommand } from '../native/index.js';
import { HeadroomError } from './errors.js';
import { Received, streamOf } from './received.js';

/** A header to set, or to remove where there is no value. */
export interface HeaderChange {
  name: string;
  value?: string | null;
}

/** How one request is sent. */
export interface Host {
  /** Whether the exchange's own work is fast enough for an event loop. */
  isQuick: boolean;
  /** Ends waiting. */
  signal: AbortSignal | null | undefined;
  /** Sends the caller's request as it is. */
  sendOriginal(): Promise<Response>;
  /** Sends the caller's request with another body and headers. */
  send(body: Buffer, headers: readonly HeaderChange[]): Promise<Response>;
}

/**
 * Sends a request, and returns its answer: calls of `headroom_retrieve` are answered here, and the caller gets one answer that shows
 * none of this.
 */
export async function answer(exchange: Exchange, host: Host): Promise<Response> {
  const prepared = host.isQuick ? exchange.prepare() : await exchange.prepareLater();
  if (prepared.kind === 'pass') return host.sendOriginal();
  if (prepared.kind === 'reply') {
    const headers = { 'content-type': 'application/json' };
    return new Response(prepared.body ?? null, { status: prepared.status, headers });
  }
  const carrier = new Carrier(exchange, host, prepared.headers);
  try {
    return await carrier.untilReply();
  } catch (error) {
    await carrier.close();
    throw error;
  }
}

/** Carries out the commands of one exchange, over its responses. */
class Carrier {
  readonly #exchange: Exchange;
  readonly #host: Host;
  readonly #headers: readonly HeaderChange[];
  #current: Received | undefined;
  #kept: Received | undefined;
  #error: unknown;
  #isClosed = false;

  constructor(exchange: Exchange, host: Host, headers: readonly HeaderChange[]) {
    this.#exchange = exchange;
    this.#host = host;
    this.#headers = headers;
  }

  /** Carries out commands up to the answer of the caller. */
  async untilReply(): Promise<Response> {
    for (;;) {
      const command = this.#exchange.poll();
      switch (command.kind) {
        case 'respond':
          return this.#reply(command);
        case 'read':
          await this.#collect(command.limit ?? 0);
          break;
        case 'fail':
        case 'forward':
        case 'done':
        case 'write':
          // Nothing was answered, so there was no response.
          throw this.#error ?? new HeadroomError('the exchange ended without an answer');
        default:
          await this.#carryOut(command);
      }
    }
  }

  /** Frees what is open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#current?.close(), this.#kept?.close()]);
    this.#kept = undefined;
  }

  async #reply({ reply, body }: ExchangeCommand): Promise<Response> {
    let [current, other] = [this.#current, this.#kept];
    if (reply === 'kept' && other) [current, other] = [other, current];
    await other?.close();
    this.#kept = undefined;
    if (!current) throw this.#error ?? new HeadroomError('the exchange answered without a response');
    if (reply === 'stream') {
      const stream = streamOf(
        () => this.#nextPiece(),
        () => this.close(),
      );
      return current.like(stream, without(current.response.headers, 'content-length', 'content-encoding'));
    }
    if (!body) return current.asItCame();
    await current.close();
    const isUnfinished = reply === 'unfinished';
    const names = ['content-length', 'content-encoding', 'transfer-encoding', ...(isUnfinished ? ['etag'] : [])];
    const headers = without(current.response.headers, ...names);
    headers.set('content-length', String(body.length));
    return current.like(body, headers, isUnfinished ? 502 : undefined);
  }

  /** Carries out commands up to the next bytes of the caller's stream; nothing at its end. */
  async #nextPiece(): Promise<Uint8Array | undefined> {
    try {
      // Whoever left the stream is not to cause another round.
      while (!this.#isClosed) {
        const command = this.#exchange.poll();
        switch (command.kind) {
          case 'write':
            if (command.body?.length) return command.body;
            break;
          case 'read':
            await this.#read();
            break;
          case 'forward': {
            const piece = await this.#current?.next();
            if (typeof piece === 'object') return piece;
            if (piece === 'broken' || piece === 'damaged') throw this.#current?.error;
            return undefined;
          }
          case 'done':
          case 'fail':
          case 'respond':
            if (command.kind === 'fail' && this.#error) throw this.#error;
            await this.close();
            return undefined;
          default:
            await this.#carryOut(command);
        }
      }
      return undefined;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Carries out a command to send, wait or work. */
  async #carryOut(command: ExchangeCommand): Promise<void> {
    if (command.kind === 'send') {
      await this.#send(command);
    } else if (command.kind === 'wait') {
      await this.#current?.close();
      await pause(command.seconds ?? 0, this.#host.signal);
      this.#exchange.tell('waited');
    } else if (this.#host.isQuick) {
      this.#exchange.runWork();
    } else {
      await this.#exchange.runWorkLater();
    }
  }

  async #send({ isOriginal, body, keepsResponse }: ExchangeCommand): Promise<void> {
    if (keepsResponse) this.#kept = this.#current;
    else await this.#current?.close();
    this.#current = undefined;
    let response: Response;
    try {
      response = await (isOriginal || !body ? this.#host.sendOriginal() : this.#host.send(body, this.#headers));
    } catch (error) {
      this.#error = error;
      this.#exchange.tell('unreachable');
      return;
    }
    const received = (this.#current = new Received(response));
    if (this.#isClosed) return received.close();
    this.#exchange.head(response.status, received.headers, received.isReadable);
  }

  /** Reads a whole body. */
  async #collect(limit: number): Promise<void> {
    if (!this.#current) return this.#exchange.tell('broken');
    const { pieces, end } = await this.#current.collect(limit);
    if (end === 'broken') this.#error = this.#current.error;
    const data = Buffer.concat(pieces);
    if (data.length > 0) this.#exchange.data(data);
    if (end) this.#exchange.tell(end);
  }

  /** Reads a piece of a stream. */
  async #read(): Promise<void> {
    if (!this.#current) return this.#exchange.tell('broken');
    const piece = await this.#current.next();
    if (this.#isClosed) return;
    if (typeof piece === 'object') return this.#exchange.data(piece);
    if (piece === 'broken') this.#error = this.#current.error;
    this.#exchange.tell(piece);
  }
}

function without(given: Headers, ...names: string[]): Headers {
  const headers = new Headers(given);
  for (const name of names) headers.delete(name);
  return headers;
}

async function pause(seconds: number, signal: AbortSignal | null | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener('abort', end, { once: true });
  });
}
