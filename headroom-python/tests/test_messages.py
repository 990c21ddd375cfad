"""What `compress` does to messages."""

from __future__ import annotations

import copy
import json
import threading
from collections import OrderedDict
from typing import Any

import pytest
from conversations import APIS, body, conversation, list_name, log, question, records, result_texts, to_bytes, turn

import headroom
from headroom import Engine, retrieve_tool


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("api", APIS)
def test_messages_become_what_the_body_with_them_becomes(api: Any, engine: Engine) -> None:
    messages = conversation(api, log(), records(), log(7907), log())
    for tools in (None, [retrieve_tool(api)]):
        result = engine.compress(messages, "gpt-4o", tools=tools)
        request = engine.compress_request(to_bytes(body(api, messages, tools)), api=api)
        assert json.loads(request.body)[list_name(api)] == result.messages
        assert (result.report.api, result.tokens_saved) == (api, request.tokens_saved)
        assert result.originals == request.originals
        assert result.tokens_saved > 0


@pytest.mark.parametrize("api", APIS)
def test_only_texts_of_results_change_and_everything_else_is_the_same_object(api: Any, engine: Engine) -> None:
    messages = conversation(api, log(), "ok", records())
    before = copy.deepcopy(messages)
    result = engine.compress(messages, tools=[retrieve_tool(api)])
    assert messages == before, "the given messages are not touched"
    assert result.messages is not messages
    changed = [n for n, (old, new) in enumerate(zip(messages, result.messages, strict=True)) if old is not new]
    assert changed == [2, 6]
    for number in changed:
        old, new = to_bytes(messages[number]).decode(), to_bytes(result.messages[number]).decode()
        (text,), (short,) = result_texts(messages[number]), result_texts(result.messages[number])
        assert old.replace(json.dumps(text, ensure_ascii=False), json.dumps(short, ensure_ascii=False)) == new


@pytest.mark.parametrize("api", APIS)
def test_a_conversation_that_grows_keeps_what_was_sent(api: Any) -> None:
    messages = conversation(api, log(), records(), log(7907), log(), records())
    tools = [retrieve_tool(api)]
    whole = Engine().compress(messages, tools=tools).messages
    growing = Engine()
    for end in range(1, len(messages) + 1):
        sent = growing.compress(messages[:end], tools=tools).messages
        assert to_bytes(sent) == to_bytes(whole[:end])


def test_parts_are_left_out_only_if_the_model_can_get_them_back(engine: Engine) -> None:
    messages = conversation("anthropic", log())
    plain = engine.compress(messages)
    assert plain.originals == [] and plain.report.retrieval == "off"
    assert "headroom:" not in str(plain.messages)

    able = engine.compress(messages, tools=[retrieve_tool("anthropic")])
    (handle,) = able.originals
    assert f"[headroom:{handle} " in str(able.messages)
    assert "ERROR pool 7919 exhausted" in str(able.messages)
    assert engine.store.get(handle) is not None
    off = engine.compress(messages, tools=[retrieve_tool("anthropic")], retrieval="off")
    assert off.messages == plain.messages


def test_a_list_without_savings_comes_back_as_it_is(engine: Engine) -> None:
    for messages in ([], [question("openai")], conversation("openai", "ok")):
        result = engine.compress(messages)
        assert result.messages is messages
        assert result.tokens_saved == 0 and result.compression_ratio == 0.0
        assert result.reason in ("nothing_editable", "no_saving")


def test_tuples_and_other_sequences_are_taken(engine: Engine) -> None:
    messages = tuple(conversation("openai", records()))
    result = engine.compress(messages)
    assert result.messages == engine.compress(list(messages)).messages
    assert result.messages[1] is messages[1]


@pytest.mark.parametrize("wrong", [None, "hello", b"{}", 7, {"role": "user"}])
def test_what_is_no_list_is_a_type_error(wrong: Any, engine: Engine) -> None:
    with pytest.raises(TypeError, match="messages: expected a list"):
        engine.compress(wrong)


def test_settings_that_no_call_accepts_raise() -> None:
    messages = conversation("openai", records())
    for options in ({"tier": "most"}, {"retrieval": "server-tool"}, {"api": "openai-chat"}):
        with pytest.raises(headroom.ConfigurationError, match="expected"):
            headroom.compress(messages, **options)  # type: ignore[arg-type]
        assert issubclass(headroom.ConfigurationError, ValueError)
    with pytest.raises(headroom.ConfigurationError, match="unknown tier 'all'; expected one of lossless"):
        Engine(tier="all")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword argument 'config'; there are api, retrieval, te"):
        headroom.compress(messages, config=1)  # type: ignore[call-arg]


def test_counts_are_of_all_texts(engine: Engine) -> None:
    tiktoken_count_of_hi = 1
    result = engine.compress([question("openai", "hi")], "gpt-4o")
    assert result.tokens_before == result.tokens_after == tiktoken_count_of_hi
    result = engine.compress(conversation("openai", records()), "gpt-4o")
    assert result.tokens_before - result.tokens_after == result.tokens_saved > 0
    assert result.compression_ratio == result.tokens_saved / result.tokens_before
    assert result.transforms_applied == ["json"]
    assert [block.transforms for block in result.report.blocks] == [["json"]]
    assert not result.report.estimated
    assert engine.compress(conversation("openai", records()), "claude-opus-5-5").report.estimated


def test_images_are_no_texts(engine: Engine) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo" * 10_000}}
    result = engine.compress([{"role": "user", "content": [{"type": "text", "text": "hi"}, image]}])
    assert result.tokens_before == 1


def test_containers_keep_their_types(engine: Engine) -> None:
    class Message(dict):  # type: ignore[type-arg]
        extra = "kept"

    call, answer = turn("openai", 0, records())
    message = Message(answer)
    message.extra = "other"
    blocks = OrderedDict(role="tool", content=({"type": "text", "text": records()},), tool_call_id="call_0")
    result = engine.compress([call, message, call, blocks], api="openai")
    own, ordered = result.messages[1], result.messages[3]
    assert type(own) is Message and own.extra == "other" and own["content"] != message["content"]
    assert type(ordered) is OrderedDict and list(ordered) == list(blocks)
    assert type(ordered["content"]) is tuple and ordered["content"][0]["text"].startswith("[headroom: same as")


def test_strings_and_numbers_survive_as_python_writes_them(engine: Engine) -> None:
    odd = {"a": 1.0, "b": 1e22, "c": 10**40, "d": -0.0, "e": True, "f": None, 7: "\u2028 é \x7f \x1f \" \\ 😀"}
    call, answer = turn("anthropic", 0, records())
    call["content"][0]["input"] = odd
    messages = [question("anthropic"), call, answer]
    result = engine.compress(messages, "gpt-4o")
    request = engine.compress_request(to_bytes(body("anthropic", messages)))
    assert request.report.bytes_before == result.report.bytes_before
    assert json.loads(request.body)["messages"][2] == result.messages[2]
    assert result.messages[1] is call


def test_threads_share_an_engine(engine: Engine) -> None:
    tools = [retrieve_tool("openai")]
    work = [conversation("openai", log(seed), records(seed % 50 + 20)) for seed in range(7000, 7016)]
    expected = [Engine().compress(messages, tools=tools).messages for messages in work]
    found: dict[int, Any] = {}

    def run(number: int) -> None:
        for _ in range(3):
            found[number] = engine.compress(work[number], tools=tools).messages

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(work))] == expected


def test_the_interpreter_runs_while_the_engine_works() -> None:
    """A thread counts while another compresses; it would stand still if the lock were held."""
    engine, ticks, stop = Engine(cache_capacity=0), [0], threading.Event()

    def count() -> None:
        while not stop.wait(0.001):
            ticks[0] += 1

    messages = conversation("openai", *(log(seed, 4000) for seed in range(7900, 7906)))
    draft = engine._draft(messages, "gpt-4o", {"tools": [retrieve_tool("openai")]})
    thread = threading.Thread(target=count)
    thread.start()
    before = ticks[0]
    draft.run()
    during = ticks[0] - before
    stop.set()
    thread.join()
    assert during >= 3
