import { createMiddleware, tool, type BaseMessage } from 'langchain';

import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import { isRecord } from './shape.js';
import { retrieveTool } from './tools.js';

/** Settings of the middleware. */
export interface MiddlewareOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
}

/**
 * Returns a middleware for agents of LangChain, 1.0 or newer, which makes the tool results smaller that the model sees. The agent's state
 * stays whole. The agent gets one tool more, `headroom_retrieve`, with which the model reads what was left out.
 *
 * Only the contents of tool messages change, in copies that keep their id, status, artifact and all else.
 *
 * ```ts
 * const agent = createAgent({ model: 'openai:gpt-5', tools, middleware: [headroomMiddleware()] });
 * ```
 */
export function headroomMiddleware(options: MiddlewareOptions = {}) {
  checkOptions(options, ['engine']);
  const engine = engineOr(options.engine);
  return createMiddleware({
    name: 'HeadroomMiddleware',
    tools: engine.retrieval === 'off' ? [] : [toolOf(engine)],
    wrapModelCall: async (request, handler) => {
      const tools = request.tools.map((given) => ({ name: (given as { name?: unknown }).name }));
      const model = nameOf(request.model);
      const messages = await compressMessages(request.messages, { engine, model, tools });
      return handler(messages === request.messages ? request : { ...request, messages });
    },
  });
}

/** What a request has besides its messages. */
export interface MessagesOptions extends MiddlewareOptions {
  /** The name of the model. */
  model?: string;
  /** The tools of the request. Parts are left out only if they have `headroom_retrieve`. */
  tools?: readonly unknown[];
}

/** Returns the messages with smaller tool results: the given array if nothing changed. */
export async function compressMessages(messages: BaseMessage[], options: MessagesOptions = {}): Promise<BaseMessage[]> {
  checkOptions(options, ['engine', 'model', 'tools']);
  const { model = '', tools = [] } = options;
  // In the shape of Anthropic's messages, which alone says that a result is an error.
  const shaped = messages.map(shapeOf);
  const result = await engineOr(options.engine).compress(shaped, { model, tools, api: 'anthropic' });
  if (!result.compressed) return messages;
  return messages.map((message, index) => {
    const made = result.messages[index];
    return made && made !== shaped[index] ? withContent(message, made) : message;
  });
}

/** A message as Anthropic has it. */
interface Shaped {
  role: string;
  content: unknown;
}

function shapeOf(message: BaseMessage): Shaped {
  const { type, content } = message;
  if (type === 'tool') {
    const { tool_call_id: id, status } = message as BaseMessage & { tool_call_id?: string; status?: string };
    const result = { type: 'tool_result', tool_use_id: id, content: contentOf(content), ...(status === 'error' && { is_error: true }) };
    return { role: 'user', content: [result] };
  }
  if (type !== 'ai') return { role: 'user', content: contentOf(content) };
  const { tool_calls: calls = [] } = message as BaseMessage & { tool_calls?: { id?: string; name: string; args: unknown }[] };
  const uses = calls.map(({ id, name, args }) => ({ type: 'tool_use', id, name, input: args }));
  const said = contentOf(content);
  return { role: 'assistant', content: [...(typeof said === 'string' ? [{ type: 'text', text: said }] : said), ...uses] };
}

/** Returns a content with a block of text for every block, so that places stay. */
function contentOf(content: unknown): string | { type: string; text: string }[] {
  if (!Array.isArray(content)) return typeof content === 'string' ? content : '';
  return content.map((block: unknown) => {
    const text = isRecord(block) && block['type'] === 'text' ? block['text'] : block;
    return { type: 'text', text: typeof text === 'string' ? text : '' };
  });
}

/** Returns a copy of a tool message with its content as it was made. */
function withContent(message: BaseMessage, made: Shaped): BaseMessage {
  const [{ content: to }] = made.content as [{ content: string | { text: string }[] }];
  const given = message.content as string | unknown[];
  const content = typeof to === 'string' ? to : to.map(({ text }, index) => blockWith((given as unknown[])[index], text));
  const members = Object.getOwnPropertyDescriptors(message);
  const copy = Object.create(Object.getPrototypeOf(message) as object, members) as BaseMessage;
  // The second is what it is written to a store from.
  const written = { ...(message.lc_kwargs as object), content };
  return Object.assign(copy, { content, lc_kwargs: written });
}

function blockWith(block: unknown, text: string): unknown {
  if (typeof block === 'string') return text;
  return isRecord(block) && block['type'] === 'text' && block['text'] !== text ? { ...block, text } : block;
}

function nameOf(model: unknown): string {
  const { model: name, modelName } = model as { model?: unknown; modelName?: unknown };
  const found = name ?? modelName;
  return typeof found === 'string' ? found : '';
}

function toolOf(engine: Engine) {
  const { function: definition } = retrieveTool('openai') as {
    function: { name: string; description: string; parameters: Record<string, unknown> };
  };
  const { name, description, parameters } = definition;
  return tool((args: unknown) => engine.answer(args as object), { name, description, schema: parameters });
}
