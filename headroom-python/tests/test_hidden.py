"""Calls of `headroom_retrieve` are answered behind the caller's back, by clients of the real SDKs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conversations import conversation, log, question, turn
from scripted import Scripted, Turn, scripted

from headroom import Engine, MemoryStore, with_headroom

Dict = dict[str, Any]
MARKER = re.compile(r"\[headroom:([a-z2-7]{12,})")
FOUND = "request 142 in"
SCHEMA: Dict = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


def texts(value: Any) -> str:
    """All that a request says, without escapes."""
    if isinstance(value, str):
        return value + "\n"
    if isinstance(value, dict):
        return "".join(texts(item) for item in value.values())
    return "".join(texts(item) for item in value) if isinstance(value, list) else ""


def curious(asked: Dict) -> Turn:
    """A model that retrieves a line which is left out, runs a command, and then says what it saw."""
    said = texts([asked.get(name) for name in ("messages", "input", "contents")])
    tools = json.dumps(asked.get("tools"))
    if FOUND not in said and "headroom_retrieve" in tools:
        hash = MARKER.findall(said)[0]
        return ["Let me look. ", ("headroom_retrieve", {"hash": hash, "lines": "141-145"})]
    if "second log" not in said:
        return ["I run it once more.", ("Bash", {"command": "cat second log"})]
    return ["The pool was exhausted, and " + ("I saw it." if FOUND in said else "I did not see it.")]


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted(curious) as running:
        yield running


class Sdk:
    """One API of one SDK. `ask` returns the text and the calls of an answer, and the message to send back."""

    api = ""

    def client(self, url: str, *, is_async: bool = False) -> Any:
        raise NotImplementedError

    def given(self, messages: list[Any]) -> Dict:
        raise NotImplementedError

    def whole(self, client: Any, messages: list[Any]) -> Any:
        raise NotImplementedError

    def streamed(self, client: Any, messages: list[Any]) -> Any:
        raise NotImplementedError

    async def awhole(self, client: Any, messages: list[Any]) -> Any:
        raise NotImplementedError

    async def astreamed(self, client: Any, messages: list[Any]) -> Any:
        raise NotImplementedError

    def said(self, answer: Any) -> tuple[str, list[str]]:
        """The text and the names of the called tools."""
        raise NotImplementedError

    def back(self, answer: Any) -> list[Any]:
        """The messages that go back for an answer, with the result of its call."""
        raise NotImplementedError


class Anthropic(Sdk):
    """Messages."""

    api = "anthropic"

    def client(self, url: str, *, is_async: bool = False) -> Any:
        sdk = pytest.importorskip("anthropic")
        return (sdk.AsyncAnthropic if is_async else sdk.Anthropic)(base_url=url, api_key="x", max_retries=0)

    def given(self, messages: list[Any]) -> Dict:
        tools = [{"name": "Bash", "input_schema": SCHEMA}]
        return {"model": "claude-opus-5-5", "max_tokens": 99, "tools": tools, "messages": messages}

    def whole(self, client: Any, messages: list[Any]) -> Any:
        return client.messages.create(**self.given(messages))

    def streamed(self, client: Any, messages: list[Any]) -> Any:
        with client.messages.stream(**self.given(messages)) as stream:
            text = "".join(stream.text_stream)
            answer = stream.get_final_message()
        assert text == self.said(answer)[0], "deltas come in order"
        return answer

    async def awhole(self, client: Any, messages: list[Any]) -> Any:
        return await client.messages.create(**self.given(messages))

    async def astreamed(self, client: Any, messages: list[Any]) -> Any:
        async with client.messages.stream(**self.given(messages)) as stream:
            text = "".join([piece async for piece in stream.text_stream])
            answer = await stream.get_final_message()
        assert text == self.said(answer)[0], "deltas come in order"
        return answer

    def said(self, answer: Any) -> tuple[str, list[str]]:
        text = "".join(block.text for block in answer.content if block.type == "text")
        return text, [block.name for block in answer.content if block.type == "tool_use"]

    def back(self, answer: Any) -> list[Any]:
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": log(7907)}
            for block in answer.content
            if block.type == "tool_use"
        ]
        return [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]


class Chat(Sdk):
    """Chat Completions."""

    api = "openai"

    def client(self, url: str, *, is_async: bool = False) -> Any:
        sdk = pytest.importorskip("openai")
        return (sdk.AsyncOpenAI if is_async else sdk.OpenAI)(base_url=url + "/v1", api_key="x", max_retries=0)

    def given(self, messages: list[Any]) -> Dict:
        tools = [{"type": "function", "function": {"name": "Bash", "parameters": SCHEMA}}]
        return {"model": "gpt-4o", "tools": tools, "messages": messages}

    def whole(self, client: Any, messages: list[Any]) -> Any:
        return client.chat.completions.create(**self.given(messages)).choices[0].message

    def streamed(self, client: Any, messages: list[Any]) -> Any:
        with client.chat.completions.stream(**self.given(messages)) as stream:
            return stream.get_final_completion().choices[0].message

    async def awhole(self, client: Any, messages: list[Any]) -> Any:
        return (await client.chat.completions.create(**self.given(messages))).choices[0].message

    async def astreamed(self, client: Any, messages: list[Any]) -> Any:
        async with client.chat.completions.stream(**self.given(messages)) as stream:
            return (await stream.get_final_completion()).choices[0].message

    def said(self, answer: Any) -> tuple[str, list[str]]:
        return answer.content or "", [call.function.name for call in answer.tool_calls or ()]

    def back(self, answer: Any) -> list[Any]:
        calls = [call.model_dump(include={"id", "type", "function"}) for call in answer.tool_calls]
        for call in calls:
            call["function"] = {name: call["function"][name] for name in ("name", "arguments")}
        results = [{"role": "tool", "tool_call_id": call["id"], "content": log(7907)} for call in calls]
        return [{"role": "assistant", "content": answer.content, "tool_calls": calls}, *results]


class Responses(Chat):
    """Responses."""

    api = "responses"

    def given(self, messages: list[Any]) -> Dict:
        tools = [{"type": "function", "name": "Bash", "parameters": SCHEMA}]
        return {"model": "gpt-4o", "tools": tools, "input": messages, "store": False}

    def whole(self, client: Any, messages: list[Any]) -> Any:
        return client.responses.create(**self.given(messages))

    def streamed(self, client: Any, messages: list[Any]) -> Any:
        with client.responses.stream(**self.given(messages)) as stream:
            deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
            answer = stream.get_final_response()
        assert "".join(deltas) == answer.output_text, "deltas come in order"
        return answer

    async def awhole(self, client: Any, messages: list[Any]) -> Any:
        return await client.responses.create(**self.given(messages))

    async def astreamed(self, client: Any, messages: list[Any]) -> Any:
        async with client.responses.stream(**self.given(messages)) as stream:
            return await stream.get_final_response()

    def said(self, answer: Any) -> tuple[str, list[str]]:
        return answer.output_text, [item.name for item in answer.output if item.type == "function_call"]

    def back(self, answer: Any) -> list[Any]:
        calls = [item for item in answer.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": log(7907)} for call in calls]
        return [*(item.model_dump(mode="json", exclude_none=True) for item in answer.output), *results]


class Google(Sdk):
    """Gemini."""

    api = "gemini"

    def client(self, url: str, *, is_async: bool = False) -> Any:
        sdk = pytest.importorskip("google.genai")
        return sdk.Client(api_key="x", http_options=sdk.types.HttpOptions(base_url=url))

    def given(self, messages: list[Any]) -> Dict:
        types = pytest.importorskip("google.genai").types
        declaration = types.FunctionDeclaration(name="Bash", parameters_json_schema=SCHEMA)
        tools = [types.Tool(function_declarations=[declaration])]
        return {"model": "gemini-3-pro", "contents": messages, "config": types.GenerateContentConfig(tools=tools)}

    def _joined(self, chunks: list[Any]) -> Any:
        first = chunks[0]
        for chunk in chunks[1:]:
            first.candidates[0].content.parts += chunk.candidates[0].content.parts
        return first

    def whole(self, client: Any, messages: list[Any]) -> Any:
        return client.models.generate_content(**self.given(messages))

    def streamed(self, client: Any, messages: list[Any]) -> Any:
        return self._joined(list(client.models.generate_content_stream(**self.given(messages))))

    async def awhole(self, client: Any, messages: list[Any]) -> Any:
        return await client.aio.models.generate_content(**self.given(messages))

    async def astreamed(self, client: Any, messages: list[Any]) -> Any:
        return self._joined([chunk async for chunk in await client.aio.models.generate_content_stream(**self.given(messages))])

    def said(self, answer: Any) -> tuple[str, list[str]]:
        parts = answer.candidates[0].content.parts
        return "".join(part.text or "" for part in parts), [part.function_call.name for part in parts if part.function_call]

    def back(self, answer: Any) -> list[Any]:
        result = {"functionResponse": {"name": "Bash", "response": {"output": log(7907)}}}
        return [answer.candidates[0].content, {"role": "user", "parts": [result]}]


SDKS = [Anthropic(), Chat(), Responses(), Google()]
by_sdk = pytest.mark.parametrize("sdk", SDKS, ids=[sdk.api for sdk in SDKS])


def follow_up(sdk: Sdk, messages: list[Any], answer: Any) -> list[Any]:
    return [*messages, *sdk.back(answer), question(sdk.api, "And in the second log?")]


def unmarked(value: Any) -> Any:
    """A request without its cache breakpoints, which are no content."""
    if isinstance(value, dict):
        return {name: unmarked(item) for name, item in value.items() if name != "cache_control"}
    return [unmarked(item) for item in value] if isinstance(value, list) else value


def check(sdk: Sdk, provider: Scripted, first: Any, second: Any) -> None:
    """Two answers to a caller who knows nothing of four requests."""
    text, calls = sdk.said(first)
    assert text == "Let me look. I run it once more." and calls == ["Bash"]
    assert "headroom" not in repr(first) and "headroom" not in repr(second)
    assert sdk.said(second)[0] == "The pool was exhausted, and I saw it."
    asked = provider.requests
    assert len(asked) == 3, "one round was hidden"
    assert FOUND not in texts(asked[0]) and FOUND in texts(asked[1]) and MARKER.search(texts(asked[0]))
    name = "contents" if sdk.api == "gemini" else "input" if sdk.api == "responses" else "messages"
    if sdk.api == "anthropic":
        assert asked[1]["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}, "it is read again soon"
    before, after = unmarked(asked[1][name]), unmarked(asked[2][name])
    assert after[: len(before)] == before, "what was hidden is put back where it was, so that caches keep hitting"
    assert asked[0]["tools"] == asked[2]["tools"]
    assert all(headers["accept-encoding"] == "identity" for headers in provider.headers)


class TestTheHiddenTool:
    """Whole and streaming, synchronous and not."""

    @by_sdk
    @pytest.mark.parametrize("way", ["whole", "streamed"])
    def test_a_caller_sees_nothing_of_it(self, sdk: Sdk, way: str, provider: Scripted) -> None:
        client = with_headroom(sdk.client(provider.url), engine=Engine())
        ask: Callable[..., Any] = getattr(sdk, way)
        messages = conversation(sdk.api, log())
        first = ask(client, messages)
        check(sdk, provider, first, ask(client, follow_up(sdk, messages, first)))

    @by_sdk
    @pytest.mark.parametrize("way", ["awhole", "astreamed"])
    async def test_nor_does_an_asynchronous_one(self, sdk: Sdk, way: str, provider: Scripted) -> None:
        client = with_headroom(sdk.client(provider.url, is_async=True), engine=Engine())
        ask: Callable[..., Any] = getattr(sdk, way)
        messages = conversation(sdk.api, log())
        first = await ask(client, messages)
        check(sdk, provider, first, await ask(client, follow_up(sdk, messages, first)))

    @by_sdk
    def test_an_empty_store_after_a_restart_breaks_nothing(self, sdk: Sdk, provider: Scripted) -> None:
        messages = conversation(sdk.api, log())
        first = sdk.whole(with_headroom(sdk.client(provider.url), engine=Engine()), messages)
        again = with_headroom(sdk.client(provider.url), engine=Engine(store=MemoryStore()))
        second = sdk.whole(again, follow_up(sdk, messages, first))
        assert "headroom" not in repr(second) and sdk.said(second)[0].endswith("I saw it.")
        assert len(provider.bodies) == 4, "it was retrieved once more"

    @by_sdk
    def test_a_refused_request_is_sent_as_it_came(self, sdk: Sdk, provider: Scripted) -> None:
        messages = conversation(sdk.api, log())
        sdk.whole(sdk.client(provider.url), messages)
        (plain,) = provider.bodies

        def strict(asked: Dict) -> Any:
            if "headroom_retrieve" in json.dumps(asked):
                return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": "no such tool"}}
            return ["Fine."]

        provider.model = strict
        client = with_headroom(sdk.client(provider.url), engine=Engine())
        assert sdk.said(sdk.whole(client, messages))[0] == "Fine."
        assert provider.bodies[2] == plain and len(provider.bodies) == 3

    @by_sdk
    def test_other_tools_answers_pass(self, sdk: Sdk, provider: Scripted) -> None:
        provider.model = lambda _: ["Hello.", ("Bash", {"command": "ls"})]
        client = with_headroom(sdk.client(provider.url), engine=Engine())
        for ask in (sdk.whole, sdk.streamed):
            assert sdk.said(ask(client, conversation(sdk.api, log()))) == ("Hello.", ["Bash"])
        assert len(provider.bodies) == 2

    @by_sdk
    def test_without_it_nothing_is_added(self, sdk: Sdk, provider: Scripted) -> None:
        for client in (
            with_headroom(sdk.client(provider.url), engine=Engine(), retrieval="off"),
            with_headroom(sdk.client(provider.url), engine=Engine(retrieval="off")),
        ):
            sdk.whole(client, conversation(sdk.api, log()))
        assert "headroom" not in texts(provider.requests)


class TestConnections:
    """What is opened is closed."""

    async def test_leaving_a_stream_closes_the_connection(self, provider: Scripted) -> None:
        sdk = Anthropic()
        provider.pause.clear()
        client = with_headroom(sdk.client(provider.url, is_async=True), engine=Engine())
        async with client.messages.stream(**sdk.given(conversation("anthropic", log()))) as stream:
            async for event in stream:
                if event.type == "text":
                    break
        provider.pause.set()
        assert provider.broke_off.wait(5) or len(provider.bodies) == 1, "no further round is asked for"

    async def test_cancelling_a_call_closes_the_connection(self, provider: Scripted) -> None:
        import asyncio

        sdk = Chat()
        provider.pause.clear()
        client = with_headroom(sdk.client(provider.url, is_async=True), engine=Engine())
        call = asyncio.create_task(sdk.astreamed(client, conversation("openai", log())))
        while not provider.bodies:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.close()
        provider.pause.set()
        await asyncio.sleep(0.2)
        assert len(provider.bodies) == 1, "no further round is asked for"

    @by_sdk
    def test_a_provider_that_is_not_there_raises_as_ever(self, sdk: Sdk) -> None:
        errors = []
        for client in (sdk.client("http://127.0.0.1:9"), with_headroom(sdk.client("http://127.0.0.1:9"), engine=Engine())):
            with pytest.raises(Exception) as raised:  # noqa: PT011
                sdk.whole(client, conversation(sdk.api, log()))
            errors.append(type(raised.value))
        assert errors[0] is errors[1]


def test_raw_responses_and_usage_are_the_sdks_own(provider: Scripted) -> None:
    sdk = Anthropic()
    client = with_headroom(sdk.client(provider.url), engine=Engine())
    raw = client.messages.with_raw_response.create(**sdk.given(conversation("anthropic", log())))
    assert raw.headers["content-type"] == "application/json" and int(raw.headers["content-length"]) == len(raw.read())
    message = raw.parse()
    assert message.usage.output_tokens == 20, "of both rounds"
    assert turn("anthropic", 0, "")[0]["role"] == message.role
