/** A model of the AI SDK whose tool results get smaller before every step. */
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, tool, wrapLanguageModel } from 'ai';
import { headroomMiddleware, headroomTools } from 'headroom-rs/vercel-ai';

import { provider, readLog } from './provider.js';

await provider(async (baseURL) => {
  const openai = createOpenAI({ baseURL, apiKey: 'key' });
  const { text } = await generateText({
    model: wrapLanguageModel({ model: openai.chat('gpt-5'), middleware: headroomMiddleware() }),
    tools: {
      read_log: tool({ inputSchema: jsonSchema<object>({ type: 'object' }), execute: async () => readLog() }),
      ...headroomTools(),
    },
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
