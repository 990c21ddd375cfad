"""Conversations of frameworks in the shape of Anthropic's Messages, which alone says that a result is an error.

A framework's messages are never rebuilt: their texts are written in this shape, compressed, and those that changed are put into
copies of the messages that hold them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from .._engine import Engine

Message = TypeVar("Message")
Shaped = dict[str, Any]


class Savings:
    """What was saved since the start. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = self._tokens = 0

    def add(self, tokens: int) -> None:
        """Counts a request."""
        with self._lock:
            self._requests += 1
            self._tokens += tokens

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved."""
        return self._tokens

    def summary(self) -> dict[str, int]:
        """Returns the number of requests and of tokens saved."""
        with self._lock:
            return {"total_requests": self._requests, "total_tokens_saved": self._tokens}


def user(content: Any) -> Shaped:
    """A message of the user: a text, or blocks."""
    return {"role": "user", "content": content}


def assistant(text: str, calls: Iterable[tuple[str, str, Any]]) -> Shaped:
    """A message of the model: its text, and its calls as id, name and arguments."""
    blocks = [
        {"type": "tool_use", "id": id, "name": name, "input": _arguments(arguments)} for id, name, arguments in calls
    ]
    return {"role": "assistant", "content": [{"type": "text", "text": text}, *blocks]}


def results(*found: tuple[str, Any, bool]) -> Shaped:
    """Results of tools: the id of each call, the content and whether it is an error."""
    blocks = [
        {"type": "tool_result", "tool_use_id": id, "content": content, "is_error": is_error}
        for id, content, is_error in found
    ]
    return {"role": "user", "content": blocks}


def other(role: str) -> Shaped:
    """A message that says nothing about results."""
    return {"role": role}


def options(tools: Sequence[Any] | None, choice: Any) -> dict[str, Any]:
    """The tools by their names, and whether the model may call any of them."""
    kind = choice.get("type") if isinstance(choice, dict) else choice
    free = kind in (None, "auto", "any", "required", True)
    named = [tool if isinstance(tool, dict) else {"name": getattr(tool, "name", "")} for tool in tools or ()]
    return {"tools": named, "tool_choice": None if free else {"type": "none" if kind == "none" else "tool"}}


class Shrinker:
    """Compresses the messages of a framework, one shape for each."""

    def __init__(
        self,
        engine: Engine,
        shape: Callable[[Any], Shaped],
        with_content: Callable[[Any, Shaped], Any],
    ) -> None:
        self.engine, self.savings = engine, Savings()
        self._shape, self._with_content = shape, with_content

    def now(self, messages: Sequence[Message], model: str, tools: Any = None, choice: Any = None) -> list[Message]:
        """Returns the messages with smaller results, in the same order. All others are the same objects."""
        shaped = [self._shape(message) for message in messages]
        result = self.engine.compress(shaped, model, api="anthropic", **options(tools, choice))
        self.savings.add(result.tokens_saved)
        return self._written_back(messages, shaped, result.messages)

    async def later(
        self, messages: Sequence[Message], model: str, tools: Any = None, choice: Any = None
    ) -> list[Message]:
        """Like `now`, without blocking the event loop."""
        shaped = [self._shape(message) for message in messages]
        result = await self.engine.acompress(shaped, model, api="anthropic", **options(tools, choice))
        self.savings.add(result.tokens_saved)
        return self._written_back(messages, shaped, result.messages)

    def _written_back(
        self, messages: Sequence[Message], shaped: list[Shaped], smaller: list[Shaped]
    ) -> list[Message]:
        pairs = zip(messages, shaped, smaller, strict=True)
        return [message if new is old else self._with_content(message, new) for message, old, new in pairs]


def named(model: Any) -> str:
    """Returns the name of a framework's model."""
    for member in ("model_name", "model", "id"):
        name = getattr(model, member, None)
        if isinstance(name, str):
            return name
    return ""


def _arguments(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments if isinstance(arguments, dict) else {}
    try:
        return json.loads(arguments)
    except ValueError:
        return {"arguments": arguments}
