"""Pydantic AI's agents with the real models of OpenAI and Anthropic, against a provider on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from agents_task import check_loop, curious_agent, read_log
from conversations import log, records
from scripted import Scripted, scripted

from headroom import Engine

pytest.importorskip("pydantic_ai.capabilities")
openai = pytest.importorskip("openai")
anthropic = pytest.importorskip("anthropic")

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.messages import (
    ModelRequest,
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

from headroom.integrations.pydantic_ai import HeadroomCapability, _shape, _with_content
from headroom.integrations._shapes import Shrinker


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted(curious_agent) as running:
        yield running


def model(provider: Scripted, kind: str) -> Any:
    if kind == "anthropic":
        client = anthropic.AsyncAnthropic(base_url=provider.url, api_key="x")
        return AnthropicModel("claude-opus-5-5", provider=AnthropicProvider(anthropic_client=client))
    client = openai.AsyncOpenAI(base_url=provider.url + "/v1", api_key="x")
    return OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
async def test_a_loop_of_several_turns(provider: Scripted, kind: str) -> None:
    own = HeadroomCapability(engine=Engine())
    agent = Agent(model(provider, kind), tools=[read_log], capabilities=[own])
    run = await agent.run("Why did it fail?")
    assert run.output == "The pool was exhausted." and own.total_tokens_saved > 0
    check_loop(provider)
    parts = [part for message in run.all_messages() for part in message.parts]
    kept = [part.content for part in parts if isinstance(part, ToolReturnPart) and part.tool_name == "read_log"]
    assert kept == [log(), log(7907)], "the history is whole"


async def test_without_the_tool_nothing_is_left_out(provider: Scripted) -> None:
    own = HeadroomCapability(engine=Engine(), retrieve=False)
    await Agent(model(provider, "openai"), tools=[read_log], capabilities=[own]).run("Why?")
    check_loop(provider, retrieves=False)


def test_only_texts_of_results_change() -> None:
    rows = [{"id": n, "state": "ready", "zone": "eu", "size": n * 31 % 7} for n in range(70)]
    image = BinaryContent(data=b"x", media_type="image/png")
    call = ToolCallPart("Bash", {"command": "ls"}, tool_call_id="c")
    messages: list[Any] = [
        ModelRequest([UserPromptPart(records(50))], instructions="I"),
        ModelResponse([ThinkingPart("hm", signature="s"), TextPart("t"), call], provider_details={"x": 1}),
        ModelRequest(
            [
                ToolReturnPart("Bash", records(), tool_call_id="c", metadata={"kept": True}),
                ToolReturnPart("Bash", rows, tool_call_id="d"),
                ToolReturnPart("Bash", ["a picture", image], tool_call_id="e"),
                ToolReturnPart("Bash", log(), tool_call_id="f", outcome="failed"),
            ]
        ),
    ]
    new: list[Any] = Shrinker(Engine(), _shape, _with_content).now(messages, "gpt-4o")
    assert new[0] is messages[0] and new[1] is messages[1]
    first, second, third, fourth = new[2].parts
    assert first.content.startswith("[60 rows") and first.metadata == {"kept": True} and first.tool_call_id == "c"
    assert str(second.content).startswith("[70 rows") and second.timestamp == messages[2].parts[1].timestamp
    assert third is messages[2].parts[2] and fourth is messages[2].parts[3]
    assert messages[2].parts[0].content == records() and messages[2].parts[1].content is rows
