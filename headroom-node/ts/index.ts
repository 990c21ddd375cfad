/**
 * Makes the prompts in LLM requests smaller. The model answers the same.
 *
 * ```ts
 * import { compress } from 'headroom-rs';
 *
 * const result = await compress(messages, { model: 'gpt-5' });
 * ```
 *
 * @packageDocumentation
 */
export { withHeadroom, headroomAnthropicMiddleware } from './clients.js';
export type { ClientOptions } from './compressor.js';
export { SharedContext } from './context.js';
export type { ContextEntry, SharedContextOptions, SharedContextStats } from './context.js';
export { compress, compressRequest, compressText, defaultEngine, headroomRetrieve, retrieve } from './default.js';
export { Engine } from './engine.js';
export type {
  CallOptions,
  CompressOptions,
  EngineOptions,
  RequestOptions,
  Retrieval,
  RetrieveArguments,
  RetrievePart,
  TextOptions,
  Tier,
} from './options.js';
export { ConfigurationError, HeadroomError, StoreError } from './errors.js';
export { headroomFetch } from './fetch.js';
export type { Fetch } from './fetch.js';
export type {
  BlockReport,
  CompressResult,
  Outcome,
  Report,
  RequestResult,
  TextResult,
  UnreadableMessage,
} from './results.js';
export type { ApiName } from './shape.js';
export { FolderStore, MemoryStore, RedisStore, Store } from './stores.js';
export type { RedisStoreOptions, StoreOptions } from './stores.js';
export { headroomTools, retrieveTool } from './tools.js';
export type { RetrieveTool } from './tools.js';
export { version } from './version.js';
