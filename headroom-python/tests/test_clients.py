"""Clients of the real SDKs against a provider on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import conversation, log, records
from provider import Provider

from headroom import Engine, headroom_http_options, retrieve_tool, with_headroom


def expected(api: Any, messages: list[Any], tools: list[Any]) -> list[Any]:
    return Engine().compress(messages, "gpt-4o", tools=tools, api=api).messages


class TestOpenAI:
    """OpenAI's SDK."""

    @pytest.fixture
    def sdk(self) -> Any:
        return pytest.importorskip("openai")

    messages = conversation("openai", records(), log())
    tools = [retrieve_tool("openai")]

    def test_calls_send_what_the_engine_makes(self, sdk: Any, upstream: Provider) -> None:
        plain = sdk.OpenAI(base_url=upstream.url + "/v1", api_key="x", default_headers={"x-own": "1"})
        client = with_headroom(plain, engine=Engine())
        assert type(client) is type(plain)
        given: dict[str, Any] = {"model": "gpt-4o", "messages": self.messages, "tools": self.tools}
        smaller = expected("openai", self.messages, self.tools)
        answer = client.chat.completions.create(**given)
        assert answer.choices[0].message.content == "done" and upstream.last["messages"] == smaller
        assert upstream.headers[-1]["content-length"] == str(len(upstream.bodies[-1]))
        assert upstream.headers[-1]["x-own"] == "1" and upstream.headers[-1]["authorization"] == "Bearer x"
        first = upstream.bodies[-1]
        chunks = client.chat.completions.create(**given, stream=True)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "done"
        assert upstream.last["messages"] == smaller
        raw = client.chat.completions.with_raw_response.create(**given)
        assert raw.parse().choices and upstream.bodies[-1] == first
        client.with_options(max_retries=0).chat.completions.create(**given)
        assert upstream.bodies[-1] == first
        plain.chat.completions.create(**given)
        assert upstream.last["messages"] == self.messages, "the given client stays as it is"

    def test_responses_are_smaller_too(self, sdk: Any, upstream: Provider) -> None:
        client = with_headroom(sdk.OpenAI(base_url=upstream.url + "/v1", api_key="x"), engine=Engine())
        answer = client.responses.create(model="gpt-4o", input=conversation("responses", records()))
        assert answer.output_text == "done" and "[60 rows" in str(upstream.last["input"])

    async def test_asynchronous_calls_too(self, sdk: Any, upstream: Provider) -> None:
        async with with_headroom(sdk.AsyncOpenAI(base_url=upstream.url + "/v1", api_key="x"), engine=Engine()) as client:
            given: dict[str, Any] = {"model": "gpt-4o", "messages": self.messages, "tools": self.tools}
            await client.chat.completions.create(**given)
            assert upstream.last["messages"] == expected("openai", self.messages, self.tools)
            chunks = await client.chat.completions.create(**given, stream=True)
            assert "".join([chunk.choices[0].delta.content or "" async for chunk in chunks]) == "done"

    def test_azure_keeps_its_class(self, sdk: Any, upstream: Provider) -> None:
        azure = sdk.AzureOpenAI(azure_endpoint=upstream.url, api_key="x", api_version="2026-01-01")
        client = with_headroom(azure, engine=Engine())
        assert type(client) is sdk.AzureOpenAI
        client.chat.completions.create(model="gpt-4o", messages=self.messages)
        assert upstream.paths[-1] == "/openai/deployments/gpt-4o/chat/completions"
        assert "[60 rows" in str(upstream.last["messages"])

    def test_requests_without_savings_and_other_paths_pass_byte_for_byte(self, sdk: Any, upstream: Provider) -> None:
        plain = sdk.OpenAI(base_url=upstream.url + "/v1", api_key="x")
        for client in (plain, with_headroom(plain, engine=Engine())):
            client.chat.completions.create(model="gpt-4o", messages=conversation("openai", "ok"))
        assert upstream.bodies[0] == upstream.bodies[1]


class TestAnthropic:
    """Anthropic's SDK."""

    @pytest.fixture
    def sdk(self) -> Any:
        return pytest.importorskip("anthropic")

    messages = conversation("anthropic", records(), log())
    tools = [retrieve_tool("anthropic")]

    def given(self) -> dict[str, Any]:
        return {"model": "claude-opus-5-5", "max_tokens": 9, "messages": self.messages, "tools": self.tools}

    def test_calls_send_what_the_engine_makes(self, sdk: Any, upstream: Provider) -> None:
        plain = sdk.Anthropic(base_url=upstream.url, api_key="x")
        client = with_headroom(plain, engine=Engine())
        assert type(client) is type(plain)
        smaller = expected("anthropic", self.messages, self.tools)
        assert client.messages.create(**self.given()).content[0].text == "done"
        first = upstream.bodies[-1]
        assert upstream.last["messages"] == smaller
        with client.messages.stream(**self.given()) as stream:
            assert stream.get_final_message().content[0].text == "done"
        assert upstream.last["messages"] == smaller
        client.beta.messages.create(**self.given())
        assert upstream.last["messages"] == smaller
        client.messages.with_raw_response.create(**self.given())
        assert upstream.bodies[-1] == first
        plain.messages.create(**self.given())
        assert upstream.last["messages"] == self.messages, "the given client stays as it is"

    async def test_asynchronous_calls_too(self, sdk: Any, upstream: Provider) -> None:
        client = with_headroom(sdk.AsyncAnthropic(base_url=upstream.url, api_key="x"), engine=Engine())
        await client.messages.create(**self.given())
        assert upstream.last["messages"] == expected("anthropic", self.messages, self.tools)

    def test_answers_of_the_sdk_go_back_as_they_are(self, sdk: Any, upstream: Provider) -> None:
        client = with_headroom(sdk.Anthropic(base_url=upstream.url, api_key="x"), engine=Engine())
        call = {"type": "tool_use", "id": "call_0", "name": "Bash", "input": {"command": "ls"}}
        upstream.answers = [
            {
                **{"id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use"},
                **{"content": [call], "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}},
            }
        ]
        answer = client.messages.create(**self.given())
        result = {"type": "tool_result", "tool_use_id": "call_0", "content": records()}
        later = [self.messages[0], {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        client.messages.create(**{**self.given(), "messages": later})
        assert upstream.last["messages"][1]["content"] == [call]
        assert upstream.last["messages"][2]["content"][0]["content"].startswith("[60 rows")
        compressed = Engine().compress(later)
        assert compressed.messages[1] is later[1] and compressed.tokens_saved > 0


class TestGoogle:
    """Google's SDK."""

    @pytest.fixture
    def sdk(self) -> Any:
        return pytest.importorskip("google.genai")

    def contents(self, sdk: Any) -> list[Any]:
        types = sdk.types
        call = types.Part(function_call=types.FunctionCall(name="Bash", args={"command": "ls"}))
        response = types.Part.from_function_response(name="Bash", response={"output": records()})
        return [
            types.Content(role="user", parts=[types.Part(text="hi")]),
            types.Content(role="model", parts=[call]),
            types.Content(role="user", parts=[response]),
        ]

    async def test_calls_are_smaller(self, sdk: Any, upstream: Provider) -> None:
        options = headroom_http_options(engine=Engine(), base_url=upstream.url)
        client = sdk.Client(api_key="x", http_options=options)
        contents = self.contents(sdk)
        assert client.models.generate_content(model="gemini-3-pro", contents=contents).text == "done"
        assert "[60 rows" in str(upstream.last["contents"])
        chunks = client.models.generate_content_stream(model="gemini-3-pro", contents=contents)
        assert [chunk.text for chunk in chunks] == ["done"] and "[60 rows" in str(upstream.last["contents"])
        answer = await client.aio.models.generate_content(model="gemini-3-pro", contents=contents)
        assert answer.text == "done" and "[60 rows" in str(upstream.last["contents"])

    def test_its_objects_are_messages_too(self, sdk: Any) -> None:
        contents = self.contents(sdk)
        result = Engine().compress(contents, "gemini-3-pro")
        assert result.report.api == "gemini" and result.unreadable == {}
        assert [old is new for old, new in zip(contents, result.messages, strict=True)] == [True, True, False]
        new = result.messages[2]
        assert type(new) is type(contents[2]) and new.parts[0].function_response.name == "Bash"
        assert new.parts[0].function_response.response["output"].startswith("[60 rows")
        assert contents[2].parts[0].function_response.response["output"] == records()

    async def test_a_finished_client_is_copied(self, sdk: Any, upstream: Provider) -> None:
        plain = sdk.Client(api_key="x", http_options=sdk.types.HttpOptions(base_url=upstream.url))
        client = with_headroom(plain, engine=Engine())
        assert type(client) is sdk.Client and client.models is not plain.models
        contents = self.contents(sdk)
        assert client.models.generate_content(model="gemini-3-pro", contents=contents).text == "done"
        assert "[60 rows" in str(upstream.last["contents"])
        answer = await client.aio.models.generate_content(model="gemini-3-pro", contents=contents)
        assert answer.text == "done" and "[60 rows" in str(upstream.last["contents"])
        plain.models.generate_content(model="gemini-3-pro", contents=contents)
        assert "[60 rows" not in str(upstream.last["contents"]), "the given client stays as it is"


@pytest.mark.parametrize("wrong", [None, "client", json])
def test_what_is_no_client_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError, match="expected a client"):
        with_headroom(wrong)
