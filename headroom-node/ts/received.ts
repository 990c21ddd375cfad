/** How a body ended: it is whole, the connection broke off, or its content encoding is damaged. */
export type BodyEnd = 'end' | 'broken' | 'damaged';

/** The content encodings that every `fetch` decodes by itself. */
const DECODED = ['', 'identity', 'gzip', 'x-gzip', 'deflate', 'br'];

/** A response of the provider, which is read piece by piece. */
export class Received {
  readonly response: Response;
  /** Why reading failed. */
  error: unknown;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #read: Uint8Array[] = [];

  constructor(response: Response) {
    this.response = response;
  }

  /** Whether its body comes without its content encoding. */
  get isReadable(): boolean {
    const encodings = (this.response.headers.get('content-encoding') ?? '').toLowerCase().split(',');
    return encodings.every((name) => DECODED.includes(name.trim()));
  }

  get headers(): [string, string][] {
    return [...this.response.headers];
  }

  /** Returns the next bytes, or how the body ended. */
  async next(): Promise<Uint8Array | BodyEnd> {
    try {
      for (;;) {
        this.#reader ??= this.response.body?.getReader();
        const piece = await this.#reader?.read();
        if (!piece || piece.done) return 'end';
        if (piece.value.length > 0) return piece.value;
      }
    } catch (error) {
      this.error = error;
      return isDamage(error) ? 'damaged' : 'broken';
    }
  }

  /** Reads the body, and keeps it. Returns no end if it is longer than the limit. */
  async collect(limit: number): Promise<{ pieces: Uint8Array[]; end?: BodyEnd }> {
    let size = 0;
    for (;;) {
      const piece = await this.next();
      if (typeof piece === 'string') return { pieces: piece === 'end' ? this.#read : [], end: piece };
      this.#read.push(piece);
      size += piece.length;
      if (size > limit) return { pieces: this.#read };
    }
  }

  /** Returns the response with its body from the first byte on. */
  asItCame(): Response {
    if (!this.#reader) return this.response;
    const pieces = [...this.#read];
    const { error } = this;
    return this.like(
      streamOf(
        async () => {
          const piece = pieces.shift();
          if (piece) return piece;
          if (error) throw error;
          const next = await this.next();
          if (next === 'broken' || next === 'damaged') throw this.error;
          return next === 'end' ? undefined : next;
        },
        () => this.close(),
      ),
      this.response.headers,
    );
  }

  /** Returns a response like this one with another body. */
  like(body: ReadableStream<Uint8Array> | Uint8Array | null, headers: Headers, status = this.response.status): Response {
    const given = this.response;
    const statusText = status === given.status ? given.statusText : '';
    const made = new Response(isBodiless(status) ? null : body, { status, statusText, headers });
    // Those that a constructor cannot set.
    for (const name of ['url', 'redirected', 'type'] as const) {
      Object.defineProperty(made, name, { value: given[name], configurable: true });
    }
    return made;
  }

  /** Frees the connection. */
  async close(): Promise<void> {
    try {
      await (this.#reader ? this.#reader.cancel() : this.response.body?.cancel());
    } catch {
      // It is closed, or was never open.
    }
  }
}

/** Returns a stream that asks for bytes when it is read, and holds none. */
export function streamOf(
  next: () => Promise<Uint8Array | undefined>,
  close: () => Promise<void>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = await next();
        if (piece) controller.enqueue(piece);
        else controller.close();
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Whether reading failed because of the bytes, not of the connection. */
function isDamage(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string' && /^(Z_|ERR__ERROR_FORMAT|ERR_.*BROTLI)/.test(code)) return true;
  }
  return false;
}
