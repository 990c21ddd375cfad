/** A `fetch` for every SDK that takes one: here a provider of the AI SDK. Calls of `headroom_retrieve` stay hidden. */
import { createAnthropic } from '@ai-sdk/anthropic';
import { generateText, jsonSchema, tool } from 'ai';
import { headroomFetch } from 'headroom-rs';

import { provider, readLog } from './provider.js';

await provider(async (baseURL) => {
  const anthropic = createAnthropic({ baseURL, apiKey: 'key', fetch: headroomFetch() });
  const { text } = await generateText({
    model: anthropic('claude-opus-5-5'),
    tools: { read_log: tool({ inputSchema: jsonSchema<object>({ type: 'object' }), execute: async () => readLog() }) },
    messages: [
      { role: 'user', content: 'Which requests were slow?' },
      { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'read_log', input: {} }] },
      {
        role: 'tool',
        content: [{ type: 'tool-result', toolCallId: '1', toolName: 'read_log', output: { type: 'text', value: readLog() } }],
      },
    ],
  });
  console.log(text);
});
