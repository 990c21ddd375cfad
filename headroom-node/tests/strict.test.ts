/** Against a provider that enforces the rules of Anthropic's: bound thinking, pairs of calls and results, cache breakpoints. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { Engine, withHeadroom } from 'headroom-rs';

import { log, SCHEMA } from './conversations.js';
import { inFolder, noProgram, noStrict, proxy, relay, strictProvider } from './programs.js';

/** An agent that runs what the model asks for. Its client may be another for each turn. */
async function runAgent(clients: Anthropic[]): Promise<string> {
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Why did the pool fail?' }];
  for (let turn = 0; turn < 10; turn++) {
    const client = clients[Math.min(turn, clients.length - 1)] as Anthropic;
    const stream = client.messages.stream({
      model: 'claude-opus-5-5',
      max_tokens: 4000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      tools: [{ name: 'Bash', input_schema: SCHEMA }],
      messages,
      cache_control: { type: 'ephemeral' },
    });
    const { content } = await stream.finalMessage();
    assert.doesNotMatch(JSON.stringify(content), /headroom/);
    messages.push({ role: 'assistant', content: content as Anthropic.ContentBlockParam[] });
    const calls = content.filter((block) => block.type === 'tool_use');
    if (calls.length === 0) return content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const results = calls.map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: log(7919 + turn) }));
    messages.push({ role: 'user', content: results });
  }
  throw new Error('the agent does not end');
}

const clientOf = (baseURL: string): Anthropic => new Anthropic({ baseURL, apiKey: 'x', maxRetries: 0 });
const ours = (url: string): Anthropic => withHeadroom(clientOf(url), { engine: new Engine() });

interface Seen {
  err?: string;
  dropped?: unknown[];
  calls?: string[];
  usage?: { cache_read_input_tokens: number };
}

test('no rule is broken, and the cache keeps growing', { skip: noStrict() }, () =>
  inFolder((folder) => {
    const lines = join(folder, 'log.jsonl');
    return strictProvider(lines, async (url) => {
      assert.match(await runAgent([ours(url)]), /All done\.$/);
      const seen = readFileSync(lines, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Seen);
      assert.deepEqual(seen.filter((event) => event.err ?? event.dropped?.length), []);
      assert.equal(seen.flatMap((event) => event.calls ?? []).filter((call) => call === 'headroom_retrieve').length, 3);
      const reads = seen.map((event) => event.usage?.cache_read_input_tokens ?? 0);
      assert.deepEqual(reads, reads.toSorted((a, b) => a - b));
      assert.ok((reads.at(-1) as number) > 0);
    });
  }));

test('a restart with an empty store breaks no conversation', { skip: noStrict() }, () =>
  inFolder((folder) =>
    strictProvider(join(folder, 'log.jsonl'), async (url) => {
      assert.match(await runAgent(Array.from({ length: 10 }, () => ours(url))), /All done\.$/);
    })));

test('the bodies are those of the proxy', { skip: noStrict() || noProgram() }, () =>
  inFolder(async (folder) => {
    const own = await strictProvider(join(folder, 'own.jsonl'), (url) =>
      relay(url, async (behind, bodies) => (await runAgent([ours(behind)]), bodies)));
    const others = await strictProvider(join(folder, 'proxy.jsonl'), (url) =>
      relay(url, (behind, bodies) => proxy(folder, behind, async (at) => (await runAgent([clientOf(at)]), bodies))));
    assert.equal(own.length, 7);
    assert.deepEqual(own, others);
  }));
