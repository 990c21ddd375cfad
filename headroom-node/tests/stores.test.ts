/** Where originals are, and how they come back. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import {
  Engine,
  FolderStore,
  headroomRetrieve,
  headroomTools,
  HeadroomError,
  MemoryStore,
  RedisStore,
  retrieve,
  retrieveTool,
  Store,
  StoreError,
  compress,
} from 'headroom-rs';

import { conversation, log } from './conversations.js';

const TOOLS = [retrieveTool('openai')];

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'headroom-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test('a folder is shared by processes', async (t) => {
  const path = folder(t);
  const { originals } = await new Engine({ store: new FolderStore(path) }).compress(conversation('openai', log()), { tools: TOOLS });
  const program = `import { FolderStore } from 'headroom-rs';
    process.stdout.write(await new FolderStore(process.argv[1]).get(process.argv[2]));`;
  const run = execFileSync(process.execPath, ['--input-type=module', '-e', program, path, originals[0] as string]);
  assert.equal(run.toString(), log());
});

test('the default folder is that of the program', () => {
  const program = `import { FolderStore } from 'headroom-rs'; console.log(new FolderStore().path)`;
  const path = (env: NodeJS.ProcessEnv) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', program], { env, encoding: 'utf8' });
  assert.equal(path({ HEADROOM_HOME: '/a/own', HOME: '/b' }).stdout, '/a/own\n');
  assert.equal(path({ XDG_DATA_HOME: '/a', HOME: '/b' }).stdout, '/a/headroom\n');
  assert.equal(path({ HOME: '/b' }).stdout, '/b/.headroom\n');
  assert.match(path({}).stderr, /ConfigurationError: there is no HOME; give FolderStore a path/);
});

test('the owner of a folder finds what every tenant stored', async (t) => {
  const store = new FolderStore(folder(t));
  const handle = await store.put('a text\n', { tenant: 'credential-1' });
  assert.deepEqual([await store.get(handle), await store.find(handle)], [null, 'a text\n']);
  assert.deepEqual([await store.find('no handle'), await store.get('no handle')], [null, null]);
});

for (const isBlocked of [true, false]) {
  test(`a store that fails leaves everything in, and nothing throws: ${isBlocked}`, async (t) => {
    const path = join(folder(t), 'file');
    if (isBlocked) writeFileSync(path, 'not a folder');
    const engine = new Engine({ store: new FolderStore(path) });
    const messages = conversation('openai', log());
    const result = await engine.compress(messages, { tools: TOOLS });
    assert.equal(result.storeFailed, isBlocked);
    assert.equal(result.originals.length === 0, isBlocked);
    assert.equal(JSON.stringify(result.messages).includes('[headroom:'), !isBlocked);
    if (isBlocked) {
      await assert.rejects(engine.retrieve('aaaaaaaaaaaaaaaa'), (error: Error) => {
        assert.ok(error instanceof StoreError && error instanceof HeadroomError);
        return !error.message.includes('served');
      });
      rmSync(path);
      const later = await engine.compress(messages, { tools: TOOLS });
      assert.deepEqual(later.messages, result.messages, 'what was sent stays the same when the store works again');
    }
  });
}

test('a store that is too small counts as failed', async () => {
  const engine = new Engine({ store: new MemoryStore({ capacity: 1000 }) });
  const result = await engine.compress(conversation('openai', log()), { tools: TOOLS });
  assert.deepEqual([result.storeFailed, result.originals], [true, []]);
});

test('stores refuse settings that mean nothing', () => {
  for (const make of [
    () => new MemoryStore({ timeToIdle: -1 }),
    () => new MemoryStore({ capacity: Number.NaN }),
    () => new RedisStore('http://localhost'),
    () => new RedisStore('redis://localhost', { timeout: Number.NaN }),
  ]) {
    assert.throws(make, { name: 'ConfigurationError' });
  }
  assert.throws(() => new MemoryStore({ size: 1 } as object), TypeError);
});

test('originals are shared over Redis', async (t) => {
  if (spawnSync('redis-server', ['--version']).error) {
    console.log('skipped: the Node package: redis-server is not installed');
    return t.skip('needs redis-server');
  }
  const port = await freePort();
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], { stdio: 'ignore' });
  t.after(() => server.kill());
  const store = (): Store => new RedisStore(`redis://127.0.0.1:${port}`, { timeout: 2 });
  const [messages, engine] = [conversation('openai', log()), new Engine({ store: store() })];
  let originals: string[] = [];
  for (let attempt = 0; attempt < 50 && originals.length === 0; attempt++) {
    // The server starts meanwhile; an engine that saw it fail leaves this text whole from then on.
    originals = (await new Engine({ store: store() }).compress(messages, { tools: TOOLS })).originals;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await store().get(originals[0] as string), log());
  assert.match(await engine.retrieve(originals[0] as string, { lines: '1-2' }), /served request 0 /);
});

test('a marker is redeemed whole or in part, in the words of the tool', async () => {
  const { originals } = await compress(conversation('openai', log()), { tools: TOOLS });
  const [hash] = originals as [string];
  assert.match(await retrieve(hash, { lines: '143' }), /served request 142 in/);
  assert.match(await retrieve(hash, { query: 'request 77 ' }), /served request 77 /);
  assert.equal(await headroomRetrieve({ hash, lines: '143' }), await retrieve(hash, { lines: '143' }));
  assert.equal(await headroomRetrieve(JSON.stringify({ hash, lines: '143' })), await retrieve(hash, { lines: '143' }));
  const tool = headroomTools().headroom_retrieve;
  assert.equal(await tool.execute({ hash, lines: '143' }), await retrieve(hash, { lines: '143' }));
  assert.equal(typeof (await retrieve('aaaaaaaaaaaaaaaa')), 'string', 'an unknown handle gets plain words');
  for (const odd of ['', 'not json', '[]', '{}', '{"hash":7}']) assert.equal(typeof (await headroomRetrieve(odd)), 'string');
});

test('the definition of the tool is the one of each API', () => {
  const names = (['anthropic', 'openai', 'responses', 'gemini', 'converse'] as const).map((api) => JSON.stringify(retrieveTool(api)));
  assert.equal(new Set(names).size, 5);
  assert.ok(names.every((name) => name.includes('headroom_retrieve')));
  assert.throws(() => retrieveTool('other' as never), { name: 'ConfigurationError' });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
