/** The AI SDK, versions 5 to 7. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import * as ai7 from 'ai';
import * as ai5 from 'ai-5';
import * as ai6 from 'ai-6';
import { Engine, headroomFetch } from 'headroom-rs';
import { headroomMiddleware, headroomTools } from 'headroom-rs/vercel-ai';

import { log, records, type Message } from './conversations.js';
import { scripted } from './scripted.js';
import { FOUND, MARKER, texts } from './sdks.js';

type Part = Record<string, any>;
const SDKS: Record<string, any> = { 'ai 5': ai5, 'ai 6': ai6, 'ai 7': ai7 };

/** A model of the AI SDK that records what it is given, and says what a script says. */
function modelOf(version: string, script: (prompt: Message[], tools: Part[]) => Part[]) {
  const prompts: Message[][] = [];
  const specificationVersion = { 'ai 5': 'v2', 'ai 6': 'v3', 'ai 7': 'v4' }[version];
  const usage =
    version === 'ai 5'
      ? { inputTokens: 1, outputTokens: 1, totalTokens: 2 }
      : { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
  const model = {
    specificationVersion,
    provider: 'test',
    modelId: 'gpt-4o',
    supportedUrls: {},
    doGenerate: async ({ prompt, tools }: { prompt: Message[]; tools?: Part[] }) => {
      prompts.push(prompt);
      const content = script(prompt, tools ?? []);
      const unified = content.some((part) => part['type'] === 'tool-call') ? 'tool-calls' : 'stop';
      const finishReason = version === 'ai 5' ? unified : { unified, raw: unified };
      return { content, finishReason, usage, warnings: [] };
    },
    doStream: async () => {
      throw new Error('not used');
    },
  };
  return { model, prompts };
}

const call = (id: string, name: string, input: object): Part => ({
  type: 'tool-call',
  toolCallId: id,
  toolName: name,
  input: JSON.stringify(input),
});

for (const [version, ai] of Object.entries(SDKS)) {
  test(`results of every step get smaller, and the model gets back what it asks for: ${version}`, async () => {
    const engine = new Engine();
    const { model, prompts } = modelOf(version, (prompt, tools) => {
      const said = texts(prompt);
      assert.ok(tools.some(({ name }) => name === 'headroom_retrieve'));
      if (!said.includes('pool 7919')) return [call('1', 'Bash', { command: 'cat log' })];
      if (!said.includes(FOUND)) {
        return [call('2', 'headroom_retrieve', { hash: MARKER.exec(said)?.[1], lines: '141-145' })];
      }
      return [{ type: 'text', text: 'I saw it.' }];
    });
    const bash = ai.tool({
      inputSchema: ai.jsonSchema({ type: 'object', properties: { command: { type: 'string' } } }),
      execute: async () => log(),
    });
    const answer = await ai.generateText({
      model: ai.wrapLanguageModel({ model, middleware: headroomMiddleware({ engine }) }),
      tools: { Bash: bash, ...headroomTools({ engine }) },
      stopWhen: ai.stepCountIs(5),
      prompt: 'Why did the pool fail?',
    });
    assert.equal(answer.text, 'I saw it.');
    assert.equal(prompts.length, 3);
    assert.match(texts(prompts[1]), MARKER);
    assert.ok(!texts(prompts[1]).includes(FOUND));
    const [before, after] = [prompts[1] as Message[], prompts[2] as Message[]];
    assert.deepEqual(after.slice(0, before.length), before, 'what was sent stays');
  });
}

test('only outputs of tools change, and everything else is the same object', async () => {
  const reasoning = { type: 'reasoning', text: 'hm', providerOptions: { anthropic: { signature: 'x' } } };
  const file = { type: 'file', data: new Uint8Array([1]), mediaType: 'image/png' };
  const result = (id: string, output: Part): Part => ({ type: 'tool-result', toolCallId: id, toolName: 'Bash', output });
  const calls = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ type: 'tool-call', toolCallId: id, toolName: 'Bash', input: {} }));
  const media = { type: 'media', data: 'AAAA', mediaType: 'image/png' };
  const own = { anthropic: { cacheControl: { type: 'ephemeral' } } };
  const tool = {
    role: 'tool',
    providerOptions: own,
    content: [
      { ...result('a', { type: 'text', value: records(), providerOptions: own }), providerOptions: own },
      result('b', { type: 'json', value: JSON.parse(records(61)) }),
      result('c', { type: 'error-text', value: records(62) }),
      result('d', { type: 'content', value: [media, { type: 'text', text: records(63), providerOptions: own }] }),
      result('e', { type: 'execution-denied', reason: 'no' }),
      result('f', { type: 'json', value: null }),
      { type: 'tool-approval-response', approvalId: '1', approved: true },
    ],
  };
  const prompt = [
    { role: 'system', content: records(64) },
    { role: 'user', content: [{ type: 'text', text: records(65) }, file] },
    { role: 'assistant', content: [reasoning, ...calls, result('p', { type: 'json', value: JSON.parse(records(66)) })] },
    tool,
  ];
  const before = structuredClone(prompt);
  const params = { prompt, temperature: 0.5, providerOptions: { x: { y: 1 } } };
  const made = await headroomMiddleware().transformParams({ type: 'generate', params, model: { modelId: 'gpt-4o' } });
  assert.deepEqual(prompt, before, 'the given prompt is not touched');
  assert.deepEqual(made.prompt.map((message, at) => message === prompt[at]), [true, true, true, false]);
  assert.equal(made.providerOptions, params.providerOptions);
  const [from, to] = [tool.content as Part[], (made.prompt[3] as typeof tool).content as Part[]];
  assert.deepEqual(to.map((part, at) => part === from[at]), [false, false, true, false, true, true, true]);
  assert.match(to[0]?.['output'].value, /^\[60 rows/);
  assert.deepEqual([to[0]?.['providerOptions'], to[0]?.['output'].providerOptions], [own, own]);
  assert.equal(to[1]?.['output'].type, 'text');
  assert.match(to[1]?.['output'].value, /^\[61 rows/);
  const content = to[3]?.['output'].value as Part[];
  assert.equal(content[0], media);
  assert.match(content[1]?.['text'], /^\[63 rows/);
  assert.equal(content[1]?.['providerOptions'], own);
});

test('params without savings are the same object', async () => {
  const middleware = headroomMiddleware();
  for (const prompt of [undefined, [], 'odd', [null, 7, { role: 'tool', content: [null, { type: 'tool-result' }] }]]) {
    const params = { prompt };
    assert.equal(await middleware.transformParams({ type: 'stream', params, model: { modelId: 'm' } }), params);
  }
});

for (const provider of ['anthropic', 'openai'] as const) {
  test(`a provider with our fetch hides the tool, whole and streaming: ${provider}`, () =>
    scripted(
      (asked) => {
        const said = texts([asked['messages'], asked['input']]);
        const hash = MARKER.exec(said)?.[1];
        if (!hash) return [['Bash', { command: 'cat log' }]];
        if (!said.includes(FOUND)) return ['Let me look. ', ['headroom_retrieve', { hash, lines: '141-145' }]];
        return ['I saw it.'];
      },
      async ({ url, bodies }) => {
        const fetch = headroomFetch(undefined, { engine: new Engine() });
        const settings = { baseURL: `${url}/v1`, apiKey: 'x', fetch };
        const model = provider === 'anthropic' ? createAnthropic(settings)('claude-opus-5-5') : createOpenAI(settings)('gpt-4o');
        const asked = {
          model,
          tools: { Bash: ai7.tool({ inputSchema: ai7.jsonSchema({ type: 'object', properties: {} }), execute: async () => log() }) },
          stopWhen: ai7.stepCountIs(5),
          prompt: 'Why did the pool fail?',
        };
        const whole = await ai7.generateText(asked);
        assert.equal(whole.text, 'Let me look. I saw it.');
        assert.equal(whole.steps.length, 2);
        assert.equal(bodies.length, 3);
        let text = '';
        for await (const delta of ai7.streamText(asked).textStream) text += delta;
        assert.equal(text, 'Let me look. I saw it.');
        assert.doesNotMatch(JSON.stringify(whole.steps.map((step) => step.content)), /headroom_retrieve/);
      },
    ));
}
