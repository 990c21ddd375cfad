/** The package itself: what is published, generated files, imports. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { generateTypeDef, writeJsBinding } from '@napi-rs/cli';
import * as headroom from 'headroom-rs';
import { publint } from 'publint';

import { missing, ROOT } from './programs.js';

const PACKAGE = join(ROOT, 'headroom-node');
const TYPES = process.env['HEADROOM_NODE_TYPES'] ?? join(ROOT, 'target/debug/headroom-node-types');
const noTypes = existsSync(join(TYPES, 'headroom-node')) ? false : missing('HEADROOM_NODE_TYPES names no types of a build');
const read = (path: string): string => readFileSync(join(PACKAGE, path), 'utf8');
const manifest = JSON.parse(read('package.json')) as Record<string, any>;

test('the loader and the types of the addon are those that its source makes', { skip: noTypes }, async () => {
  const { exports, dts } = await generateTypeDef({ typeDefDir: TYPES, cwd: PACKAGE });
  const folder = mkdtempSync(join(tmpdir(), 'headroom-'));
  try {
    await writeJsBinding({
      platform: true,
      format: 'esm',
      idents: exports,
      binaryName: manifest['napi'].binaryName,
      packageName: manifest['napi'].packageName,
      version: manifest['version'],
      outputDir: folder,
    } as Parameters<typeof writeJsBinding>[0]);
    const loader = readFileSync(join(folder, 'index.js'), 'utf8');
    const hint = 'run: node build/tests/generate.js';
    assert.equal(read('native/index.d.ts'), dts, hint);
    assert.equal(read('native/index.js'), loader, hint);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('publint has nothing to say', async () => {
  const { messages } = await publint({ pkgDir: PACKAGE, strict: true });
  assert.deepEqual(messages.filter(({ code }) => code !== 'USE_TYPE'), []);
});

test('Are the types wrong says no', () => {
  const attw = join(PACKAGE, 'node_modules/.bin/attw');
  execFileSync(attw, ['--pack', '.', '--profile', 'esm-only', '--format', 'ascii'], { cwd: PACKAGE, encoding: 'utf8' });
});

test('it needs nothing at run time, and imports nothing but itself', () => {
  assert.equal(manifest['dependencies'], undefined);
  const { peerDependencies, peerDependenciesMeta } = manifest;
  for (const name of Object.keys(peerDependencies as object)) assert.equal(peerDependenciesMeta[name].optional, true);
  const names = Object.keys(manifest['devDependencies'] as object).join('|');
  const program = `import 'headroom-rs'; import 'headroom-rs/vercel-ai'; import 'headroom-rs/gemini';`;
  const trace = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: PACKAGE,
    env: { ...process.env, NODE_DEBUG: 'esm' },
    stdio: 'pipe',
    encoding: 'utf8',
  });
  assert.doesNotMatch(trace, new RegExp(`node_modules/(${names})`));
});

test('what is published works where it is installed: the package and that of a platform', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-'));
  const run = (cwd: string, command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    run(PACKAGE, join(PACKAGE, 'node_modules/.bin/napi'), 'create-npm-dirs', '--npm-dir', 'build/npm');
    const addon = readdirSync(join(PACKAGE, 'native')).find((name) => name.endsWith('.node')) as string;
    const platform = addon.split('.')[1] as string;
    copyFileSync(join(PACKAGE, 'native', addon), join(PACKAGE, 'build/npm', platform, addon));
    const packed = run(folder, 'npm', 'pack', '--silent', PACKAGE, join(PACKAGE, 'build/npm', platform)).trim().split('\n');
    assert.deepEqual(packed.map((name) => name.replace(/-[^-]*$/, '')), ['headroom-rs', `headroom-rs-${platform}`]);
    run(folder, 'npm', 'install', '--silent', '--offline', '--no-audit', '--no-fund', ...packed.map((name) => `./${name}`));
    const program = `const { compressText } = require('headroom-rs');
      compressText(JSON.stringify(Array.from({ length: 60 }, (_, id) => ({ id, state: 'ready' })))).then(({ text }) => console.log(text))`;
    assert.match(run(folder, process.execPath, '-e', program), /^\[60 rows/);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(join(PACKAGE, 'build/npm'), { recursive: true, force: true });
  }
});

test('the edge version needs no addon', () => {
  const program = `import * as remote from 'headroom-rs/remote';
    console.log(typeof remote.compress, process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')).length)`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: PACKAGE, encoding: 'utf8' });
  assert.equal(out, 'function 0\n');
});

test('require works, too', () => {
  const program = `const { compress } = require('headroom-rs'); compress([]).then(({ reason }) => console.log(reason))`;
  const out = execFileSync(process.execPath, ['-e', program], { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  assert.equal(out, 'nothing_editable\n');
});

test('the version is the one of the workspace, and every file that is exported is there', () => {
  const workspace = /^version = "(.+)"/m.exec(readFileSync(join(ROOT, 'Cargo.toml'), 'utf8'))?.[1];
  assert.deepEqual([headroom.version, manifest['version']], [workspace, workspace]);
  for (const path of Object.values(manifest['exports'] as Record<string, string>)) {
    assert.ok(existsSync(join(PACKAGE, path)), path);
  }
});
