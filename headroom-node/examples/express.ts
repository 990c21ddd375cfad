/** A server of Express whose handlers see small requests. Here the handler forwards them in its own way. */
import type { AddressInfo } from 'node:net';

import express from 'express';
import { retrieveTool } from 'headroom-rs';
import { headroomMiddleware } from 'headroom-rs/server';
import OpenAI from 'openai';

import { conversation, provider } from './provider.js';

await provider(async (upstream) => {
  const app = express();
  app.use(headroomMiddleware(), express.json({ limit: '32mb' }));
  app.post('/v1/chat/completions', async (request, response) => {
    const answer = await fetch(`${upstream}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
    });
    response.json(await answer.json());
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = new OpenAI({ baseURL, apiKey: 'key' });
  // A client with this tool can get back what is left out.
  const tools = [retrieveTool('openai') as unknown as OpenAI.ChatCompletionTool];
  const { choices } = await client.chat.completions.create({ model: 'gpt-5', messages: conversation(), tools });
  console.log(choices[0]?.message.content);
  server.closeAllConnections();
  server.close();
});
