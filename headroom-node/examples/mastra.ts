/** An agent of Mastra whose model sees small tool results. */
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { headroomProcessor } from 'headroom-rs/mastra';
import { z } from 'zod';

import { provider, readLog } from './provider.js';

await provider(async (baseURL) => {
  const read = createTool({ id: 'read_log', description: 'Reads the log', inputSchema: z.object({}), execute: async () => readLog() });
  const agent = new Agent({
    id: 'assistant',
    name: 'Assistant',
    instructions: 'Answer briefly.',
    model: { id: 'custom/gpt-5', url: baseURL, apiKey: 'key' },
    tools: { read_log: read },
    inputProcessors: [headroomProcessor()],
  });
  const { text } = await agent.generate([
    { role: 'user', content: 'Which requests were slow?' },
    { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'read_log', input: {} }] },
    { role: 'tool', content: [{ type: 'tool-result', toolCallId: '1', toolName: 'read_log', output: { type: 'text', value: readLog() } }] },
  ]);
  console.log(text);
});
