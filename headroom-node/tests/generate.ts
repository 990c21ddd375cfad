/** Writes the loader and the types of the addon, from what a build of it has noted. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generateTypeDef, writeJsBinding } from '@napi-rs/cli';

import { ROOT } from './programs.js';

const cwd = join(ROOT, 'headroom-node');
const { napi, version } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as Record<string, any>;
const typeDefDir = process.env['HEADROOM_NODE_TYPES'] ?? join(ROOT, 'target/debug/headroom-node-types');
const { exports, dts } = await generateTypeDef({ typeDefDir, cwd });
const { binaryName, packageName } = napi;
const outputDir = join(cwd, 'native');
await writeJsBinding({ platform: true, format: 'esm', idents: exports, binaryName, packageName, version, outputDir } as never);
writeFileSync(join(outputDir, 'index.d.ts'), dts);
