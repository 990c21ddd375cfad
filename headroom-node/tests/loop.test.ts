/** The event loop goes on while the engine works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Engine, headroomFetch, retrieveTool } from 'headroom-rs';

import { conversation, log } from './conversations.js';
import { missing } from './programs.js';

const MAX_PAUSE = 5;

/** Returns the longest time, in milliseconds, for which the event loop stood still during the work. */
async function longestPause(work: () => Promise<unknown>): Promise<number> {
  let [longest, isOver, last] = [0, false, performance.now()];
  const tick = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  await work();
  isOver = true;
  return longest;
}

/** Attempts that count before a pause is a failure. */
const ATTEMPTS = 5;

/** Returns the shortest of several. Those count between which an idle loop goes on; nothing if other programs prevent that. */
async function shortestPause(work: () => Promise<unknown>): Promise<number | undefined> {
  const idle = (): Promise<number> => longestPause(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const pauses: number[] = [];
  let before = await idle();
  for (let attempt = 0; attempt < 20 && pauses.length < ATTEMPTS; attempt++) {
    const pause = await longestPause(work);
    if (pause < MAX_PAUSE) return pause;
    const after = await idle();
    if (before < 1 && after < 1) pauses.push(pause);
    before = after;
  }
  return pauses.length < ATTEMPTS ? undefined : Math.min(...pauses);
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
  test(`${name} of a megabyte: it stands still for less than 5 ms`, async (t) => {
    assert.ok(BODY.length > 1_000_000);
    await work();
    const pause = await shortestPause(work);
    if (pause === undefined) return t.skip(missing('other programs keep the machine too busy to measure pauses'));
    assert.ok(pause < MAX_PAUSE, `${pause.toFixed(1)} ms`);
  });
}
