"""Agno's agents with the real models of OpenAI and Anthropic, against a provider on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agents_task import check_loop, curious_agent, read_log
from conversations import log, records
from scripted import Scripted, scripted

from headroom import Engine, with_headroom

pytest.importorskip("agno.models.openai")
pytest.importorskip("openai")
pytest.importorskip("anthropic")

from agno.agent import Agent
from agno.models.anthropic import Claude
from agno.models.message import Message
from agno.models.openai import OpenAIChat

from headroom.integrations.agno import HeadroomAgnoModel, HeadroomCompressionManager


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted(curious_agent) as running:
        yield running


def chat(provider: Scripted) -> OpenAIChat:
    return OpenAIChat(id="gpt-4o", api_key="x", base_url=provider.url + "/v1")


def agent(model: Any, engine: Engine, **more: Any) -> Agent:
    return Agent(model=model, tools=[read_log, engine.headroom_retrieve], telemetry=False, **more)


@pytest.mark.parametrize("stream", [False, True])
def test_a_loop_of_several_turns(provider: Scripted, stream: bool) -> None:
    engine = Engine()
    model: Any = HeadroomAgnoModel(chat(provider), engine=engine)
    assert type(model).__mro__[1] is OpenAIChat and model.id == "gpt-4o"
    asked: Any = agent(model, engine)
    run = asked.run("Why did it fail?", stream=stream)
    content = "".join(getattr(event, "content", None) or "" for event in run) if stream else run.content
    assert "The pool was exhausted." in content
    check_loop(provider)
    assert model.total_tokens_saved > 0 and model.get_savings_summary()["total_requests"] == 4


async def test_an_asynchronous_loop_keeps_the_history_whole(provider: Scripted) -> None:
    engine = Engine()
    run = await agent(HeadroomAgnoModel(wrapped_model=chat(provider), engine=engine), engine).arun("Why?")
    check_loop(provider)
    results = [message.content for message in run.messages or () if message.role == "tool"]
    assert log() in results and log(7907) in results


def test_a_loop_with_claude(provider: Scripted) -> None:
    engine = Engine()
    claude = Claude(id="claude-opus-5-5", api_key="x", client_params={"base_url": provider.url})
    assert "exhausted" in str(agent(HeadroomAgnoModel(claude, engine=engine), engine).run("Why?").content)
    check_loop(provider)


async def test_clients_answer_the_model_themselves(provider: Scripted) -> None:
    sdk = pytest.importorskip("openai")
    url = provider.url + "/v1"
    now = with_headroom(sdk.OpenAI(base_url=url, api_key="x"), engine=Engine())
    later = with_headroom(sdk.AsyncOpenAI(base_url=url, api_key="x"), engine=Engine())
    for is_async in (False, True):
        own = Agent(model=OpenAIChat(id="gpt-4o", client=now, async_client=later), tools=[read_log], telemetry=False)
        run = await own.arun("Why?") if is_async else own.run("Why?")
        assert "The pool was exhausted." in str(run.content)
        assert "headroom" not in str(run.messages)
        check_loop(provider)
        provider.bodies.clear()


def test_the_given_model_stays_as_it_is(provider: Scripted) -> None:
    plain = chat(provider)
    HeadroomAgnoModel(plain)
    assert type(plain) is OpenAIChat
    Agent(model=plain, tools=[read_log], telemetry=False).run("Why?")
    assert provider.requests[-1]["messages"][-1]["content"] == log(7907)
    with pytest.raises(TypeError, match="expected a model of Agno, not str"):
        HeadroomAgnoModel("gpt-4o")


def test_its_compression_manager(provider: Scripted) -> None:
    engine = Engine()
    manager = HeadroomCompressionManager(engine=engine)

    def list_records() -> str:
        """Lists the records."""
        return records()

    provider.model = lambda asked: (
        ["Done."] if any(message["role"] == "tool" for message in asked["messages"]) else [("list_records", {})]
    )
    run = Agent(
        model=chat(provider),
        tools=[list_records],
        compression_manager=manager,
        compress_tool_results=True,
        telemetry=False,
    ).run("What is there?")
    (sent,) = [message["content"] for message in provider.requests[-1]["messages"] if message["role"] == "tool"]
    assert sent.startswith("[60 rows") and manager.total_tokens_saved > 0
    (kept,) = [message for message in run.messages or () if message.role == "tool"]
    assert kept.content == records() and kept.compressed_content == sent


def test_only_texts_of_results_change() -> None:
    from headroom.integrations.agno import _shape, _with_content
    from headroom.integrations._shapes import Shrinker

    call: Any = {"id": "c", "type": "function", "function": {"name": "Bash", "arguments": '{"command":"ls"}'}}
    image: Any = {"type": "image_url", "image_url": {"url": "data:,"}}
    messages = [
        Message(role="system", content=records(40)),
        Message(role="user", content=records(50), files=None),
        Message(role="assistant", content=None, tool_calls=[call], reasoning_content="hm", provider_data={"x": 1}),
        Message.model_validate(
            {"role": "tool", "tool_call_id": "c", "content": records(), "provider_data": {"y": [2]}, "own": "kept"}
        ),
        Message(role="tool", tool_call_id="d", content=[{"type": "text", "text": records(70)}, image]),
        Message(role="tool", tool_call_id="e", content=log(), tool_call_error=True),
        Message(role="tool", tool_call_id="f", content=None),
    ]
    before = [message.model_copy(deep=True) for message in messages]
    new = Shrinker(Engine(), _shape, _with_content).now(messages, "gpt-4o")
    assert messages == before, "the given ones are not touched"
    assert [old is now for old, now in zip(messages, new, strict=True)] == [True, True, True, False, False, True, True]
    assert str(new[3].content).startswith("[60 rows")
    assert new[3].model_copy(update={"content": messages[3].content}) == messages[3], "all else is the same"
    assert isinstance(new[4].content, list) and new[4].content[1] is image
