/** A gateway of Hono that forwards with `headroomFetch`, which answers calls of `headroom_retrieve` itself. */
import { Hono } from 'hono';
import { headroomFetch } from 'headroom-rs';
import OpenAI from 'openai';

import { conversation, provider, TOOLS } from './provider.js';

await provider(async (upstream) => {
  const app = new Hono();
  const send = headroomFetch();
  app.post('/v1/*', async (c) => {
    const headers = new Headers(c.req.raw.headers);
    for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
    headers.set('accept-encoding', 'identity'); // fetch decodes an answer, and leaves its headers
    const { signal } = c.req.raw;
    return send(upstream + c.req.path, { method: 'POST', headers, body: await c.req.text(), signal });
  });

  // A server of Node is `serve({ fetch: app.fetch })` of @hono/node-server.
  const fetch = async (url: string | URL | Request, init?: RequestInit) => app.fetch(new Request(url, init));
  const client = new OpenAI({ baseURL: 'http://gateway.example/v1', apiKey: 'key', fetch });
  const { choices } = await client.chat.completions.create({ model: 'gpt-5', messages: conversation(), tools: TOOLS });
  console.log(choices[0]?.message.content);
});
