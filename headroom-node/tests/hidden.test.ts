/** Calls of `headroom_retrieve` are answered behind the caller's back, by clients of the real SDKs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Engine, headroomFetch, withHeadroom } from 'headroom-rs';

import { conversation, log, type Message } from './conversations.js';
import { Scripted, scripted, type Model } from './scripted.js';
import { curious, followUp, FOUND, MARKER, SDKS, texts, type Sdk } from './sdks.js';

/** A request without its cache breakpoints, which are no content. */
function unmarked(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, item) => (name === 'cache_control' ? undefined : item)));
}

/** Two answers to a caller who knows nothing of three requests. */
function check(sdk: Sdk, provider: Scripted, first: unknown, second: unknown): void {
  assert.deepEqual(sdk.said(first), ['Let me look. I run it once more.', ['Bash']]);
  assert.doesNotMatch(JSON.stringify([first, second]), /headroom/);
  assert.equal(sdk.said(second)[0], 'The pool was exhausted, and I saw it.');
  const asked = provider.requests as [Message, Message, Message];
  assert.equal(asked.length, 3, 'one round was hidden');
  assert.ok(!texts(asked[0]).includes(FOUND) && texts(asked[1]).includes(FOUND) && MARKER.test(texts(asked[0])));
  const name = { gemini: 'contents', responses: 'input' }[sdk.api as string] ?? 'messages';
  const [before, after] = [unmarked(asked[1][name]), unmarked(asked[2][name])] as [unknown[], unknown[]];
  assert.deepEqual(after.slice(0, before.length), before, 'what was hidden is put back, so that caches keep hitting');
  assert.deepEqual(asked[0].tools, asked[2].tools);
  for (const headers of provider.headers) assert.equal(headers['accept-encoding'], 'identity');
}

const WAYS: Record<string, (sdk: Sdk, url: string) => any> = {
  withHeadroom: (sdk, url) => withHeadroom(sdk.client(url), { engine: new Engine() }),
  headroomFetch: (sdk, url) => sdk.client(url, headroomFetch(undefined, { engine: new Engine() })),
};

for (const sdk of SDKS) {
  for (const [way, make] of Object.entries(WAYS)) {
    for (const how of ['whole', 'streamed'] as const) {
      test(`a caller sees nothing of it: ${sdk.api}, ${way}, ${how}`, () =>
        scripted(curious, async (provider) => {
          const client = make(sdk, provider.url);
          const messages = conversation(sdk.api, log());
          const first = await sdk[how](client, messages);
          check(sdk, provider, first, await sdk[how](client, followUp(sdk, messages, first)));
        }));
    }
  }

  test(`the given client stays as it is: ${sdk.api}`, () =>
    scripted(() => ['Fine.'], async (provider) => {
      const client = sdk.client(provider.url);
      const made = withHeadroom(client);
      assert.equal(made.constructor, client.constructor);
      await sdk.whole(client, conversation(sdk.api, log()));
      assert.doesNotMatch(provider.bodies[0] as string, /headroom/);
    }));

  test(`an empty store after a restart breaks nothing: ${sdk.api}`, () =>
    scripted(curious, async (provider) => {
      const make = () => withHeadroom(sdk.client(provider.url), { engine: new Engine() });
      const messages = conversation(sdk.api, log());
      const first = await sdk.whole(make(), messages);
      const second = await sdk.whole(make(), followUp(sdk, messages, first));
      assert.doesNotMatch(JSON.stringify(second), /headroom/);
      assert.match(sdk.said(second)[0], /I saw it\.$/);
      assert.equal(provider.bodies.length, 4, 'it was retrieved once more');
    }));

  test(`a refused request is sent as it came: ${sdk.api}`, () => {
    const strict: Model = (asked) =>
      JSON.stringify(asked).includes('headroom_retrieve')
        ? { status: 400, body: '{"type":"error","error":{"type":"invalid_request_error","message":"no such tool"}}' }
        : ['Fine.'];
    return scripted(strict, async (provider) => {
      const messages = conversation(sdk.api, log());
      await sdk.whole(sdk.client(provider.url), messages);
      const client = withHeadroom(sdk.client(provider.url), { engine: new Engine() });
      assert.equal(sdk.said(await sdk.whole(client, messages))[0], 'Fine.');
      assert.equal(provider.bodies.length, 3);
      assert.equal(provider.bodies[2], provider.bodies[0]);
    });
  });

  test(`answers with other calls pass, and without retrieval nothing is added: ${sdk.api}`, () =>
    scripted(() => ['Hello.', ['Bash', { command: 'ls' }]], async (provider) => {
      const client = withHeadroom(sdk.client(provider.url), { engine: new Engine() });
      for (const how of ['whole', 'streamed'] as const) {
        assert.deepEqual(sdk.said(await sdk[how](client, conversation(sdk.api, log()))), ['Hello.', ['Bash']]);
      }
      assert.equal(provider.bodies.length, 2);
      for (const options of [{ engine: new Engine(), retrieval: 'off' as const }, { engine: new Engine({ retrieval: 'off' }) }]) {
        await sdk.whole(withHeadroom(sdk.client(provider.url), options), conversation(sdk.api, log()));
      }
      assert.doesNotMatch(provider.bodies.slice(2).join(), /headroom/);
    }));

  test(`a provider that is not there throws as ever: ${sdk.api}`, async () => {
    const errors: unknown[] = [];
    for (const client of [sdk.client('http://127.0.0.1:9'), withHeadroom(sdk.client('http://127.0.0.1:9'))]) {
      await sdk.whole(client, conversation(sdk.api, log())).catch((error: Error) => errors.push(error.constructor));
    }
    assert.equal(errors.length, 2);
    assert.equal(errors[0], errors[1]);
  });
}
