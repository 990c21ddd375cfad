/** Compresses messages that you send yourself. */
import { compress, headroomRetrieve, retrieveTool } from 'headroom-rs';

import { readLog } from './provider.js';

const messages = [
  { role: 'user', content: 'Which requests were slow?' },
  { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: { name: 'read_log', arguments: '{}' } }] },
  { role: 'tool', tool_call_id: '1', content: readLog() },
];
// With this tool the model can get back what is left out.
const tools = [retrieveTool('openai')];

const result = await compress(messages, { model: 'gpt-5', tools });
console.log(result.messages[2]?.content);
console.log(`${result.tokensBefore} tokens became ${result.tokensAfter}`);

// When the model calls headroom_retrieve:
console.log(await headroomRetrieve({ hash: result.originals[0] as string, query: 'in 96 ms' }));
