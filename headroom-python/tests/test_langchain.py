"""LangChain, the real packages against a provider on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import log, records
from provider import Provider

from headroom import Engine

pytest.importorskip("langchain_core")
langchain_openai = pytest.importorskip("langchain_openai")
langchain_anthropic = pytest.importorskip("langchain_anthropic")
agents = pytest.importorskip("langchain.agents")

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage  # noqa: E402
from langchain_core.tools import tool  # noqa: E402

from headroom.integrations.langchain import (  # noqa: E402
    HeadroomChatModel,
    HeadroomMiddleware,
    compress_messages,
    retrieve_tool_for,
)


@tool
def list_rows() -> str:
    """Lists the rows."""
    return records()


@tool
def read_log() -> str:
    """Reads the log."""
    return log()


def history(*results: Any, status: Any = "success") -> list[BaseMessage]:
    messages: list[BaseMessage] = [SystemMessage("Be brief."), HumanMessage("Why did the pool fail?", id="h")]
    for number, result in enumerate(results):
        call = {"name": "Bash", "args": {"command": "ls"}, "id": f"c{number}"}
        messages.append(AIMessage("I look.", tool_calls=[call], id=f"a{number}"))
        artifact = {"raw": number}
        messages.append(
            ToolMessage(result, tool_call_id=f"c{number}", name="Bash", artifact=artifact, status=status, id=f"t{number}")
        )
    return messages


def openai(upstream: Provider) -> Any:
    return langchain_openai.ChatOpenAI(model="gpt-4o", base_url=upstream.url + "/v1", api_key="x")


def anthropic(upstream: Provider) -> Any:
    return langchain_anthropic.ChatAnthropic(model="claude-opus-5-5", base_url=upstream.url, api_key="x")


def test_copies_keep_everything_but_the_text() -> None:
    blocks = [{"type": "text", "text": records()}, {"type": "image", "url": "http://x/y.png"}, "plain"]
    messages = history(records(), blocks, "short")
    smaller: list[Any] = list(compress_messages(messages, "gpt-4o"))
    same = [old is new for old, new in zip(messages, smaller, strict=True)]
    assert same == [True, True, True, False, True, False, True, True]
    for at in (3, 5):
        old, new = messages[at].model_dump(), smaller[at].model_dump()
        assert old.pop("content") != new.pop("content") and old == new
    assert smaller[3].content.startswith("[60 rows")
    assert smaller[5].content[0]["text"].startswith("[headroom: same as")
    assert smaller[5].content[1] is messages[5].content[1] and smaller[5].content[2] == "plain"


def test_errors_stay_word_for_word() -> None:
    messages = history(records(), status="error")
    assert compress_messages(messages) == messages


def test_results_in_the_blocks_of_a_prompt_are_smaller() -> None:
    block = {"type": "tool_result", "tool_use_id": "c0", "content": records()}
    call = AIMessage("", tool_calls=[{"name": "Bash", "args": {}, "id": "c0"}])
    smaller: list[Any] = compress_messages([call, HumanMessage([block, {"type": "text", "text": "and?"}])])
    assert smaller[1].content[0]["content"].startswith("[60 rows")
    assert smaller[1].content[1] == {"type": "text", "text": "and?"}


def test_a_conversation_that_grows_keeps_what_was_sent() -> None:
    engine, messages = Engine(), history(log(), records(), log(), log(31))
    tools = [retrieve_tool_for(engine)]
    whole = compress_messages(messages, tools=tools, engine=engine)
    for end in range(1, len(messages)):
        assert compress_messages(messages[:end], tools=tools, engine=Engine()) == whole[:end]


@pytest.mark.parametrize("make", [openai, anthropic])
async def test_a_wrapped_model_is_the_providers_own(upstream: Provider, make: Any) -> None:
    plain = make(upstream)
    model = HeadroomChatModel(plain, engine=Engine())
    assert isinstance(model, type(plain)) and type(model).__name__ == type(plain).__name__
    assert model.lc_id() == plain.lc_id() and model.get_name() == plain.get_name()
    messages = history(records())

    def sent() -> str:
        return str(upstream.last["messages"])

    assert model.invoke(messages).text == "done" and "[60 rows" in sent()
    saved = model.total_tokens_saved
    assert saved > 0
    assert (await model.ainvoke(messages)).text == "done" and "[60 rows" in sent()
    assert "".join(chunk.text for chunk in model.stream(messages)) == "done" and "[60 rows" in sent()
    assert "".join([chunk.text async for chunk in model.astream(messages)]) == "done" and "[60 rows" in sent()
    assert model.bind_tools([list_rows]).invoke(messages).text == "done" and "[60 rows" in sent()
    assert upstream.last["tools"]
    assert model.get_savings_summary() == {"total_requests": 5, "total_tokens_saved": 5 * saved}
    plain.invoke(messages)
    assert "[60 rows" not in sent() and model.total_tokens_saved == 5 * saved


def test_a_model_with_bound_tools_keeps_them(upstream: Provider) -> None:
    engine = Engine()
    model = HeadroomChatModel(openai(upstream).bind_tools([list_rows, retrieve_tool_for(engine)]), engine=engine)
    model.invoke(history(log()))
    names = [given["function"]["name"] for given in upstream.last["tools"]]
    assert names == ["list_rows", "headroom_retrieve"]
    assert "[headroom:" in str(upstream.last["messages"])


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a chat model"):
        HeadroomChatModel("gpt-4o")


def call(name: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """An answer that calls a tool."""
    function = {"name": name, "arguments": json.dumps(arguments or {})}
    message = {"role": "assistant", "content": None, "tool_calls": [{"id": name, "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_an_agent_sends_less_and_keeps_its_state(upstream: Provider, asynchronous: bool) -> None:
    middleware = HeadroomMiddleware(engine=Engine())
    agent = agents.create_agent(openai(upstream), [read_log], middleware=[middleware])
    upstream.answers = [call("read_log")]
    asked = {"messages": [("user", "Why did the pool fail?")]}
    state = await agent.ainvoke(asked) if asynchronous else agent.invoke(asked)
    assert state["messages"][-1].text == "done"
    (kept,) = [message.content for message in state["messages"] if message.type == "tool"]
    (sent,) = [message["content"] for message in upstream.last["messages"] if message["role"] == "tool"]
    assert kept == log() and "[headroom:" in sent and len(sent) < len(kept) / 4
    assert middleware.total_tokens_saved > 0
    assert sorted(given["function"]["name"] for given in upstream.last["tools"]) == ["headroom_retrieve", "read_log"]


def test_an_agents_model_reads_what_was_left_out(upstream: Provider) -> None:
    engine = Engine()
    agent = agents.create_agent(openai(upstream), [read_log], middleware=[HeadroomMiddleware(engine=engine)])
    upstream.answers = [call("read_log"), call("headroom_retrieve", {"hash": engine.store.put(log()), "query": "request 77 "})]
    state = agent.invoke({"messages": [("user", "Why did the pool fail?")]})
    answer = state["messages"][-2]
    assert answer.name == "headroom_retrieve" and "served request 77 in" in answer.content
    assert upstream.last["messages"][-1]["content"] == answer.content, "what was retrieved is shown whole"


def test_without_its_tool_nothing_is_left_out(upstream: Provider) -> None:
    middleware = HeadroomMiddleware(engine=Engine(), retrieve=False)
    agent = agents.create_agent(openai(upstream), [read_log, list_rows], middleware=[middleware])
    upstream.answers = [call("read_log"), call("list_rows")]
    agent.invoke({"messages": [("user", "Why did the pool fail?")]})
    texts = [message["content"] for message in upstream.last["messages"] if message["role"] == "tool"]
    assert texts[0] == log() and texts[1].startswith("[60 rows")
