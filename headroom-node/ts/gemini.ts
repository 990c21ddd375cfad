export { withHeadroom } from './clients.js';
export type { ClientOptions } from './compressor.js';
