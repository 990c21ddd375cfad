/** Conversations with long tool results, in the shape of each API. */
import type { ApiName } from 'headroom-rs';

export type Message = Record<string, any>;

export const APIS: ApiName[] = ['anthropic', 'openai', 'responses', 'gemini', 'converse'];

/** A log that is mostly alike, with one error that must stay visible. */
export function log(seed = 7919, lines = 300): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const rows = Array.from(
    { length: lines },
    (_, n) => `2026-01-01T10:${two(Math.floor(n / 60))}:${two(n % 60)} INFO served request ${n} in ${(n * seed) % 97} ms`,
  );
  rows[Math.floor(lines / 2)] = `2026-01-01T10:02:30 ERROR pool ${seed} exhausted: no connection after 30 s`;
  return `${rows.join('\n')}\n`;
}

/** Records that make a table. */
export function records(count = 60): string {
  const row = (n: number) => ({ id: n, state: 'ready', zone: 'eu', size: (n * 31) % 7 });
  return JSON.stringify(Array.from({ length: count }, (_, n) => row(n)));
}

/** A call and its result. */
export function turn(api: ApiName, number: number, text: string, command = 'journalctl -u app'): Message[] {
  const [name, id, args] = ['Bash', `call_${number}`, { command }];
  switch (api) {
    case 'openai': {
      const call = { id, type: 'function', function: { name, arguments: JSON.stringify(args) } };
      return [
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: id, content: text },
      ];
    }
    case 'responses':
      return [
        { type: 'function_call', call_id: id, name, arguments: JSON.stringify(args) },
        { type: 'function_call_output', call_id: id, output: text },
      ];
    case 'gemini':
      return [
        { role: 'model', parts: [{ functionCall: { name, args } }] },
        { role: 'user', parts: [{ functionResponse: { name, response: { output: text } } }] },
      ];
    case 'converse': {
      const toolResult = { toolUseId: id, status: 'success', content: [{ text }] };
      return [
        { role: 'assistant', content: [{ toolUse: { toolUseId: id, name, input: args } }] },
        { role: 'user', content: [{ toolResult }] },
      ];
    }
    case 'anthropic': {
      const content = [{ type: 'text', text }];
      const result = { type: 'tool_result', tool_use_id: id, content, cache_control: { type: 'ephemeral' } };
      return [
        { role: 'assistant', content: [{ type: 'tool_use', id, name, input: args }] },
        { role: 'user', content: [result] },
      ];
    }
  }
}

/** A prompt of the user. */
export function question(api: ApiName, text = 'Why did the pool fail?'): Message {
  if (api === 'gemini') return { role: 'user', parts: [{ text }] };
  return { role: 'user', content: api === 'converse' ? [{ text }] : text };
}

/** The member of a request that has the messages. */
export function listName(api: ApiName): string {
  return api === 'responses' ? 'input' : api === 'gemini' ? 'contents' : 'messages';
}

/** A question, and a call with its result for each text. */
export function conversation(api: ApiName, ...texts: string[]): Message[] {
  return [question(api), ...texts.flatMap((text, number) => turn(api, number, text))];
}

export const SCHEMA = { type: 'object', properties: { command: { type: 'string' } } } as const;
