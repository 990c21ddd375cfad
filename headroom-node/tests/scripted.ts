/** A provider whose model follows a script, whole and streaming, in the form of each API. It records what it gets. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Dict = Record<string, any>;
/** What the model says: texts and calls. */
export type Turn = (string | [name: string, args: Dict])[];
/** Another answer than the model's: a status, a body, headers. */
export interface RawAnswer {
  status: number;
  body: string | Buffer;
  headers?: Record<string, string>;
  /** Whether the connection breaks off before the end. */
  isCut?: boolean;
}
export type Model = (request: Dict) => Turn | RawAnswer;

/** A provider and what came. */
export class Scripted {
  url = '';
  bodies: string[] = [];
  headers: IncomingMessage['headers'][] = [];
  paths: string[] = [];
  /** Set to hold a stream back after its first events. */
  pause: Promise<void> | undefined;
  /** Resolves when a client breaks off a stream. */
  brokeOff: Promise<void>;
  breakOff!: () => void;
  #server;

  constructor(model: Model) {
    this.brokeOff = new Promise((resolve) => (this.breakOff = resolve));
    this.#server = createServer((request, response) => void this.#answer(model, request, response));
  }

  get requests(): Dict[] {
    return this.bodies.map((body) => JSON.parse(body));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(model: Model, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const path = (request.url ?? '').split('?')[0] ?? '';
    this.bodies.push(Buffer.concat(pieces).toString());
    this.paths.push(path);
    this.headers.push(request.headers);
    const asked = JSON.parse(this.bodies.at(-1) as string) as Dict;
    const said = model(asked);
    if (!Array.isArray(said)) {
      response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
      if (!said.isCut) return void response.end(said.body);
      response.write(said.body);
      return void setTimeout(() => response.destroy(), 20);
    }
    const [document, events] = formOf(path)(said, this.bodies.length);
    if (!asked.stream && !path.toLowerCase().includes('stream')) {
      response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': `req_${this.bodies.length}` });
      return void response.end(JSON.stringify(document));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.on('close', () => response.writableEnded || this.breakOff());
    for (const [at, [name, data]] of events.entries()) {
      if (at === Math.floor(events.length / 2)) await this.pause;
      response.write(`${name ? `event: ${name}\n` : ''}data: ${JSON.stringify(data)}\n\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end(path.endsWith('completions') ? 'data: [DONE]\n\n' : '');
  }
}

/** Runs a provider with this model while the work lasts. */
export async function scripted<T>(model: Model, work: (provider: Scripted) => Promise<T>): Promise<T> {
  const provider = await new Scripted(model).open();
  try {
    return await work(provider);
  } finally {
    await provider.close();
  }
}

type Form = (turn: Turn, number: number) => [document: Dict, events: [name: string | undefined, data: Dict][]];

function formOf(path: string): Form {
  if (path.endsWith('/messages')) return anthropic;
  if (path.endsWith('/responses')) return responses;
  return path.toLowerCase().includes('generatecontent') ? gemini : chat;
}

function callsOf(turn: Turn, number: number) {
  const calls = turn.filter((part) => typeof part !== 'string');
  return calls.map(([name, args], at) => ({ id: `call_${number}x${at}a7B9cD3eF5gH1`, name, args }));
}

const textOf = (turn: Turn): string => turn.filter((part) => typeof part === 'string').join('');
const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];
const pieces = (text: string): string[] => text.match(/.{1,9}/gs) ?? [];

const anthropic: Form = (turn, number) => {
  const calls = callsOf(turn, number);
  const text = textOf(turn);
  const content: Dict[] = text ? [{ type: 'text', text }] : [];
  for (const { id, name, args } of calls) content.push({ type: 'tool_use', id, name, input: args });
  const stop = { stop_reason: calls.length ? 'tool_use' : 'end_turn', stop_sequence: null };
  const usage = { input_tokens: 100 * number, output_tokens: 10 };
  const frame = { id: `msg_${number}`, type: 'message', role: 'assistant', model: 'claude' };
  const start = { ...frame, content: [], stop_reason: null, stop_sequence: null, usage };
  const events: Dict[] = [{ type: 'message_start', message: start }];
  for (const [index, block] of content.entries()) {
    const isText = block.type === 'text';
    events.push({ type: 'content_block_start', index, content_block: isText ? { type: 'text', text: '' } : { ...block, input: {} } });
    const deltas = isText
      ? words(block.text).map((text) => ({ type: 'text_delta', text }))
      : pieces(JSON.stringify(block.input)).map((partial_json) => ({ type: 'input_json_delta', partial_json }));
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
    events.push({ type: 'content_block_stop', index });
  }
  events.push({ type: 'message_delta', delta: stop, usage: { output_tokens: 10 } }, { type: 'message_stop' });
  return [{ ...frame, content, ...stop, usage }, events.map((event) => [event.type, event])];
};

const chat: Form = (turn, number) => {
  const calls = callsOf(turn, number).map(({ id, name, args }) => ({
    id,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }));
  const message = { role: 'assistant', content: textOf(turn) || null, ...(calls.length && { tool_calls: calls }) };
  const finish_reason = calls.length ? 'tool_calls' : 'stop';
  const usage = { prompt_tokens: 100 * number, completion_tokens: 10, total_tokens: 100 * number + 10 };
  const frame = { id: `chatcmpl-${number}`, created: 1, model: 'gpt-4o' };
  const chunk = (delta: Dict, reason: string | null = null): [undefined, Dict] => [
    undefined,
    { ...frame, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }] },
  ];
  const chunks = [chunk({ role: 'assistant', content: '' }), ...words(textOf(turn)).map((content) => chunk({ content }))];
  for (const [index, call] of calls.entries()) {
    const { name, arguments: args } = call.function;
    chunks.push(chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name, arguments: '' } }] }));
    for (const piece of pieces(args)) chunks.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
  }
  const document = { ...frame, object: 'chat.completion', choices: [{ index: 0, message, finish_reason }], usage };
  return [document, [...chunks, chunk({}, finish_reason)]];
};

const responses: Form = (turn, number) => {
  const output: Dict[] = [];
  const text = textOf(turn);
  if (text) {
    const content = [{ type: 'output_text', text, annotations: [] }];
    output.push({ type: 'message', id: `m_${number}`, status: 'completed', role: 'assistant', content });
  }
  for (const { id, name, args } of callsOf(turn, number)) {
    output.push({ type: 'function_call', status: 'completed', id: `fc_${id}`, call_id: id, name, arguments: JSON.stringify(args) });
  }
  const usage = {
    input_tokens: 100 * number,
    output_tokens: 10,
    total_tokens: 100 * number + 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens_details: { reasoning_tokens: 0 },
  };
  const frame = { id: `resp_${number}a7B9cD3eF5gH1jK2`, object: 'response', created_at: 1, model: 'gpt-4o' };
  const head = { tool_choice: 'auto', tools: [], parallel_tool_calls: true };
  const document = { ...frame, ...head, status: 'completed', output, usage };
  const events: Dict[] = [{ type: 'response.created', response: { ...frame, ...head, status: 'in_progress', output: [] } }];
  for (const [output_index, item] of output.entries()) {
    const isMessage = item.type === 'message';
    const empty = { ...item, status: 'in_progress', ...(isMessage ? { content: [] } : { arguments: '' }) };
    events.push({ type: 'response.output_item.added', output_index, item: empty });
    const place = { item_id: item.id, output_index };
    if (isMessage) {
      const inner = { ...place, content_index: 0 };
      events.push({ type: 'response.content_part.added', ...inner, part: { type: 'output_text', text: '', annotations: [] } });
      for (const delta of words(text)) events.push({ type: 'response.output_text.delta', ...inner, delta, logprobs: [] });
      events.push({ type: 'response.output_text.done', ...inner, text, logprobs: [] });
      events.push({ type: 'response.content_part.done', ...inner, part: item.content[0] });
    } else {
      for (const delta of pieces(item.arguments)) {
        events.push({ type: 'response.function_call_arguments.delta', ...place, delta });
      }
      events.push({ type: 'response.function_call_arguments.done', ...place, arguments: item.arguments, name: item.name });
    }
    events.push({ type: 'response.output_item.done', output_index, item });
  }
  events.push({ type: 'response.completed', response: document });
  return [document, events.map((event, at) => [event.type, { ...event, sequence_number: at }])];
};

const gemini: Form = (turn, number) => {
  const text = textOf(turn);
  const parts: Dict[] = text ? [{ text }] : [];
  for (const { name, args } of callsOf(turn, number)) parts.push({ functionCall: { name, args } });
  const usageMetadata = { promptTokenCount: 100 * number, candidatesTokenCount: 10, totalTokenCount: 100 * number + 10 };
  const answer = (parts: Dict[], isLast: boolean): Dict => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(isLast && { finishReason: 'STOP' }) }],
    usageMetadata,
    modelVersion: 'gemini-3-pro',
    responseId: `r${number}`,
  });
  return [answer(parts, true), parts.map((part, at) => [undefined, answer([part], at === parts.length - 1)])];
};
