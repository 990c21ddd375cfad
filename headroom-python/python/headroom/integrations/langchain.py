"""LangChain: compresses what an agent's model sees, and leaves the agent's state whole.

```python
from langchain.agents import create_agent
from headroom.integrations.langchain import HeadroomMiddleware

agent = create_agent("openai:gpt-5.5", tools, middleware=[HeadroomMiddleware()])
```

For models outside of agents: `model = HeadroomChatModel(ChatOpenAI(model="gpt-5.5"))`. Needs `langchain-core`; the
middleware needs `langchain` 1.0 or newer.
"""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableBinding
from langchain_core.tools import StructuredTool

from .._engine import Engine, default_engine, retrieve_tool
from ._shapes import Savings
from ._shapes import options as shape_options

Model = TypeVar("Model", bound=Any)


def compress_messages(
    messages: Sequence[BaseMessage],
    model: str = "",
    *,
    tools: Sequence[Any] | None = None,
    tool_choice: Any = None,
    engine: Engine | None = None,
) -> list[BaseMessage]:
    """Returns the messages with smaller tool results. All others are the same objects, and copies keep their ids,
    artifacts and status.

    Parts are left out only if `tools` have `headroom_retrieve`.
    """
    shaped = _shaped(messages)
    said = shape_options(tools, tool_choice)
    result = (engine or default_engine()).compress(shaped, model, api="anthropic", **said)
    return _written_back(messages, shaped, result.messages)


def retrieve_tool_for(engine: Engine) -> StructuredTool:
    """Returns `headroom_retrieve` as a tool of LangChain."""
    function = retrieve_tool("openai")["function"]

    async def run(**arguments: Any) -> str:
        return await asyncio.to_thread(engine.answer, arguments)

    return StructuredTool(
        name=function["name"],
        description=function["description"],
        args_schema=function["parameters"],
        func=lambda **arguments: engine.answer(arguments),
        coroutine=run,
    )


class _Shrunk(list[BaseMessage]):
    """Messages that were compressed: models call their own methods with them."""


class _Shrinker:
    """Compresses the messages of models."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.savings = engine, Savings()

    def __call__(self, messages: Sequence[BaseMessage], model: str, tools: Any, choice: Any) -> list[BaseMessage]:
        if isinstance(messages, _Shrunk):
            return messages
        shaped = _shaped(messages)
        result = self.engine.compress(shaped, model, api="anthropic", **shape_options(tools, choice))
        self.savings.add(result.tokens_saved)
        return _Shrunk(_written_back(messages, shaped, result.messages))

    async def later(self, messages: Sequence[BaseMessage], model: str, tools: Any, choice: Any) -> list[BaseMessage]:
        if isinstance(messages, _Shrunk):
            return messages
        shaped = _shaped(messages)
        result = await self.engine.acompress(shaped, model, api="anthropic", **shape_options(tools, choice))
        self.savings.add(result.tokens_saved)
        return _Shrunk(_written_back(messages, shaped, result.messages))


def HeadroomChatModel(wrapped_model: Model, *, engine: Engine | None = None) -> Model:  # noqa: N802
    """Returns a copy of a chat model that compresses the tool results in what it is given.

    The copy is an instance of a subclass of the model's own class, so that tools, structured output, streams, usage, callbacks
    and tracing are the provider's own. The given model stays as it is. A model with bound tools keeps them.

    `total_tokens_saved` and `get_savings_summary()` tell what was saved.
    """
    given: Any = wrapped_model
    if isinstance(given, RunnableBinding):
        bound: Any = HeadroomChatModel(given.bound, engine=engine)
        binding: Any = given.model_copy(update={"bound": bound})
        return binding  # type: ignore[no-any-return]
    if not isinstance(given, BaseChatModel):
        raise TypeError(f"expected a chat model, not {type(given).__name__}")
    model: Any = given.model_copy()
    model.__class__ = _subclass(type(given), _Shrinker(engine or default_engine()))
    return model  # type: ignore[no-any-return]


def _subclass(base: type[Any], shrinker: _Shrinker) -> type[Any]:
    """Makes a subclass of a model's class that compresses first."""
    members: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "total_tokens_saved": property(lambda _: shrinker.savings.total_tokens_saved),
        "get_savings_summary": lambda _: shrinker.savings.summary(),
    }
    wraps = {"_generate": _now, "_agenerate": _later, "_stream": _stream, "_astream": _astream}
    for name, wrap in wraps.items():
        method = getattr(base, name, None)
        # A default method calls one of the others; whether a class has its own tells what it can do.
        if method is not None and method is not getattr(BaseChatModel, name):
            members[name] = wrap(method, shrinker)
    made: type[Any] = types.new_class(base.__name__, (base,), exec_body=lambda body: body.update(members))
    return made


def _now(method: Callable[..., Any], shrink: _Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    def generate(self: Any, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        return method(self, shrink(messages, *_said(self, kwargs)), *args, **kwargs)

    return generate


def _later(method: Callable[..., Any], shrink: _Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    async def generate(self: Any, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        return await method(self, await shrink.later(messages, *_said(self, kwargs)), *args, **kwargs)

    return generate


def _stream(method: Callable[..., Any], shrink: _Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    def stream(self: Any, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Iterator[Any]:
        yield from method(self, shrink(messages, *_said(self, kwargs)), *args, **kwargs)

    return stream


def _astream(method: Callable[..., Any], shrink: _Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    async def stream(self: Any, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        shrunk = await shrink.later(messages, *_said(self, kwargs))
        async for chunk in method(self, shrunk, *args, **kwargs):
            yield chunk

    return stream


def _said(model: Any, kwargs: dict[str, Any]) -> tuple[str, Any, Any]:
    """What a call says besides its messages: model, tools, choice of tools."""
    return _name(model), kwargs.get("tools"), kwargs.get("tool_choice")


def _name(model: Any) -> str:
    name = getattr(model, "model_name", None) or getattr(model, "model", None)
    return name if isinstance(name, str) else ""


def _shaped(messages: Sequence[BaseMessage]) -> list[dict[str, Any]]:
    return [_shape(message) for message in messages]


def _shape(message: BaseMessage) -> dict[str, Any]:
    """Returns a message in the shape of Anthropic's, which alone says that a result is an error."""
    if isinstance(message, ToolMessage):
        result = {
            "type": "tool_result",
            "tool_use_id": message.tool_call_id,
            "content": _blocks(message.content),
            "is_error": message.status == "error",
        }
        return {"role": "user", "content": [result]}
    if isinstance(message, AIMessage):
        calls = [
            {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]}
            for call in message.tool_calls
        ]
        return {"role": "assistant", "content": [{"type": "text", "text": message.text}, *calls]}
    if isinstance(message, HumanMessage):
        return {"role": "user", "content": _blocks(message.content)}
    return {"role": message.type}


def _blocks(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [{"type": "text", "text": block} if isinstance(block, str) else block for block in content]


def _written_back(
    messages: Sequence[BaseMessage], shaped: list[dict[str, Any]], smaller: list[dict[str, Any]]
) -> list[BaseMessage]:
    """Puts the contents that changed into copies of their messages."""
    pairs = zip(messages, shaped, smaller, strict=True)
    return [message if new is old else _with_content(message, new) for message, old, new in pairs]


def _with_content(message: BaseMessage, shaped: dict[str, Any]) -> BaseMessage:
    content = shaped["content"]
    if isinstance(message, ToolMessage):
        content = content[0]["content"]
    if not isinstance(content, str):
        content = [
            new["text"] if isinstance(old, str) else new
            for old, new in zip(message.content, content, strict=True)
        ]
    return message.model_copy(update={"content": content})


try:
    from langchain.agents.middleware import AgentMiddleware
except ImportError:  # langchain-core alone, or langchain before 1.0
    pass
else:

    class HeadroomMiddleware(AgentMiddleware[Any, Any]):
        """Compresses the tool results in each model call of an agent made by `create_agent`.

        The agent's state and checkpoints keep the whole results. With `retrieve`, the agent gets the tool
        `headroom_retrieve`, with which its model reads what was left out; without it nothing is left out.
        """

        def __init__(self, *, engine: Engine | None = None, retrieve: bool = True) -> None:
            super().__init__()
            self._shrink = _Shrinker(engine or default_engine())
            self.tools = [retrieve_tool_for(self._shrink.engine)] if retrieve else []

        @property
        def total_tokens_saved(self) -> int:
            """Tokens that were saved since the start."""
            return self._shrink.savings.total_tokens_saved

        def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
            """Compresses a call."""
            said = (_name(request.model), request.tools, request.tool_choice)
            return handler(request.override(messages=list(self._shrink(request.messages, *said))))

        async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            """Compresses an asynchronous call."""
            said = (_name(request.model), request.tools, request.tool_choice)
            messages = await self._shrink.later(request.messages, *said)
            return await handler(request.override(messages=list(messages)))
