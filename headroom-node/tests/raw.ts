/** A provider that takes any request, and records its bytes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RawProvider {
  url: string;
  bodies: string[];
  paths: string[];
}

/** Runs the provider while the work lasts. */
export async function raw<T>(work: (provider: RawProvider) => Promise<T>): Promise<T> {
  const provider: RawProvider = { url: '', bodies: [], paths: [] };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    provider.bodies.push(Buffer.concat(pieces).toString());
    provider.paths.push((request.url ?? '').split('?')[0] ?? '');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"id":"b","object":"batch"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await work(provider);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
