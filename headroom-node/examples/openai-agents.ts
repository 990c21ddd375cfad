/** An agent of OpenAI's Agents SDK whose model sees small tool outputs. */
import { Agent, OpenAIChatCompletionsModel, run, setTracingDisabled, tool, type AgentInputItem } from '@openai/agents';
import { headroomInputFilter, headroomTool } from 'headroom-rs/openai-agents';
import OpenAI from 'openai';
import { z } from 'zod';

import { provider, readLog } from './provider.js';

setTracingDisabled(true);
await provider(async (baseURL) => {
  const read = tool({ name: 'read_log', description: 'Reads the log', parameters: z.object({}), execute: async () => readLog() });
  const model = new OpenAIChatCompletionsModel(new OpenAI({ baseURL, apiKey: 'key' }), 'gpt-5');
  const agent = new Agent({ name: 'Assistant', model, tools: [read, headroomTool()] });
  const input: AgentInputItem[] = [
    { role: 'user', content: 'Which requests were slow?' },
    { type: 'function_call', callId: '1', name: 'read_log', arguments: '{}' },
    { type: 'function_call_result', callId: '1', name: 'read_log', status: 'completed', output: readLog() },
  ];
  const { finalOutput } = await run(agent, input, { callModelInputFilter: headroomInputFilter() });
  console.log(finalOutput);
});
