/** The format of requests: Anthropic Messages, OpenAI Chat Completions or Responses, Gemini, or Bedrock Converse. */
export type ApiName = 'anthropic' | 'openai' | 'responses' | 'gemini' | 'converse';

/** Blocks that only Anthropic Messages have. */
const ANTHROPIC_BLOCKS = ['tool_use', 'tool_result', 'thinking', 'redacted_thinking'];
/** Items that only OpenAI Responses have. */
const RESPONSES_ITEMS = [
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'local_shell_call_output',
  'reasoning',
  'shell_call_output',
];

/** Returns the API that the first telling message shows; if there is none, the messages hold no result of a tool. */
export function apiOf(messages: readonly unknown[]): ApiName {
  for (const message of messages) {
    const api = apiOfMessage(message);
    if (api) return api;
  }
  return 'openai';
}

function apiOfMessage(message: unknown): ApiName | undefined {
  if (!isRecord(message)) return undefined;
  if (message['parts'] != null) return 'gemini';
  if (RESPONSES_ITEMS.includes(message['type'] as string)) return 'responses';
  const isChat = ['tool', 'developer', 'function'].includes(message['role'] as string);
  if (message['tool_calls'] != null || isChat) return 'openai';
  if (!Array.isArray(message['content'])) return undefined;
  for (const block of message['content'] as unknown[]) {
    if (!isRecord(block)) continue;
    if (block['toolUse'] != null || block['toolResult'] != null) return 'converse';
    if (ANTHROPIC_BLOCKS.includes(block['type'] as string)) return 'anthropic';
  }
  return undefined;
}

/** Whether a value has named members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of a request that has the messages. */
export function listName(api: ApiName): 'input' | 'contents' | 'messages' {
  return api === 'responses' ? 'input' : api === 'gemini' ? 'contents' : 'messages';
}
