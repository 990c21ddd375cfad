/** Messages that are not what they should be pass as they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Engine, retrieveTool } from 'headroom-rs';

import { conversation, log, question, records, turn, type Message } from './conversations.js';

const cycle: Message = { role: 'user' };
cycle['content'] = [cycle];

const UNREADABLE: [string, unknown, string][] = [
  ['a big integer', { role: 'user', n: 1n }, 'JSON.stringify threw TypeError'],
  ['a circle', cycle, 'JSON.stringify threw TypeError'],
  ['a getter that throws', { get role() { throw new RangeError('secret text'); } }, 'JSON.stringify threw RangeError'],
  ['a toJSON that throws', { toJSON() { throw 'secret text'; } }, 'JSON.stringify threw a value'],
];

for (const [what, odd, reason] of UNREADABLE) {
  test(`a message that cannot be written passes with the reason: ${what}`, async () => {
    const messages = [odd, ...conversation('openai', records())];
    const result = await new Engine().compress(messages, { api: 'openai' });
    assert.deepEqual(result.unreadable, [{ index: 0, reason }]);
    assert.equal(result.messages[0], odd);
    assert.ok(result.tokensSaved > 0, 'the others are compressed');
    assert.doesNotMatch(JSON.stringify([result.report, result.unreadable]), /secret/);
  });
}

for (const odd of [null, undefined, 7, 'text', [], {}, () => 1, { role: 7 }, { role: 'tool', content: null }]) {
  test(`JSON that is no message passes: ${typeof odd} ${JSON.stringify(odd)}`, async () => {
    const result = await new Engine().compress([odd, ...conversation('openai', records())], { api: 'openai' });
    assert.deepEqual(result.unreadable, []);
    assert.ok(result.tokensSaved > 0);
    assert.equal(result.messages[0], odd);
  });
}

test('holes in a list keep their place', async () => {
  const messages = conversation('openai', records()) as unknown[];
  messages.length = 5;
  const result = await new Engine().compress(messages);
  assert.equal(result.messages.length, 5);
  assert.ok(result.tokensSaved > 0);
});

test('half of a surrogate pair keeps its block only', async () => {
  const messages = [...conversation('openai', records()), ...turn('openai', 1, `${log()}\ud800`)];
  const result = await new Engine().compress(messages, { tools: [retrieveTool('openai')] });
  assert.equal(result.messages[4], messages[4]);
  assert.deepEqual(result.report.blocks.map((block) => block.reason ?? null), [null, 'lone_surrogate']);
});

test('messages that change meanwhile are left alone', async () => {
  const messages = conversation('openai', records(), log(), log(7907, 900));
  // It changes once a later message is read: how many are read before others have a turn depends on the machine.
  messages.push({
    role: 'user',
    get content() {
      (messages[2] as Message)['content'] = 'another text';
      return 'Go on.';
    },
  });
  const result = await new Engine().compress(messages, { tools: [retrieveTool('openai')] });
  assert.ok(result.report.bytesBefore > 32 * 1024, 'a thread worked on it');
  assert.equal(result.messages[2], messages[2]);
  assert.deepEqual(result.unreadable, [{ index: 2, reason: 'the message was changed while it was compressed' }]);
  assert.notEqual(result.messages[4], messages[4]);
  const saved = result.report.blocks.slice(1).map((block) => (block.tokensBefore ?? 0) - (block.tokensAfter ?? 0));
  assert.equal(result.tokensSaved, saved.reduce((a, b) => a + b));
});

test('messages that leave meanwhile are in the result still, as they were given', async () => {
  const messages = conversation('openai', records(), log(7907, 900));
  const asked = new Engine().compress(messages);
  messages.length = 1;
  assert.equal((await asked).messages.length, 5);
});

test('an object that writes itself otherwise than it is made is left alone', async () => {
  class Secret {
    role = 'tool';
    tool_call_id = 'call_0';
    #content = records();
    toJSON(): object {
      return { role: this.role, tool_call_id: this.tool_call_id, content: this.#content };
    }
  }
  const messages = [...conversation('openai').concat(turn('openai', 0, '').slice(0, 1)), new Secret()];
  const result = await new Engine().compress(messages);
  assert.equal(result.messages[2], messages[2]);
  assert.equal(result.unreadable.length, 1);
  assert.equal(result.tokensSaved, 0);
});

test('bodies over the limit pass', async () => {
  const messages = conversation('openai', records());
  const result = await new Engine({ maxBody: 100 }).compress(messages);
  assert.equal(result.messages, messages);
  assert.equal(result.reason, 'too_large');
  assert.deepEqual([question('openai')], messages.slice(0, 1));
});
