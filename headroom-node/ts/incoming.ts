import type { Readable } from 'node:stream';

/** A request of Node, whose body was not read yet. */
interface Incoming extends Readable {
  /** Whether all of it came. */
  readonly complete: boolean;
}

/**
 * Returns the whole body of a request, and leaves it in the request, so that the next reader gets it from the first byte on; nothing if it
 * is empty or longer than the limit. Throws what the request fails with.
 *
 * A stream ends when it is asked for more than it has. So what was read is put back in the same moment.
 */
export async function bytesOf(request: Incoming, limit: number): Promise<Buffer | undefined> {
  const isRead = request.readableFlowing || request.readableEncoding;
  if (isRead || request.destroyed || (request.complete && request.readableLength === 0)) return undefined;
  const pieces: Buffer[] = [];
  let size = 0;
  let body = Buffer.alloc(0);
  await new Promise<void>((resolve, reject) => {
    const onReadable = (): void => {
      while (request.readableLength > 0) {
        const piece = request.read() as Buffer | null;
        if (!piece) break;
        pieces.push(piece);
        size += piece.length;
      }
      if (!request.complete && size <= limit) return;
      body = Buffer.concat(pieces);
      if (size > 0) request.unshift(body);
      onEnd();
    };
    const onFailed = (error?: Error): void => {
      end();
      reject(error ?? new Error('the request was closed before its body came'));
    };
    const onClose = (): void => onFailed();
    const onEnd = (): void => {
      end();
      resolve();
    };
    const end = (): void => {
      request.off('readable', onReadable).off('error', onFailed).off('close', onClose).off('end', onEnd);
    };
    request.on('readable', onReadable).on('error', onFailed).on('close', onClose).on('end', onEnd);
  });
  return size > 0 && size <= limit ? body : undefined;
}

/** Puts another body in the place of the one that `bytesOf` has left. */
export function replace(request: Incoming, body: Uint8Array): void {
  request.read();
  request.unshift(body);
}
