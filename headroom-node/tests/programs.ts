/** Programs that tests run: the strict provider, the proxy. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createSocket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository; tests run from `build/tests`. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const SHARED = process.env['HEADROOM_SHARED'] ?? join(ROOT, '../shared');
export const PROGRAM = process.env['HEADROOM_PROGRAM'] ?? join(ROOT, 'target/debug/headroom');

/** A Python that can run the strict provider. */
const python = (): string | undefined =>
  [process.env['PYTHON'], join(ROOT, 'target/python/bin/python'), 'python3'].find(
    (python) => python && spawnSync(python, ['-c', 'import aiohttp']).status === 0,
  );

/** Says what is left out, for the list at the end of `.ci/run`. */
export function missing(what: string): string {
  console.log(`skipped: the Node package: ${what}`);
  return what;
}

export const STRICT = join(SHARED, 'mock/strict_anthropic.py');
/** What `skip` of a test is that needs the program. */
export const noProgram = (): string | false =>
  !existsSync(PROGRAM) && missing('needs the program headroom, which HEADROOM_PROGRAM names');
/** What `skip` of a test is that needs the strict provider. */
export const noStrict = (): string | false =>
  !(python() && existsSync(STRICT)) && missing('the strict provider needs Python with aiohttp, and HEADROOM_SHARED');

export async function freePort(): Promise<number> {
  const socket = createSocket();
  await new Promise<void>((resolve) => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as AddressInfo;
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const is = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => (socket.end(), resolve(true)));
      socket.on('error', () => resolve(false));
    });
    if (is) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens at ${port}`);
}

/** Runs a program that listens at a port while the work lasts. */
async function running<T>(program: ChildProcess, port: number, work: (url: string) => Promise<T>): Promise<T> {
  const ended = new Promise((resolve) => program.once('exit', resolve));
  try {
    await listening(port);
    return await work(`http://127.0.0.1:${port}`);
  } finally {
    program.kill();
    await ended;
  }
}

/** A folder while the work lasts. */
export async function inFolder<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'headroom-'));
  try {
    return await work(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

/** Runs the provider that enforces the rules of Anthropic's, which logs to this file. */
export async function strictProvider<T>(lines: string, work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const program = spawn(python() as string, [STRICT, String(port), lines, '--steps', '3'], { stdio: 'inherit' });
  return running(program, port, work);
}

/** Runs `headroom proxy` with its folder at `home`. */
export async function proxy<T>(home: string, upstream: string, work: (url: string) => Promise<T>): Promise<T> {
  const port = await freePort();
  const upstreams = ['anthropic', 'openai', 'gemini'].flatMap((name) => [`--${name}-upstream`, upstream]);
  const args = ['proxy', '--listen', `127.0.0.1:${port}`, '--store', 'memory', ...upstreams];
  const env = { ...process.env, HOME: home, HEADROOM_HOME: home };
  return running(spawn(PROGRAM, args, { env, stdio: 'ignore' }), port, work);
}

/** Passes requests on, and records their bodies. */
export async function relay<T>(url: string, work: (url: string, bodies: string[]) => Promise<T>): Promise<T> {
  const bodies: string[] = [];
  const server: Server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    bodies.push(body);
    const answer = await fetch(url + request.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
