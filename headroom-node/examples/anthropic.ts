/** A client of Anthropic's SDK that sends smaller requests. OpenAI's and Google's work alike. */
import Anthropic from '@anthropic-ai/sdk';
import { withHeadroom } from 'headroom-rs';

import { provider, readLog } from './provider.js';

await provider(async (baseURL) => {
  const client = withHeadroom(new Anthropic({ baseURL, apiKey: 'key' }));
  const message = await client.messages.create({
    model: 'claude-opus-5-5',
    max_tokens: 1000,
    tools: [{ name: 'read_log', input_schema: { type: 'object', properties: {} } }],
    messages: [
      { role: 'user', content: 'Which requests were slow?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'read_log', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: readLog() }] },
    ],
  });
  console.log(message.content);
});
