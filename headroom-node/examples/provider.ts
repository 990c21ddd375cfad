/** A provider on loopback for the examples: it prints what it gets of the log, and answers "done". */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import type OpenAI from 'openai';

/** Runs the provider while the work lasts. */
export async function provider(work: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    console.log(`${request.url} got ${body.length} characters`);
    console.log(/\[headroom:[^\]]*\]|\[\d+ rows[^\]]*/.exec(body)?.[0]);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(request.url ?? '')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function answer(path: string): object {
  if (path.endsWith('/messages')) {
    const content = [{ type: 'text', text: 'done' }];
    const usage = { input_tokens: 1, output_tokens: 1 };
    return { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content, stop_reason: 'end_turn', usage };
  }
  const choice = { index: 0, message: { role: 'assistant', content: 'done' }, finish_reason: 'stop' };
  return { id: 'c', object: 'chat.completion', created: 1, model: 'gpt-5', choices: [choice] };
}

/** The output of a tool: a log that is mostly alike. */
export function readLog(): string {
  const time = (n: number): string => `10:0${Math.floor(n / 60)}:${String(n % 60).padStart(2, '0')}`;
  const line = (n: number): string => `${time(n)} INFO served request ${n} in ${(n * 7919) % 97} ms`;
  return Array.from({ length: 300 }, (_, n) => line(n)).join('\n');
}

/** A conversation in which a tool has read the log. */
export function conversation(): OpenAI.ChatCompletionMessageParam[] {
  return [
    { role: 'user', content: 'Which requests were slow?' },
    { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'read_log', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: '1', content: readLog() },
  ];
}

/** The tools of the conversation. */
export const TOOLS: OpenAI.ChatCompletionTool[] = [
  { type: 'function', function: { name: 'read_log', parameters: { type: 'object', properties: {} } } },
];
