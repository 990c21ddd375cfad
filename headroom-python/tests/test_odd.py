"""Messages that are not what they should be pass as they are."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from conversations import conversation, log, question, records, turn

from headroom import Engine, retrieve_tool


class Model:
    """Not a dict, and sends nothing."""


class Raises:
    """An object whose own code fails."""

    def model_dump(self, **_: Any) -> dict[str, Any]:
        raise RuntimeError("secret text")


class SendsNoDict:
    def model_dump(self, **_: Any) -> list[Any]:
        return []


def cycle() -> dict[str, Any]:
    message: dict[str, Any] = {"role": "user"}
    message["content"] = [message]
    return message


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (Model(), "a value of type Model is not JSON"),
        ({"role": "user", "content": {1, 2}}, "a value of type set is not JSON"),
        ({"role": "user", "content": b"bytes"}, "a value of type bytes is not JSON"),
        ({"role": "user", "at": datetime.datetime.now()}, "a value of type datetime is not JSON"),
        ({"role": "user", "n": float("nan")}, "a number that is not finite is not JSON"),
        ({"role": "user", (1, 2): "x"}, "a key of type tuple is not JSON"),
        (Raises(), "model_dump() raised RuntimeError"),
        (SendsNoDict(), "model_dump() returned no dict"),
        (cycle(), "nested deeper than 100 levels"),
    ],
)
def test_a_message_that_cannot_be_read_passes_with_the_reason(odd: Any, reason: str) -> None:
    messages = [odd, *conversation("openai", records())]
    result = Engine().compress(messages, api="openai")
    assert result.unreadable == {0: reason}
    assert result.messages[0] is odd
    assert result.tokens_saved > 0, "the others are compressed"
    assert "secret" not in repr(result) + repr(result.report) + str(result.unreadable)


@pytest.mark.parametrize("odd", [None, 7, "text", [], {}, {"role": 7}, {"role": "tool", "content": None}])
def test_json_that_is_no_message_passes(odd: Any) -> None:
    result = Engine().compress([odd, *conversation("openai", records())])
    assert result.unreadable == {} and result.tokens_saved > 0
    assert result.messages[0] is odd


def test_half_of_a_surrogate_pair_keeps_its_block_only() -> None:
    call, answer = turn("openai", 1, log() + "\ud800")
    result = Engine().compress([*conversation("openai", records()), call, answer], tools=[retrieve_tool("openai")])
    assert result.messages[4] is answer
    assert [block.reason for block in result.report.blocks] == [None, "lone_surrogate"]
    assert result.tokens_before > 0


def test_messages_that_change_meanwhile_are_left_alone() -> None:
    engine, messages = Engine(), conversation("openai", records(), log())
    draft = engine._draft(messages, "", {"tools": [retrieve_tool("openai")]})
    messages[2]["content"] = "another text"
    result = draft.run()
    assert result.messages[2] is messages[2] and result.messages[2]["content"] == "another text"
    assert result.unreadable == {2: "the message was changed while it was compressed"}
    assert result.messages[4] is not messages[4]
    other = result.report.blocks[1]
    assert other.tokens_before is not None and other.tokens_after is not None
    assert result.tokens_saved == other.tokens_before - other.tokens_after > 0
    with pytest.raises(RuntimeError, match="already"):
        draft.run()


def test_messages_that_leave_meanwhile_stay_away() -> None:
    engine, messages = Engine(), conversation("openai", records(), log())
    draft = engine._draft(messages, "", {"tools": [retrieve_tool("openai")]})
    del messages[1:]
    assert draft.run().messages == [question("openai")]


def test_bodies_over_the_limit_pass() -> None:
    messages = conversation("openai", records())
    result = Engine(max_body=100).compress(messages)
    assert result.messages is messages and result.reason == "too_large"
