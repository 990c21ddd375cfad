/** The event loop goes on while the engine works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Engine, headroomFetch, retrieveTool } from 'headroom-rs';

import { conversation, log } from './conversations.js';

/** Turns of an event loop that goes on: a loop that waits for the engine makes two or three. */
const MIN_TURNS = 50;

/** Returns the turns that the event loop made during the work, and the longest of them in milliseconds. */
async function turns(work: () => Promise<unknown>): Promise<{ count: number; longest: number }> {
  let [count, longest, isOver, last] = [0, 0, false, performance.now()];
  const tick = (): void => {
    const now = performance.now();
    [count, longest, last] = [count + 1, Math.max(longest, now - last), now];
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  isOver = true;
  return { count, longest };
}

const texts = Array.from({ length: 120 }, (_, n) => log(7900 + n, 160));
const MESSAGES = conversation('openai', ...texts);
const TOOLS = [retrieveTool('openai')];
const BODY = JSON.stringify({ model: 'gpt-4o', tools: TOOLS, messages: MESSAGES });

const engine = new Engine({ cacheCapacity: 0 });
const send = headroomFetch<typeof fetch>(async () => new Response('{}'), { engine });
const headers = { 'content-type': 'application/json' };
const WORKS: Record<string, () => Promise<unknown>> = {
  messages: () => engine.compress(MESSAGES, { tools: TOOLS }),
  'a body': () => engine.compressRequest(BODY),
  'a fetch': () => send('https://api.openai.com/v1/chat/completions', { method: 'POST', headers, body: BODY }),
};

for (const [name, work] of Object.entries(WORKS)) {
  test(`${name} of a megabyte: the loop goes on`, async (t) => {
    assert.ok(BODY.length > 1_000_000);
    await work();
    const { count, longest } = await turns(work);
    t.diagnostic(`${count} turns, the longest ${longest.toFixed(1)} ms`);
    assert.ok(count >= MIN_TURNS, `${count} turns`);
  });
}
