"""Agno: compresses what an agent's model sees, and leaves the history whole.

```python
from agno.agent import Agent
from headroom.integrations.agno import HeadroomAgnoModel

agent = Agent(model=HeadroomAgnoModel(OpenAIChat(id="gpt-5.5")), tools=[…])
```

Needs `agno` 2.3.3 or newer.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from agno.compression.manager import CompressionManager
from agno.models.base import Model
from agno.models.message import Message

from .._engine import Engine, default_engine
from ._shapes import Shaped, Shrinker, assistant, named, other, results, user

AnyModel = TypeVar("AnyModel", bound=Any)


def HeadroomAgnoModel(wrapped_model: AnyModel, *, engine: Engine | None = None) -> AnyModel:  # noqa: N802
    """Returns a copy of a model that compresses the tool results in what it is given.

    The copy is an instance of a subclass of the model's own class, so that tools, structured output, streams and metrics are
    the provider's own, and it keeps its `id`. The given model stays as it is.

    Parts are left out only if the agent has the tool `headroom_retrieve`: `Agent(tools=[…, engine.headroom_retrieve])`.
    `total_tokens_saved` and `get_savings_summary()` tell what was saved.
    """
    given: Any = wrapped_model
    if not isinstance(given, Model):
        raise TypeError(f"expected a model of Agno, not {type(given).__name__}")
    model: Any = copy.copy(given)
    model.__class__ = _subclass(type(given), Shrinker(engine or default_engine(), _shape, _with_content))
    return model  # type: ignore[no-any-return]


class HeadroomCompressionManager(CompressionManager):
    """Compresses tool results without a model: `Agent(compression_manager=HeadroomCompressionManager())`.

    Agno's history keeps both forms of a result, and its providers send the smaller one. Nothing is left out, since the form that
    is kept is also sent by later runs, whose model may have no tool to read it back; for that see `HeadroomAgnoModel`.
    """

    def __init__(self, *, engine: Engine | None = None) -> None:
        super().__init__(compress_tool_results=True)
        self._shrink = Shrinker(engine or default_engine(), _shape, _with_content)

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._shrink.savings.total_tokens_saved

    def should_compress(self, messages: list[Message], *_: Any, **__: Any) -> bool:
        """Whether there are results."""
        return any(message.role == "tool" and message.compressed_content is None for message in messages)

    async def ashould_compress(self, messages: list[Message], *_: Any, **__: Any) -> bool:
        """Whether there are results."""
        return self.should_compress(messages)

    def compress(self, messages: list[Message], run_metrics: Any = None) -> None:
        """Sets the smaller form of each result."""
        del run_metrics
        self._set(messages, self._shrink.now(messages, ""))

    async def acompress(self, messages: list[Message], run_metrics: Any = None) -> None:
        """Sets the smaller form of each result."""
        del run_metrics
        self._set(messages, await self._shrink.later(messages, ""))

    def _set(self, messages: list[Message], smaller: list[Message]) -> None:
        for message, new in zip(messages, smaller, strict=True):
            # Only what was compressed before stays as it was sent.
            if new is not message and message.compressed_content is None and isinstance(new.content, str):
                message.compressed_content = new.content


def _subclass(base: type[Any], shrink: Shrinker) -> type[Any]:
    """Makes a subclass of a model's class that compresses first."""
    members: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "total_tokens_saved": property(lambda _: shrink.savings.total_tokens_saved),
        "get_savings_summary": lambda _: shrink.savings.summary(),
        "invoke": _now(base.invoke, shrink),
        "ainvoke": _later(base.ainvoke, shrink),
        "invoke_stream": _stream(base.invoke_stream, shrink),
        "ainvoke_stream": _astream(base.ainvoke_stream, shrink),
    }
    made: type[Any] = types.new_class(base.__name__, (base,), exec_body=lambda body: body.update(members))
    return made


class _Shrunk(list[Message]):
    """Messages that were compressed: models call their own methods with them."""


def _said(model: Any, kwargs: dict[str, Any]) -> tuple[str, Any, Any]:
    return named(model), kwargs.get("tools"), kwargs.get("tool_choice")


def _taken(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Takes the messages out of a call's arguments."""
    if "messages" in kwargs:
        return kwargs["messages"], args, {name: value for name, value in kwargs.items() if name != "messages"}
    return args[0], args[1:], kwargs


def _now(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    def invoke(self: Any, *args: Any, **kwargs: Any) -> Any:
        messages, args, kwargs = _taken(args, kwargs)
        return method(self, *args, messages=_shrunk(self, shrink, messages, kwargs), **kwargs)

    return invoke


def _later(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    async def invoke(self: Any, *args: Any, **kwargs: Any) -> Any:
        messages, args, kwargs = _taken(args, kwargs)
        return await method(self, *args, messages=await _ashrunk(self, shrink, messages, kwargs), **kwargs)

    return invoke


def _stream(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    def invoke(self: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        messages, args, kwargs = _taken(args, kwargs)
        yield from method(self, *args, messages=_shrunk(self, shrink, messages, kwargs), **kwargs)

    return invoke


def _astream(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    async def invoke(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        messages, args, kwargs = _taken(args, kwargs)
        async for piece in method(self, *args, messages=await _ashrunk(self, shrink, messages, kwargs), **kwargs):
            yield piece

    return invoke


def _shrunk(model: Any, shrink: Shrinker, messages: Any, kwargs: dict[str, Any]) -> Any:
    return messages if isinstance(messages, _Shrunk) else _Shrunk(shrink.now(messages, *_said(model, kwargs)))


async def _ashrunk(model: Any, shrink: Shrinker, messages: Any, kwargs: dict[str, Any]) -> Any:
    if isinstance(messages, _Shrunk):
        return messages
    return _Shrunk(await shrink.later(messages, *_said(model, kwargs)))


def _shape(message: Message) -> Shaped:
    if message.role == "tool":
        content = message.content if isinstance(message.content, str | list) else ""
        return results((message.tool_call_id or "", content, bool(message.tool_call_error)))
    if message.role == "assistant":
        text = message.content if isinstance(message.content, str) else ""
        return assistant(text, (_call(call) for call in message.tool_calls or ()))
    if message.role == "user" and isinstance(message.content, str):
        return user(message.content)
    return other(message.role)


def _call(call: Any) -> tuple[str, str, Any]:
    """A call: a dict, or while streaming the SDK's object."""
    if not isinstance(call, dict):
        function = getattr(call, "function", None)
        return getattr(call, "id", None) or "", getattr(function, "name", None) or "", getattr(function, "arguments", None)
    function = call.get("function") or {}
    return call.get("id") or "", function.get("name") or "", function.get("arguments")


def _with_content(message: Message, shaped: Shaped) -> Message:
    return message.model_copy(update={"content": shaped["content"][0]["content"]})
