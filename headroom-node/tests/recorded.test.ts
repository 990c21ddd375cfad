/** Recorded requests of real clients, from the folder that HEADROOM_SHARED names. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Engine, retrieveTool, type ApiName, type CompressResult, type RequestResult } from 'headroom-rs';

import { listName, type Message } from './conversations.js';
import { missing, SHARED } from './programs.js';

function filesBelow(folder: string, ending: RegExp): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => ending.test(name)).map((name) => join(folder, name)).sort();
}

const FILES = [
  ...filesBelow(join(SHARED, 'captures'), /\.body$/),
  ...filesBelow(join(SHARED, 'workloads'), /headline_.*\.(openai|anthropic)\.json$/),
];
const noFiles = FILES.length > 0 ? false : missing('HEADROOM_SHARED names no recorded requests');

test('messages of a recorded request become what the body with them becomes', { skip: noFiles }, async () => {
  const engine = new Engine();
  let compared = 0;
  for (const file of FILES) {
    const bytes = readFileSync(file);
    const api = (await engine.compressRequest(bytes)).report.api as ApiName | undefined;
    if (!api || api === 'converse') continue;
    const given = JSON.parse(bytes.toString()) as Message;
    const name = listName(api);
    if (!Array.isArray(given[name])) continue;
    for (const hasTool of [false, true]) {
      const tools = hasTool ? [...((given['tools'] as unknown[] | undefined) ?? []), retrieveTool(api)] : given['tools'];
      const toolChoice: unknown = hasTool ? undefined : given['tool_choice'];
      const model = (given['model'] as string | undefined) ?? '';
      const bodyOf = (messages: unknown): string => JSON.stringify({ model, tools, tool_choice: toolChoice, [name]: messages });
      const request: RequestResult = await engine.compressRequest(bodyOf(given[name]), { api });
      const result: CompressResult<Message> = await engine.compress(given[name] as Message[], { model, tools, toolChoice, api });
      assert.deepEqual(result.unreadable, [], file);
      const sent: string = typeof request.body === 'string' ? request.body : Buffer.from(request.body).toString();
      assert.equal(bodyOf(result.messages), sent, `byte for byte: ${file}`);
      assert.deepEqual([result.tokensSaved, result.originals], [request.tokensSaved, request.originals], file);
      compared += 1;
    }
  }
  assert.ok(compared > 20, `${compared} requests`);
});
