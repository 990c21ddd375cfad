/** Agents of LangChain, with OpenAI's model over a scripted provider. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ChatOpenAI } from '@langchain/openai';
import { Engine } from 'headroom-rs';
import { compressMessages, headroomMiddleware } from 'headroom-rs/langchain';
import { AIMessage, createAgent, HumanMessage, SystemMessage, tool, ToolMessage } from 'langchain';

import { log, records } from './conversations.js';
import { scripted, type Model } from './scripted.js';
import { FOUND, MARKER, texts } from './sdks.js';

/** A model that runs a command, retrieves a line which is left out, and says what it saw. */
const script: Model = ({ messages, tools }) => {
  const said = texts(messages);
  if (!said.includes('pool 7919')) return [['Bash', { command: 'cat log' }]];
  const hasTool = JSON.stringify(tools).includes('headroom_retrieve');
  if (!said.includes(FOUND) && hasTool) return [['headroom_retrieve', { hash: MARKER.exec(said)?.[1], lines: '141-145' }]];
  return [said.includes(FOUND) ? 'I saw it.' : 'I did not see it.'];
};

const modelAt = (url: string): ChatOpenAI =>
  new ChatOpenAI({ model: 'gpt-4o', apiKey: 'x', configuration: { baseURL: `${url}/v1` }, maxRetries: 0 });

const bash = tool(async () => log(), {
  name: 'Bash',
  description: 'Runs a command',
  schema: { type: 'object', properties: { command: { type: 'string' } } },
});

test('an agent sees small results, gets back what it asks for, and its state is whole', () =>
  scripted(script, async (provider) => {
    const agent = createAgent({ model: modelAt(provider.url), tools: [bash], middleware: [headroomMiddleware({ engine: new Engine() })] });
    const { messages } = await agent.invoke({ messages: [new HumanMessage('Why did the pool fail?')] });
    assert.equal(messages.at(-1)?.content, 'I saw it.');
    const result = messages.find((message) => message.type === 'tool');
    assert.equal(result?.content, log(), 'the state is whole');
    const asked = provider.requests;
    assert.equal(asked.length, 3);
    assert.match(texts(asked[1]?.messages), MARKER);
    assert.ok(!texts(asked[1]?.messages).includes(FOUND));
    const before = asked[1]?.messages as unknown[];
    assert.deepEqual(asked[2]?.messages.slice(0, before.length), before, 'what was sent stays');
  }));

test('without retrieval there is no tool, and nothing is left out', () =>
  scripted(script, async (provider) => {
    const model = modelAt(provider.url);
    const middleware = [headroomMiddleware({ engine: new Engine({ retrieval: 'off' }) })];
    const { messages } = await createAgent({ model, tools: [bash], middleware }).invoke({ messages: [new HumanMessage('Why?')] });
    assert.equal(messages.at(-1)?.content, 'I saw it.');
    assert.doesNotMatch(provider.bodies.join(), /headroom/);
  }));

test('only contents of tool messages change, in copies that keep all else', async () => {
  const calls = ['a', 'b', 'c'].map((id) => ({ id, name: 'Bash', args: {} }));
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
  const own = { id: 'm1', name: 'Bash', artifact: { rows: 60 }, additional_kwargs: { x: 1 }, response_metadata: { y: 2 } };
  const given = [
    new SystemMessage(records(64)),
    new HumanMessage({ content: [{ type: 'text', text: records(65) }, image] }),
    new AIMessage({ content: 'I look.', tool_calls: calls }),
    new ToolMessage({ content: records(), tool_call_id: 'a', status: 'success', ...own }),
    new ToolMessage({ content: [image, { type: 'text', text: records(61), cache_control: { type: 'ephemeral' } }], tool_call_id: 'b' }),
    new ToolMessage({ content: records(62), tool_call_id: 'c', status: 'error' }),
  ];
  const before = JSON.stringify(given);
  const made = await compressMessages(given);
  assert.equal(JSON.stringify(given), before, 'the given messages are not touched');
  assert.deepEqual(made.map((message, index) => message === given[index]), [true, true, true, false, false, true]);
  const [small, blocks] = made.slice(3) as [ToolMessage, ToolMessage];
  assert.ok(ToolMessage.isInstance(small) && small instanceof ToolMessage);
  assert.match(small.content as string, /^\[60 rows/);
  for (const [name, value] of Object.entries({ ...own, tool_call_id: 'a', status: 'success' })) {
    assert.deepEqual(small[name as keyof ToolMessage], value, name);
  }
  const written = (JSON.parse(JSON.stringify(small)) as { kwargs: Record<string, unknown> }).kwargs;
  assert.equal(written['content'], small.content);
  assert.match(small.contentBlocks[0]?.['text'] as string, /^\[60 rows/);
  const content = blocks.content as Record<string, unknown>[];
  assert.equal(content[0], image);
  assert.match(content[1]?.['text'] as string, /^\[61 rows/);
  assert.deepEqual(content[1]?.['cache_control'], { type: 'ephemeral' });
  const none = given.slice(0, 3);
  assert.equal(await compressMessages(none), none);
});
