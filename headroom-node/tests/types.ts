/** What the compiler is to accept and refuse. This file is compiled, and never run. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { wrapLanguageModel, type LanguageModelMiddleware, type ToolSet } from 'ai';
import { wrapLanguageModel as wrap5, type LanguageModelMiddleware as Middleware5, type ToolSet as ToolSet5 } from 'ai-5';
import { wrapLanguageModel as wrap6, type LanguageModelMiddleware as Middleware6, type ToolSet as ToolSet6 } from 'ai-6';
import { createOpenAI } from '@ai-sdk/openai';
import {
  compress,
  compressRequest,
  Engine,
  headroomAnthropicMiddleware,
  headroomFetch,
  Store,
  withHeadroom,
  type CompressResult,
} from 'headroom-rs';
import * as anthropic from 'headroom-rs/anthropic';
import * as gemini from 'headroom-rs/gemini';
import * as openai from 'headroom-rs/openai';
import * as remote from 'headroom-rs/remote';
import { headroomMiddleware, headroomTools } from 'headroom-rs/vercel-ai';
import { headroomMiddleware as langchainMiddleware } from 'headroom-rs/langchain';
import { headroomProcessor } from 'headroom-rs/mastra';
import { headroomInputFilter, headroomTool } from 'headroom-rs/openai-agents';
import { headroomMiddleware as serverMiddleware, headroomRequest } from 'headroom-rs/server';
import { Agent, run, type CallModelInputFilter } from '@openai/agents';
import { Agent as MastraAgent } from '@mastra/core/agent';
import type { Processor } from '@mastra/core/processors';
import express from 'express';
import { Hono } from 'hono';
import { createAgent } from 'langchain';
import OpenAI, { AzureOpenAI, type APIPromise } from 'openai';

/** Whether two types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

// A client keeps its type, and its calls keep theirs.
const client = withHeadroom(new Anthropic());
same<typeof client, Anthropic>(true);
same<ReturnType<typeof client.messages.stream>, ReturnType<Anthropic['messages']['stream']>>(true);
same<AzureOpenAI, ReturnType<typeof withHeadroom<AzureOpenAI>>>(true);
const chat = withHeadroom(new OpenAI()).chat.completions.create({ model: 'm', messages: [] });
same<typeof chat, APIPromise<OpenAI.ChatCompletion> & { _request_id?: string | null }>(false);
void (chat satisfies APIPromise<OpenAI.ChatCompletion>).withResponse();
same<ReturnType<typeof gemini.withHeadroom<GoogleGenAI>>, GoogleGenAI>(true);
same<ReturnType<typeof openai.withHeadroom<OpenAI>>, OpenAI>(true);
new Anthropic({ middleware: [headroomAnthropicMiddleware()] });
new Anthropic({ fetch: headroomFetch() });
new OpenAI({ fetch: headroomFetch(fetch, { retrieval: 'off' }) });
createOpenAI({ fetch: headroomFetch() });
const ours = headroomFetch();
same<typeof ours, typeof fetch>(true);
same<ReturnType<typeof anthropic.withHeadroom<Anthropic>>, Anthropic>(true);
// @ts-expect-error no client
withHeadroom('client');
// @ts-expect-error no such retrieval
withHeadroom(new OpenAI(), { retrieval: 'file' });

// Messages keep their type.
const messages: OpenAI.ChatCompletionMessageParam[] = [];
const result = await compress(messages, { model: 'gpt-5', tools: [] as OpenAI.ChatCompletionTool[] });
same<typeof result, CompressResult<OpenAI.ChatCompletionMessageParam>>(true);
same<typeof result.messages, OpenAI.ChatCompletionMessageParam[]>(true);
same<typeof result.tokensBefore, number>(true);
await compress([] as Anthropic.MessageParam[], { toolChoice: { type: 'auto' } satisfies Anthropic.ToolChoice });
await compress([{ role: 'user', content: 'hi' }] as const);
// @ts-expect-error no list
await compress('hello');
// @ts-expect-error an option of headroom-ai that has no meaning here
await compress(messages, { baseUrl: 'http://localhost:8787' });
const far = await remote.compress(messages, { baseUrl: 'http://localhost:8787' });
same<typeof far.messages, OpenAI.ChatCompletionMessageParam[]>(true);
// @ts-expect-error the proxy names no originals
void far.originals;
await compressRequest(new Uint8Array());
// @ts-expect-error no body
await compressRequest({});
// @ts-expect-error no such tier
new Engine({ tier: 'most' });
// @ts-expect-error abstract
new Store();

// The middleware fits each version.
headroomMiddleware() satisfies LanguageModelMiddleware;
headroomMiddleware() satisfies Middleware6;
headroomMiddleware() satisfies Middleware5;
headroomTools() satisfies ToolSet;
headroomTools() satisfies ToolSet6;
headroomTools() satisfies ToolSet5;
const model = createOpenAI()('gpt-5');
wrapLanguageModel({ model, middleware: [headroomMiddleware()] });
void [wrap5, wrap6];
createAgent({ model: 'openai:gpt-5', middleware: [langchainMiddleware()] });

// Agents take what is made for them.
headroomInputFilter() satisfies CallModelInputFilter;
const agent = new Agent({ name: 'a', tools: [headroomTool()] });
await run(agent, 'Why?', { callModelInputFilter: headroomInputFilter() });
await run(agent, 'Why?', { callModelInputFilter: headroomInputFilter(), stream: true });
// @ts-expect-error no such option
headroomInputFilter({ retrieval: 'off' });
headroomProcessor() satisfies Processor<'headroom'>;
new MastraAgent({ id: 'a', name: 'a', instructions: '', model: 'openai/gpt-5', inputProcessors: [headroomProcessor()] });

// Servers, too.
express().use('/v1', serverMiddleware({ engine: new Engine() }));
new Hono().use(async (c, next) => {
  c.req.raw = await headroomRequest(c.req.raw, { maxBody: 1 });
  await next();
});
const POST = async (request: Request): Promise<Response> => fetch(await headroomRequest(request));
void POST;
// @ts-expect-error no request
await headroomRequest('https://example.com');
