/** What is sent is what the proxy sends for the same conversation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Engine, withHeadroom } from 'headroom-rs';

import { conversation, log, records, turn } from './conversations.js';
import { inFolder, noProgram, proxy } from './programs.js';
import { scripted, type Scripted } from './scripted.js';
import { curious, followUp, SDKS, type Sdk } from './sdks.js';

/** Leads a conversation of two prompts and several results, whole and streaming, and returns the bodies that came. */
async function bodiesOf(sdk: Sdk, client: unknown, provider: Scripted): Promise<string[]> {
  const messages = conversation(sdk.api, log(), records(), 'ok', `${log()}é😀\u2028`);
  const first = await sdk.whole(client, messages);
  const next = followUp(sdk, messages, first);
  const second = await sdk.streamed(client, next);
  const { length } = next;
  await sdk.streamed(client, [...next, ...turn(sdk.api, length, log(7907)), ...turn(sdk.api, length + 1, records(90))]);
  assert.doesNotMatch(JSON.stringify([first, second]), /headroom_retrieve/);
  return provider.bodies;
}

for (const sdk of SDKS) {
  test(`the bodies are those of the proxy: ${sdk.api}`, { skip: noProgram() }, () =>
    inFolder(async (home) => {
      const own = await scripted(curious, (provider) =>
        bodiesOf(sdk, withHeadroom(sdk.client(provider.url), { engine: new Engine() }), provider));
      const others = await scripted(curious, (provider) =>
        proxy(home, provider.url, (url) => bodiesOf(sdk, sdk.client(url), provider)));
      assert.ok(own.length >= 4);
      assert.deepEqual(own, others);
    }));
}
