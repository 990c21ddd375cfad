"""LiteLLM, the real package against a provider on loopback."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from conversations import conversation, log, records
from provider import Provider

from headroom import Engine, retrieve_tool

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydantic")

litellm = pytest.importorskip("litellm")

from headroom.integrations.litellm_callback import HeadroomCallback  # noqa: E402

TOOLS = [retrieve_tool("openai")]


@pytest.fixture
def headroom(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeadroomCallback]:
    callback = HeadroomCallback(engine=Engine())
    monkeypatch.setattr(litellm, "callbacks", [callback])
    yield callback
    for name in ("input_callback", "success_callback", "failure_callback", "_async_success_callback", "service_callback"):
        getattr(litellm, name, []).clear()


def arguments(upstream: Provider, model: str = "openai/gpt-4o") -> dict[str, Any]:
    base = upstream.url + ("" if model.startswith("anthropic") else "/v1")
    return {"model": model, "api_base": base, "api_key": "x", "messages": conversation("openai", records(), log())}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5", "hosted_vllm/qwen", "deepseek/deepseek-chat"])
def test_synchronous_calls_are_smaller(upstream: Provider, headroom: HeadroomCallback, model: str, stream: bool) -> None:
    given = arguments(upstream, model)
    before = copy.deepcopy(given["messages"])
    answer = litellm.completion(**given, tools=TOOLS, stream=stream)
    if stream:
        assert "".join(chunk.choices[0].delta.content or "" for chunk in answer) == "done"
    else:
        assert answer.choices[0].message.content == "done"
    sent = str(upstream.last["messages"])
    assert "[60 rows" in sent and "[headroom:" in sent and "ERROR pool 7919" in sent
    assert given["messages"] == before, "the caller's messages are not touched"
    assert headroom.total_tokens_saved > 0


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"])
async def test_asynchronous_calls_are_smaller_and_counted_once(
    upstream: Provider, headroom: HeadroomCallback, model: str, stream: bool
) -> None:
    given = arguments(upstream, model)
    before = copy.deepcopy(given["messages"])
    answer = await litellm.acompletion(**given, tools=TOOLS, stream=stream)
    if stream:
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in answer]) == "done"
    sent = str(upstream.last["messages"])
    assert "[60 rows" in sent and "[headroom:" in sent
    assert given["messages"] == before
    expected = Engine().compress(before, given["model"], tools=TOOLS)
    assert headroom.total_tokens_saved == expected.tokens_saved


async def test_a_router_sends_what_the_engine_makes(upstream: Provider, headroom: HeadroomCallback) -> None:
    given = arguments(upstream)
    messages = given.pop("messages")
    router = litellm.Router(model_list=[{"model_name": "main", "litellm_params": given}])
    await router.acompletion("main", messages=messages, tools=TOOLS)
    asynchronous = upstream.last["messages"]
    router.completion("main", messages=messages, tools=TOOLS)
    assert asynchronous == upstream.last["messages"] == Engine().compress(messages, tools=TOOLS).messages


async def test_calls_of_other_apis_are_smaller(upstream: Provider, headroom: HeadroomCallback) -> None:
    base = {"api_key": "x"}
    await litellm.aresponses(
        model="openai/gpt-4o", api_base=upstream.url + "/v1", input=conversation("responses", records()), **base
    )
    assert upstream.paths[-1].endswith("/responses") and "[60 rows" in str(upstream.last["input"])
    await litellm.anthropic.messages.acreate(
        model="anthropic/claude-sonnet-4-5",
        api_base=upstream.url,
        max_tokens=9,
        messages=conversation("anthropic", records()),
        **base,
    )
    assert upstream.paths[-1].endswith("/messages") and "[60 rows" in str(upstream.last["messages"])


def test_nothing_changes_where_nothing_is_saved(upstream: Provider, headroom: HeadroomCallback) -> None:
    given = arguments(upstream)
    given["messages"] = conversation("openai", "ok")
    litellm.completion(**given)
    assert upstream.last["messages"] == given["messages"] and headroom.total_tokens_saved == 0
