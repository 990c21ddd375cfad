/** OpenAI's Agents SDK, with the models of its own over a scripted provider. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  Agent,
  MemorySession,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  run,
  setTracingDisabled,
  tool,
  type AgentInputItem,
  type CallModelInputFilter,
} from '@openai/agents';
import { Engine, withHeadroom } from 'headroom-rs';
import { headroomInputFilter, headroomTool } from 'headroom-rs/openai-agents';
import OpenAI from 'openai';

import { checkTask, LOG_SCHEMA, PROMPT, readLog, task } from './agents.js';
import { log, records } from './conversations.js';
import { scripted, type Scripted } from './scripted.js';
import { MARKER } from './sdks.js';

setTracingDisabled(true);

const MODELS = { responses: OpenAIResponsesModel, 'chat completions': OpenAIChatCompletionsModel };
const read = tool({
  name: 'read_log',
  description: 'Reads a log',
  parameters: LOG_SCHEMA as never,
  strict: false,
  execute: async (args: unknown) => readLog(args as { name: string }),
});

interface Setup {
  Model?: (typeof MODELS)[keyof typeof MODELS];
  wrap?: (client: OpenAI) => OpenAI;
  tools?: (typeof read)[];
}

function agentOf({ url }: Scripted, { Model = OpenAIResponsesModel, wrap = (client) => client, tools = [] }: Setup): Agent {
  const client = wrap(new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0 }));
  return new Agent({ name: 'a', instructions: 'Be short.', model: new Model(client, 'gpt-4o'), tools: [read, ...tools] });
}

interface Run {
  output: unknown;
  items: string;
  bodies: string[];
}

/** Runs an agent on the task. */
async function runTask(
  setup: Setup,
  callModelInputFilter: CallModelInputFilter | undefined,
  stream: boolean,
  retrieves = true,
): Promise<Run> {
  return scripted(task, async (provider) => {
    const agent = agentOf(provider, setup);
    const options = callModelInputFilter ? { callModelInputFilter } : {};
    let output: unknown;
    let items: unknown;
    if (stream) {
      const result = await run(agent, PROMPT, { ...options, stream: true });
      for await (const event of result) void event;
      await result.completed;
      [output, items] = [result.finalOutput, result.newItems];
    } else {
      const result = await run(agent, PROMPT, options);
      [output, items] = [result.finalOutput, result.newItems];
    }
    checkTask(provider, output, retrieves);
    return { output, items: JSON.stringify(items), bodies: provider.bodies };
  });
}

for (const [name, Model] of Object.entries(MODELS)) {
  for (const stream of [false, true]) {
    const how = `${name}, ${stream ? 'streamed' : 'whole'}`;
    test(`the filter sends what the client would send: ${how}`, async () => {
      const engines = [new Engine(), new Engine()] as const;
      const tools = engines.map((engine) => headroomTool({ engine }));
      const own = await runTask({ Model, tools: [tools[0] as never] }, headroomInputFilter({ engine: engines[0] }), stream);
      const wrap = (client: OpenAI): OpenAI => withHeadroom(client, { engine: engines[1], retrieval: 'client-tool' });
      const others = await runTask({ Model, tools: [tools[1] as never], wrap }, undefined, stream);
      assert.deepEqual(own.bodies, others.bodies, 'byte for byte');
      assert.match(own.items, /headroom_retrieve/);
      assert.ok(own.items.includes(JSON.stringify(log()).slice(1, -1)), 'the run keeps whole outputs');
    });

    test(`a client answers the model itself, and the run shows none of it: ${how}`, async () => {
      const wrap = (client: OpenAI): OpenAI => withHeadroom(client, { engine: new Engine() });
      const { items } = await runTask({ Model, wrap }, undefined, stream);
      assert.doesNotMatch(items, /headroom/);
    });
  }
}

test('without the tool nothing is left out', async () => {
  const { bodies } = await runTask({}, headroomInputFilter({ engine: new Engine() }), false, false);
  assert.doesNotMatch(bodies.join(), /headroom/);
});

test('a session keeps whole outputs, and later runs send what was sent before', () =>
  scripted(task, async (provider) => {
    const engine = new Engine();
    const session = new MemorySession();
    const callModelInputFilter = headroomInputFilter({ engine });
    const agent = agentOf(provider, { tools: [headroomTool({ engine }) as never] });
    await run(agent, PROMPT, { session, callModelInputFilter });
    checkTask(provider, 'The pool was exhausted.');
    assert.ok(JSON.stringify(await session.getItems()).includes(JSON.stringify(log()).slice(1, -1)));
    const sent = (): unknown[] => (provider.requests.at(-1)?.input as Record<string, unknown>[]).map(({ id: _, ...item }) => item);
    const before = sent();
    await run(agent, 'And then?', { session, callModelInputFilter });
    // The SDK leaves out the ids of what a session has.
    assert.deepEqual(sent().slice(0, before.length), before);
    assert.ok(JSON.stringify(await session.getItems()).includes(JSON.stringify(log()).slice(1, -1)));
  }));

/** Calls the filter as the SDK does. */
async function filtered(input: AgentInputItem[], toolChoice?: string): Promise<AgentInputItem[]> {
  const engine = new Engine();
  const modelSettings = toolChoice === undefined ? {} : { toolChoice };
  const agent = new Agent({ name: 'a', model: 'gpt-4o', modelSettings, tools: [headroomTool({ engine })] });
  const modelData = { input, instructions: 'i' };
  const made = await headroomInputFilter({ engine })({ modelData, agent: agent as never, context: undefined });
  assert.equal(made.instructions, 'i');
  return made.input;
}

test('only texts of outputs change, and everything else is the same object', async () => {
  const calls = ['a', 'b', 'c', 'd'].map((callId) => ({ type: 'function_call', callId, name: 'read', arguments: '{}' }));
  const result = (callId: string, output: unknown) => ({ type: 'function_call_result', callId, name: 'read', status: 'completed', output });
  const image = { type: 'input_image', image: 'data:image/png;base64,AAAA' };
  const own = { id: 'fc_1', namespace: 'n', providerData: { x: { y: 1 } }, later: [null] };
  const shell = { stdout: records(70), stderr: '', outcome: { type: 'exit', exitCode: 0 }, more: 1 };
  const given = [
    { role: 'user', content: records(50) },
    { role: 'user', content: [{ type: 'input_text', text: records(51) }, image] },
    { type: 'reasoning', content: [{ type: 'input_text', text: 'hm' }], providerData: { encryptedContent: 'x' } },
    { role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: records(52) }] },
    ...calls,
    { ...result('a', { type: 'text', text: records(60), providerData: { z: 1 } }), ...own },
    result('b', records(61)),
    result('c', [image, { type: 'input_text', text: records(62), providerData: { cache: true } }]),
    result('d', { type: 'image', image: { url: 'data:,' } }),
    { type: 'shell_call', callId: 'e', action: { commands: ['cat log'] } },
    { type: 'shell_call_output', callId: 'e', output: [shell], maxOutputLength: 9 },
    { type: 'apply_patch_call_output', callId: 'f', status: 'failed', output: records(71) },
    { type: 'hosted_tool_call', name: 'web_search_call', output: records(72) },
    { type: 'unknown', providerData: { text: records(73) } },
  ] as unknown as AgentInputItem[];
  const before = structuredClone(given);
  const made = await filtered(given);
  assert.deepEqual(given, before, 'the given items are not touched');
  const changed = made.flatMap((item, at) => (item === given[at] ? [] : [at]));
  assert.deepEqual(changed, [8, 9, 10, 13]);
  const [a, b, c, e] = changed.map((at) => made[at] as Record<string, any>) as [any, any, any, any];
  assert.match(a.output.text, /^\[60 rows/);
  assert.deepEqual(a, { ...given[8], output: { type: 'text', text: a.output.text, providerData: { z: 1 } } });
  assert.match(b.output, /^\[61 rows/);
  assert.equal(c.output[0], image);
  assert.match(c.output[1].text, /^\[62 rows/);
  assert.deepEqual(c.output[1].providerData, { cache: true });
  assert.match(e.output[0].stdout, /^\[70 rows/);
  assert.deepEqual(e, { ...given[13], output: [{ ...shell, stdout: e.output[0].stdout }] });
});

test('where the model may not call the tool, nothing is left out', async () => {
  const items = [
    { role: 'user', content: PROMPT },
    { type: 'function_call', callId: 'a', name: 'read', arguments: '{}' },
    { type: 'function_call_result', callId: 'a', name: 'read', status: 'completed', output: log() },
  ] as AgentInputItem[];
  for (const choice of [undefined, 'auto', 'required']) assert.match(JSON.stringify(await filtered(items, choice)), MARKER);
  for (const choice of ['none', 'read']) assert.doesNotMatch(JSON.stringify(await filtered(items, choice)), MARKER);
});

test('input without savings is the same data', async () => {
  const modelData = { input: [{ role: 'user', content: 'hi' }] as AgentInputItem[] };
  const agent = new Agent({ name: 'a', model: 'gpt-4o' }) as never;
  assert.equal(await headroomInputFilter()({ modelData, agent, context: undefined }), modelData);
});
