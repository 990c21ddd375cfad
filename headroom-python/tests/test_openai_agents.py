"""The OpenAI Agents SDK with its real models, against a provider on loopback."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
from agents_task import check_loop, curious_agent, read_log
from conversations import log, records
from scripted import Scripted, scripted

from headroom import Engine, with_headroom

sdk = pytest.importorskip("agents")
openai = pytest.importorskip("openai")

from agents.run import CallModelData, ModelInputData

from headroom.integrations.openai_agents import HeadroomInputFilter


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with scripted(curious_agent) as running:
        yield running


def agent(client: Any, tools: list[Any], kind: str) -> Any:
    sdk.set_tracing_disabled(True)
    made = sdk.OpenAIResponsesModel if kind == "responses" else sdk.OpenAIChatCompletionsModel
    return sdk.Agent(name="a", instructions="Help.", model=made("gpt-4o", client), tools=tools)


def client(provider: Scripted) -> Any:
    return openai.AsyncOpenAI(base_url=provider.url + "/v1", api_key="x", max_retries=0)


@pytest.mark.parametrize("kind", ["responses", "chat"])
async def test_a_loop_of_several_turns(provider: Scripted, kind: str) -> None:
    engine = Engine()
    tools = [sdk.function_tool(read_log), sdk.function_tool(engine.headroom_retrieve)]
    own = HeadroomInputFilter(engine=engine)
    config = sdk.RunConfig(call_model_input_filter=own)
    run = await sdk.Runner.run(agent(client(provider), tools, kind), "Why did it fail?", run_config=config)
    assert run.final_output == "The pool was exhausted." and own.total_tokens_saved > 0
    check_loop(provider)
    assert log() in str([item.to_input_item() for item in run.new_items]).replace("\\n", "\n"), "the session is whole"


@pytest.mark.parametrize("kind", ["responses", "chat"])
async def test_the_hidden_tool_needs_no_filter(provider: Scripted, kind: str) -> None:
    made = agent(with_headroom(client(provider), engine=Engine()), [sdk.function_tool(read_log)], kind)
    run = await sdk.Runner.run(made, "Why did it fail?", run_config=sdk.RunConfig())
    assert run.final_output == "The pool was exhausted."
    assert "headroom" not in str([item.to_input_item() for item in run.new_items])
    assert len(provider.bodies) == 4


async def test_only_outputs_change() -> None:
    image: Any = {"type": "input_image", "image_url": "data:,"}
    items: list[Any] = [
        {"role": "user", "content": records(50)},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "Bash", "arguments": "{}", "id": "fc_1"},
        {"type": "function_call_output", "call_id": "c", "output": records(), "own": 1},
        {"type": "function_call_output", "call_id": "d", "output": [{"type": "input_text", "text": records(70)}, image]},
        {"type": "item_reference", "id": "x"},
    ]
    data = CallModelData(ModelInputData(input=items, instructions="I"), sdk.Agent(name="a"), None)
    before = dataclasses.replace(data.model_data, input=[*items])
    new = await HeadroomInputFilter(engine=Engine())(data)
    assert data.model_data == before and new.instructions == "I" and len(new.input) == len(items)
    assert [old is now for old, now in zip(items, new.input, strict=True)] == [True, True, True, False, False, True]
    changed: Any = new.input[3]
    assert {**changed, "output": records()} == items[3] and changed["output"].startswith("[60 rows")
    parts: Any = new.input[4]
    assert parts["output"][1] is image
