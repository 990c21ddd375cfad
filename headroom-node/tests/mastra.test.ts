/** Agents of Mastra, with models of the AI SDK over a scripted provider. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { Engine, headroomFetch, headroomTools } from 'headroom-rs';
import { headroomProcessor } from 'headroom-rs/mastra';
import { z } from 'zod';

import { checkTask, PROMPT, readLog, task } from './agents.js';
import { log, records } from './conversations.js';
import { scripted, type Scripted } from './scripted.js';
import { texts } from './sdks.js';

const read = createTool({
  id: 'read_log',
  description: 'Reads a log',
  inputSchema: z.object({ name: z.string() }),
  execute: async (input: { name: string }) => readLog(input),
});

type Fetch = typeof globalThis.fetch;
const MODELS = {
  chat: ({ url }: Scripted, fetch?: Fetch) => createOpenAI({ baseURL: `${url}/v1`, apiKey: 'x', ...(fetch && { fetch }) }).chat('gpt-4o'),
  anthropic: ({ url }: Scripted, fetch?: Fetch) =>
    createAnthropic({ baseURL: `${url}/v1`, apiKey: 'x', ...(fetch && { fetch }) })('claude-opus-5-5'),
};

/** Runs an agent on the task, and returns what was sent and all steps. */
async function runTask(
  make: (provider: Scripted) => Partial<ConstructorParameters<typeof Agent>[0]>,
  stream: boolean,
  retrieves = true,
): Promise<{ bodies: string[]; steps: string }> {
  return scripted(task, async (provider) => {
    const agent = new Agent({ id: 'a', name: 'a', instructions: 'Be short.', tools: { read_log: read }, ...make(provider) } as never);
    let text: string;
    let steps: unknown;
    if (stream) {
      const output = await agent.stream(PROMPT, { maxSteps: 8 });
      text = '';
      for await (const delta of output.textStream) text += delta;
      steps = await output.steps;
    } else {
      const output = await agent.generate(PROMPT, { maxSteps: 8 });
      [text, steps] = [output.text, output.steps];
    }
    checkTask(provider, text, retrieves);
    return { bodies: provider.bodies, steps: JSON.stringify(steps) };
  });
}

for (const [name, modelOf] of Object.entries(MODELS)) {
  for (const stream of [false, true]) {
    test(`the processor sends what the client would send: ${name}, ${stream ? 'streamed' : 'whole'}`, async () => {
      const engine = new Engine();
      const inputProcessors = [headroomProcessor({ engine: new Engine() })] as never;
      const own = await runTask((provider) => ({ model: modelOf(provider), inputProcessors }) as never, stream);
      const fetch = headroomFetch(undefined, { engine, retrieval: 'client-tool' });
      // Mastra writes the schema of a step's tool otherwise than that of an agent's.
      const tool = { id: 'tool', processInputStep: ({ tools }: { tools?: object }) => ({ tools: { ...tools, ...headroomTools({ engine }) } }) };
      const others = await runTask((provider) => ({ model: modelOf(provider, fetch), inputProcessors: [tool] }) as never, stream);
      assert.deepEqual(own.bodies, others.bodies, 'byte for byte');
      assert.ok(own.steps.includes(JSON.stringify(log()).slice(1, -1)), 'the steps have whole results');
    });
  }
}

test('a provider with our fetch hides the tool', async () => {
  const fetch = headroomFetch(undefined, { engine: new Engine() });
  const { steps } = await runTask((provider) => ({ model: MODELS.chat(provider, fetch) }) as never, true);
  assert.doesNotMatch(steps, /headroom_retrieve/);
});

test('without retrieval there is no tool, and nothing is left out', async () => {
  const inputProcessors = [headroomProcessor({ engine: new Engine({ retrieval: 'off' }) })];
  const { bodies } = await runTask((provider) => ({ model: MODELS.chat(provider), inputProcessors }) as never, false, false);
  assert.doesNotMatch(bodies.join(), /headroom/);
});

/** Calls the processor as Mastra does. */
async function processed(prompt: unknown[], step: { toolChoice?: unknown; activeTools?: string[] } = {}): Promise<unknown[]> {
  const processor = headroomProcessor({ engine: new Engine() });
  const state = {};
  const made = processor.processInputStep({ tools: { read_log: read }, ...step, state });
  assert.deepEqual(Object.keys(made?.tools ?? {}), ['read_log', 'headroom_retrieve']);
  assert.equal(made?.tools?.['read_log'], read);
  assert.deepEqual(made?.activeTools, step.activeTools && [...step.activeTools, 'headroom_retrieve']);
  return (await processor.processLLMRequest({ prompt, model: { modelId: 'gpt-4o' }, state }))?.prompt ?? prompt;
}

const promptOf = (value: string): unknown[] => [
  { role: 'system', content: records(50) },
  { role: 'user', content: [{ type: 'text', text: PROMPT }] },
  { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'read_log', input: {} }] },
  { role: 'tool', content: [{ type: 'tool-result', toolCallId: '1', toolName: 'read_log', output: { type: 'text', value } }] },
];

test('messages without a change are the same objects, and the tools count that the model may call', async () => {
  const prompt = promptOf(log());
  for (const step of [{}, { activeTools: ['read_log'] }, { toolChoice: 'required' }, { toolChoice: { type: 'auto' } }]) {
    const made = await processed(prompt, step);
    assert.deepEqual(made.map((message, at) => message === prompt[at]), [true, true, true, false]);
    assert.match(texts(made), /\[headroom:/);
  }
  for (const toolChoice of ['none', { type: 'tool', toolName: 'read_log' }]) {
    assert.doesNotMatch(texts(await processed(prompt, { toolChoice })), /\[headroom:/);
  }
  const short = promptOf('ok');
  assert.equal(await processed(short), short);
});
