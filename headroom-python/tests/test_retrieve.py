"""What markers stand for, and the tool that shows it."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from conversations import APIS, conversation, log

import headroom
from headroom import Engine, retrieve_tool


def test_the_tool_answers_as_the_model_asks() -> None:
    engine = Engine()
    result = engine.compress(conversation("openai", log()), tools=[retrieve_tool("openai")])
    (handle,) = result.originals
    original = engine.store.get(handle)
    assert original == log()
    lines = original.splitlines()
    assert engine.retrieve(handle, lines="5-6").endswith(f":\n{lines[4]}\n{lines[5]}\n")
    for arguments in ({"hash": handle, "query": "request 77 "}, json.dumps({"hash": handle, "query": "request 77 "})):
        assert "served request 77 in" in engine.answer(arguments)
    assert engine.headroom_retrieve(f"[headroom:{handle}", "5") == engine.retrieve(handle, lines="5")
    assert engine.retrieve("aaaaaaaaaaaaaaaa").startswith('Nothing is kept under "aaaaaaaaaaaaaaaa"')
    assert engine.answer("no json").startswith('The call needs a "hash"')


async def test_the_functions_of_the_package_share_an_engine() -> None:
    result = headroom.compress(conversation("anthropic", log(31)), tools=[retrieve_tool("anthropic")])
    (handle,) = result.originals
    expected = log(31).splitlines()[0]
    assert expected in headroom.retrieve(handle, lines="1")
    assert expected in headroom.headroom_retrieve(handle, lines="1")
    assert expected in await headroom.default_engine().aretrieve(handle, lines="1")


def test_rows_and_paths_select_from_json() -> None:
    engine = Engine()
    handle = engine.store.put(json.dumps({"logs": [{"id": n} for n in range(9)]}))
    assert engine.retrieve(handle, rows="2").endswith('\n{"id": 1}\n') or '{"id":1}' in engine.retrieve(handle, rows="2")
    assert engine.retrieve(handle, path="logs[3].id").endswith("\n3")


@pytest.mark.parametrize("api", APIS)
def test_a_definition_opens_retrieval_and_names_the_callables_parameters(api: Any) -> None:
    tool = retrieve_tool(api)
    schema: dict[str, Any] = {
        "anthropic": lambda: tool["input_schema"],
        "openai": lambda: tool["function"]["parameters"],
        "responses": lambda: tool["parameters"],
        "gemini": lambda: tool["functionDeclarations"][0]["parameters"],
        "converse": lambda: tool["toolSpec"]["inputSchema"]["json"],
    }[api]()
    assert list(schema["properties"]) == list(inspect.signature(headroom.headroom_retrieve).parameters)
    assert schema["required"] == ["hash"]
    result = Engine().compress(conversation(api, log()), tools=[tool])
    assert result.report.retrieval == "client-tool" and len(result.originals) == 1


def test_an_unknown_api_has_no_definition() -> None:
    with pytest.raises(headroom.ConfigurationError, match="expected anthropic, openai"):
        retrieve_tool("cohere")  # type: ignore[arg-type]


def test_tenants_see_their_own() -> None:
    store = headroom.MemoryStore()
    ours, theirs = Engine(store=store, tenant="a"), Engine(store=store, tenant="b")
    (handle,) = ours.compress(conversation("openai", log()), tools=[retrieve_tool("openai")]).originals
    assert "served" in ours.retrieve(handle)
    assert theirs.retrieve(handle).startswith("Nothing is kept")
