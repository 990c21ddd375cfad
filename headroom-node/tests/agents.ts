/** A task for agents of any framework: a loop of several turns, in which the model reads back what was left out. */
import assert from 'node:assert/strict';

import { log } from './conversations.js';
import type { Model, Scripted } from './scripted.js';
import { FOUND, MARKER, texts } from './sdks.js';

const ERROR = 'ERROR pool 7919 exhausted';
const ANSWER = 'The pool was exhausted.';
/** What the agent is asked. */
export const PROMPT = 'Why did the pool fail?';
/** The schema of the agent's tool. */
export const LOG_SCHEMA = {
  type: 'object',
  properties: { name: { type: 'string' } },
  required: ['name'],
  additionalProperties: false,
} as const;

/** The agent's tool: reads a log. */
export const readLog = ({ name }: { name?: string }): string => log(name === 'first' ? 7919 : 7907);

const listOf = (asked: Record<string, any>): unknown[] => asked['messages'] ?? asked['input'] ?? asked['contents'];

/** A model that reads a log, retrieves a line of it that was left out, reads another and ends. */
export const task: Model = (asked) => {
  const said = texts(listOf(asked));
  if (!said.includes(ERROR)) return [['read_log', { name: 'first' }]];
  const hash = MARKER.exec(said)?.[1];
  if (!said.includes(FOUND) && hash) return ['Let me look. ', ['headroom_retrieve', { hash, lines: '141-145' }]];
  if (!said.includes('ERROR pool 7907')) return [['read_log', { name: 'second' }]];
  return [ANSWER];
};

/** Checks what the model was sent: each request has the last one's items again, and results in their smaller form. */
export function checkTask(provider: Scripted, answer: unknown, retrieves = true): void {
  assert.match(String(answer), new RegExp(`${ANSWER}$`));
  const asked = provider.requests;
  assert.equal(asked.length, retrieves ? 4 : 3, asked.map((request) => texts(listOf(request)).slice(-200)).join('\n---\n'));
  for (const [at, before] of asked.slice(0, -1).map(listOf).entries()) {
    const after = listOf(asked[at + 1] as object);
    assert.deepEqual(after.slice(0, before.length), before, 'the prompt grows by appending');
  }
  const last = texts(listOf(asked.at(-1) as object));
  assert.ok(last.includes(ERROR) && last.includes('ERROR pool 7907'), 'what matters stays');
  if (!retrieves) return assert.doesNotMatch(last, MARKER);
  assert.equal(last.split(FOUND).length, 2, 'one line came back');
  assert.ok(last.length < log().length / 2);
}
