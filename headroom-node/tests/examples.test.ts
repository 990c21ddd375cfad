/** The examples run. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const FOLDER = fileURLToPath(new URL('../examples/', import.meta.url));

for (const name of readdirSync(FOLDER).filter((name) => name.endsWith('.js') && name !== 'provider.js')) {
  test(`an example shows a smaller request: ${name}`, () => {
    const out = execFileSync(process.execPath, [FOLDER + name], { encoding: 'utf8' });
    assert.match(out, /\[60 rows|\[headroom:/);
  });
}
