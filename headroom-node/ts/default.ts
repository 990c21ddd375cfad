import { Engine } from './engine.js';
import type { CompressOptions, RequestOptions, RetrieveArguments, RetrievePart, TextOptions } from './options.js';
import type { CompressResult, RequestResult, TextResult } from './results.js';

let engine: Engine | undefined;

/** Returns the engine that the functions of the package use: with default settings, in the memory of this process. */
export function defaultEngine(): Engine {
  return (engine ??= new Engine());
}

/** Returns the given engine, or else the one that the functions of the package use. */
export function engineOr(given: Engine | undefined): Engine {
  if (given !== undefined && !(given instanceof Engine)) throw new TypeError('engine: expected an Engine');
  return given ?? defaultEngine();
}

/** Compresses the messages of a request; see `Engine.compress`. */
export async function compress<Message>(
  messages: readonly Message[],
  options?: CompressOptions,
): Promise<CompressResult<Message>> {
  return defaultEngine().compress(messages, options);
}

/** Compresses the body of a request; see `Engine.compressRequest`. */
export async function compressRequest<Body extends string | Uint8Array>(
  body: Body,
  options?: RequestOptions,
): Promise<RequestResult<Body | Uint8Array>> {
  return defaultEngine().compressRequest(body, options);
}

/** Compresses one piece of content outside any conversation; see `Engine.compressText`. */
export async function compressText(text: string, options?: TextOptions): Promise<TextResult> {
  return defaultEngine().compressText(text, options);
}

/** Returns what a marker stands for, or a part of it; see `Engine.retrieve`. */
export async function retrieve(handle: string, part?: RetrievePart): Promise<string> {
  return defaultEngine().retrieve(handle, part);
}

/** Answers a call of `headroom_retrieve`, given its arguments as the API has them: JSON or an object. */
export async function headroomRetrieve(args: string | RetrieveArguments): Promise<string> {
  return defaultEngine().answer(args);
}
