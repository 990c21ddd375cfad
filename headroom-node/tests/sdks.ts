/** The SDKs, each with what a test asks of it. */
import assert from 'node:assert/strict';

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import type { ApiName } from 'headroom-rs';
import OpenAI from 'openai';

import { log, question, SCHEMA, type Message } from './conversations.js';
import type { Turn } from './scripted.js';

export const MARKER = /\[headroom:([a-z2-7]{12,})/;
/** A line that is left out. */
export const FOUND = 'request 142 in';

/** All that a request says, without escapes. */
export function texts(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  return typeof value === 'object' && value !== null ? Object.values(value).map(texts).join('') : '';
}

/** A model that retrieves a line which is left out, runs a command, and then says what it saw. */
export function curious(asked: Message): Turn {
  const said = texts([asked.messages, asked.input, asked.contents]);
  if (!said.includes(FOUND) && JSON.stringify(asked.tools ?? []).includes('headroom_retrieve')) {
    return ['Let me look. ', ['headroom_retrieve', { hash: MARKER.exec(said)?.[1], lines: '141-145' }]];
  }
  if (!said.includes('second log')) return ['I run it once more.', ['Bash', { command: 'cat second log' }]];
  return [`The pool was exhausted, and ${said.includes(FOUND) ? 'I saw it.' : 'I did not see it.'}`];
}

/** One API of one SDK. `Client` is what the SDK calls a client. */
export interface Sdk {
  api: ApiName;
  client(url: string, fetch?: typeof globalThis.fetch): any;
  whole(client: any, messages: Message[]): Promise<any>;
  /** Asks for a stream, and checks that its deltas come in order. */
  streamed(client: any, messages: Message[]): Promise<any>;
  /** The text and the names of the called tools. */
  said(answer: any): [text: string, calls: string[]];
  /** The messages that go back for an answer, with the results of its calls. */
  back(answer: any): Message[];
}

const anthropic: Sdk = {
  api: 'anthropic',
  client: (baseURL, fetch) => new Anthropic({ baseURL, apiKey: 'x', maxRetries: 0, fetch }),
  whole: (client: Anthropic, messages) => client.messages.create(anthropicRequest(messages)),
  async streamed(client: Anthropic, messages) {
    let text = '';
    const stream = client.messages.stream(anthropicRequest(messages)).on('text', (delta) => (text += delta));
    const answer = await stream.finalMessage();
    assert.equal(text, this.said(answer)[0], 'deltas come in order');
    return answer;
  },
  said({ content }: Anthropic.Message) {
    const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    return [text, content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []))];
  },
  back({ content }: Anthropic.Message) {
    const calls = content.filter((block) => block.type === 'tool_use');
    const results = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: log(7907) }));
    return [{ role: 'assistant', content }, { role: 'user', content: results }];
  },
};

function anthropicRequest(messages: Message[]): Anthropic.MessageCreateParamsNonStreaming {
  const tools = [{ name: 'Bash', input_schema: SCHEMA }];
  return { model: 'claude-opus-5-5', max_tokens: 99, tools, messages: messages as Anthropic.MessageParam[] };
}

const chat: Sdk = {
  api: 'openai',
  client: (url, fetch) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'x', maxRetries: 0, fetch }),
  async whole(client: OpenAI, messages) {
    return (await client.chat.completions.create(chatRequest(messages))).choices[0]?.message;
  },
  async streamed(client: OpenAI, messages) {
    let text = '';
    const stream = client.chat.completions.stream(chatRequest(messages) as never).on('content', (delta) => (text += delta));
    const { message } = (await stream.finalChatCompletion()).choices[0]!;
    assert.equal(text, this.said(message)[0], 'deltas come in order');
    return message;
  },
  said: ({ content, tool_calls: calls }) => [content ?? '', (calls ?? []).map((call: any) => call.function.name)],
  back({ content, tool_calls: calls }) {
    const own = calls.map(({ id, type, function: { name, arguments: args } }: any) => ({
      id,
      type,
      function: { name, arguments: args },
    }));
    const results = own.map(({ id }: any) => ({ role: 'tool', tool_call_id: id, content: log(7907) }));
    return [{ role: 'assistant', content, tool_calls: own }, ...results];
  },
};

function chatRequest(messages: Message[]): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const tools = [{ type: 'function', function: { name: 'Bash', parameters: SCHEMA } }] as OpenAI.ChatCompletionTool[];
  return { model: 'gpt-4o', tools, messages: messages as unknown as OpenAI.ChatCompletionMessageParam[] };
}

const responses: Sdk = {
  ...chat,
  api: 'responses',
  whole: (client: OpenAI, messages) => client.responses.create(responsesRequest(messages)),
  async streamed(client: OpenAI, messages) {
    let text = '';
    const stream = client.responses.stream(responsesRequest(messages) as never);
    stream.on('response.output_text.delta', (event) => (text += event.delta));
    const answer = await stream.finalResponse();
    assert.equal(text, this.said(answer)[0], 'deltas come in order');
    return answer;
  },
  said: ({ output_text: text, output }) => [
    text,
    output.filter(({ type }: any) => type === 'function_call').map(({ name }: any) => name),
  ],
  back({ output }) {
    const calls = output.filter(({ type }: any) => type === 'function_call');
    const results = calls.map(({ call_id }: any) => ({ type: 'function_call_output', call_id, output: log(7907) }));
    const items = output.map(({ parsed_arguments: _, ...item }: any) => ({
      ...item,
      ...(item.content && { content: item.content.map(({ parsed: _, ...part }: any) => part) }),
    }));
    return [...items, ...results];
  },
};

function responsesRequest(input: Message[]): OpenAI.Responses.ResponseCreateParamsNonStreaming {
  const tools = [{ type: 'function', name: 'Bash', parameters: SCHEMA, strict: false }] as OpenAI.Responses.Tool[];
  return { model: 'gpt-4o', tools, input: input as unknown as OpenAI.Responses.ResponseInput, store: false };
}

const gemini: Sdk = {
  api: 'gemini',
  client: (baseUrl, fetch) => new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl, ...(fetch && { fetch }) } }),
  whole: (client: GoogleGenAI, messages) => client.models.generateContent(geminiRequest(messages)),
  async streamed(client: GoogleGenAI, messages) {
    const parts: unknown[] = [];
    for await (const chunk of await client.models.generateContentStream(geminiRequest(messages))) {
      parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    }
    return { candidates: [{ content: { role: 'model', parts } }] };
  },
  said({ candidates }) {
    const { parts } = candidates[0].content;
    const text = parts.map((part: any) => part.text ?? '').join('');
    return [text, parts.flatMap((part: any) => (part.functionCall ? [part.functionCall.name] : []))];
  },
  back({ candidates }) {
    const functionResponse = { name: 'Bash', response: { output: log(7907) } };
    return [candidates[0].content, { role: 'user', parts: [{ functionResponse }] }];
  },
};

function geminiRequest(contents: Message[]): any {
  const declaration = { name: 'Bash', parametersJsonSchema: SCHEMA };
  return { model: 'gemini-3-pro', contents, config: { tools: [{ functionDeclarations: [declaration] }] } };
}

export const SDKS: Sdk[] = [anthropic, chat, responses, gemini];

/** The conversation with an answer, and another question. */
export function followUp(sdk: Sdk, messages: Message[], answer: unknown): Message[] {
  return [...messages, ...sdk.back(answer), question(sdk.api, 'And in the second log?')];
}
