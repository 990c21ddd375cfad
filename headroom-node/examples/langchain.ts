/** An agent of LangChain whose model sees small tool results. */
import { ChatOpenAI } from '@langchain/openai';
import { headroomMiddleware } from 'headroom-rs/langchain';
import { AIMessage, createAgent, HumanMessage, tool, ToolMessage } from 'langchain';

import { provider, readLog } from './provider.js';

await provider(async (baseURL) => {
  const readLogTool = tool(() => readLog(), { name: 'read_log', description: 'Reads the log', schema: { type: 'object', properties: {} } });
  const agent = createAgent({
    model: new ChatOpenAI({ model: 'gpt-5', apiKey: 'key', configuration: { baseURL } }),
    tools: [readLogTool],
    middleware: [headroomMiddleware()],
  });
  const { messages } = await agent.invoke({
    messages: [
      new HumanMessage('Which requests were slow?'),
      new AIMessage({ content: '', tool_calls: [{ id: '1', name: 'read_log', args: {} }] }),
      new ToolMessage({ content: readLog(), tool_call_id: '1' }),
    ],
  });
  console.log(messages.at(-1)?.content);
});
