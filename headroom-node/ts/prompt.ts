/** Prompts of the AI SDK, which Mastra has as well. */
import type { Engine } from './engine.js';
import type { TextEdit } from './rebuild.js';
import { isRecord } from './shape.js';

/** What a call of a model has besides its prompt. */
export interface PromptHead {
  model: string;
  /** The tools, as the AI SDK has them. */
  tools: unknown;
  /** The tool choice, as the AI SDK has it. */
  toolChoice: unknown;
}

/**
 * Compresses the tool results of a prompt, in the shape of Anthropic's messages, which alone says that a result is an error. Returns the
 * given prompt if nothing changed.
 */
export async function compressPrompt(engine: Engine, prompt: unknown[], head: PromptHead): Promise<unknown[]> {
  const messages = prompt.map(messageOf);
  const tools = Array.isArray(head.tools) ? head.tools.map(toolOf) : undefined;
  const toolChoice = choiceOf(head.toolChoice);
  const result = await engine.compress(messages, { model: head.model, toolChoice, api: 'anthropic', ...(tools && { tools }) });
  if (!result.compressed) return prompt;
  const made = prompt.slice();
  for (const edit of editsOf(messages, result.messages)) {
    const [index, , part, , item] = edit.path as [number, string, number, string, number?];
    made[index] = withOutput(made[index], part, (output) => textOutput(output, item, edit));
  }
  return made;
}

type Output = Record<string, unknown>;

/** Returns the message with another output of one of its parts. */
function withOutput(message: unknown, index: number, change: (output: Output) => Output): unknown {
  const given = message as { content: Record<string, unknown>[] };
  const content = given.content.slice();
  const part = content[index];
  if (part) content[index] = { ...part, output: change(part['output'] as Output) };
  return { ...given, content };
}

/** Returns an output with a smaller text. JSON that became a table or has a marker is text. */
function textOutput(output: Output, item: number | undefined, edit: TextEdit): Output {
  if (item === undefined) {
    return output['type'] === 'json' ? { ...output, type: 'text', value: edit.after } : { ...output, value: edit.after };
  }
  const value = (output['value'] as Record<string, unknown>[]).slice();
  value[item] = { ...value[item], text: edit.after };
  return { ...output, value };
}

/** Returns the texts of results that differ, by their place in the messages. */
function* editsOf(given: readonly Shaped[], made: readonly Shaped[]): Generator<TextEdit> {
  for (const [index, message] of made.entries()) {
    const old = given[index];
    if (message === old || !old) continue;
    for (const [part, block] of message.content.entries()) {
      const before = old.content[part];
      if (block === before || typeof block === 'string' || typeof before !== 'object') continue;
      const path = [index, 'content', part, 'content'];
      const [from, to] = [before['content'], block['content']];
      if (typeof to === 'string') {
        yield { path, before: String(from), after: to };
      } else if (Array.isArray(to)) {
        for (const [item, text] of (to as { text?: string }[]).entries()) {
          const old = (from as { text?: string }[])[item];
          if (text !== old && text.text !== undefined) yield { path: [...path, item], before: old?.text ?? '', after: text.text };
        }
      }
    }
  }
}

/** A message as Anthropic has it, with a block for every part of the given one. */
interface Shaped {
  role: string;
  content: (Record<string, unknown> | string)[];
}

function messageOf(message: unknown): Shaped {
  if (!isRecord(message)) return { role: 'user', content: [] };
  const { role, content } = message;
  const isTool = role === 'tool';
  const parts = Array.isArray(content) ? content.map((part) => blockOf(part, isTool)) : [textBlock(content)];
  return { role: role === 'assistant' ? 'assistant' : 'user', content: parts };
}

function blockOf(part: unknown, isTool: boolean): Record<string, unknown> {
  if (!isRecord(part)) return textBlock('');
  if (part['type'] === 'tool-call') {
    return { type: 'tool_use', id: part['toolCallId'], name: part['toolName'], input: part['input'] ?? {} };
  }
  // Results in other messages were made by the provider.
  if (part['type'] === 'tool-result' && isTool) {
    const { content, isError } = contentOf(part['output']);
    return { type: 'tool_result', tool_use_id: part['toolCallId'], content, ...(isError && { is_error: true }) };
  }
  return textBlock(part['type'] === 'text' ? part['text'] : '');
}

function contentOf(output: unknown): { content: unknown; isError?: boolean } {
  if (!isRecord(output)) return { content: [] };
  const { type, value } = output;
  switch (type) {
    case 'text':
      return { content: value };
    case 'json':
      return { content: jsonText(value) };
    case 'content':
      return { content: Array.isArray(value) ? value.map(itemOf) : [] };
    default:
      return { content: '', isError: true };
  }
}

function itemOf(item: unknown): unknown {
  return isRecord(item) && item['type'] === 'text' ? textBlock(item['text']) : textBlock('');
}

function textBlock(text: unknown): Record<string, unknown> {
  return { type: 'text', text: typeof text === 'string' ? text : '' };
}

/** Writes JSON as the providers of the AI SDK send it. */
function jsonText(value: unknown): string {
  try {
    return (JSON.stringify(value) as string | undefined) ?? '';
  } catch {
    return '';
  }
}

function toolOf(tool: unknown): unknown {
  if (!isRecord(tool)) return null;
  const { name, description, inputSchema } = tool;
  return { name, description, input_schema: inputSchema };
}

/** Returns a tool choice as Anthropic has it. */
function choiceOf(choice: unknown): unknown {
  if (!isRecord(choice)) return undefined;
  return choice['type'] === 'required' ? { type: 'any' } : { type: choice['type'] };
}
