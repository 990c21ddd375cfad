/** Agents share long texts, small or whole. */
import { SharedContext } from 'headroom-rs';

const context = new SharedContext({ model: 'gpt-5' });
const rows = Array.from({ length: 60 }, (_, id) => ({ id, state: 'ready', zone: 'eu' }));
const entry = await context.put('machines', JSON.stringify(rows), { agent: 'scout' });
console.log(context.get('machines'));
console.log(`${entry.originalTokens} tokens became ${entry.compressedTokens}`);
console.log(context.get('machines', { full: true }) === entry.original);
