"""LlamaIndex: compresses what a model sees, and leaves memory and workflow state whole.

```python
from llama_index.core.agent.workflow import FunctionAgent
from headroom.integrations.llama_index import HeadroomLLM

agent = FunctionAgent(llm=HeadroomLLM(OpenAI(model="gpt-5.5")), tools=[…])
```

Needs `llama-index-core` 0.14.5 or newer.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, TypeVar

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.llms import LLM

from .._engine import Engine, default_engine
from ._shapes import Shaped, Shrinker, assistant, named, other, results, user

AnyLLM = TypeVar("AnyLLM", bound=Any)


def HeadroomLLM(llm: AnyLLM, *, engine: Engine | None = None) -> AnyLLM:  # noqa: N802
    """Returns a copy of an LLM that compresses the tool results in what it is given.

    The copy is an instance of a subclass of the LLM's own class, so that tools, structured output and streams are the
    provider's own. The given LLM stays as it is. Parts are left out only if the tools have `headroom_retrieve`:
    `FunctionTool.from_defaults(engine.headroom_retrieve)`.

    `total_tokens_saved` and `get_savings_summary()` tell what was saved.
    """
    given: Any = llm
    if not isinstance(given, LLM):
        raise TypeError(f"expected an LLM of LlamaIndex, not {type(given).__name__}")
    shrink, base = Shrinker(engine or default_engine(), _shape, _with_content), type(given)
    members: dict[str, Any] = {
        "__module__": base.__module__,
        "__qualname__": base.__qualname__,
        "__doc__": base.__doc__,
        "total_tokens_saved": property(lambda _: shrink.savings.total_tokens_saved),
        "get_savings_summary": lambda _: shrink.savings.summary(),
        **{name: _now(getattr(base, name), shrink) for name in ("chat", "stream_chat")},
        **{name: _later(getattr(base, name), shrink) for name in ("achat", "astream_chat")},
    }
    made: Any = given.model_copy()
    made.__class__ = types.new_class(base.__name__, (base,), exec_body=lambda body: body.update(members))
    return made  # type: ignore[no-any-return]


class _Shrunk(list[ChatMessage]):
    """Messages that were compressed: LLMs call their own methods with them."""


def _said(llm: Any, kwargs: dict[str, Any]) -> tuple[str, Any, Any]:
    return named(llm), kwargs.get("tools"), kwargs.get("tool_choice")


def _now(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    def chat(self: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(messages, _Shrunk):
            messages = _Shrunk(shrink.now(messages, *_said(self, kwargs)))
        return method(self, messages, *args, **kwargs)

    return chat


def _later(method: Callable[..., Any], shrink: Shrinker) -> Callable[..., Any]:
    @functools.wraps(method)
    async def chat(self: Any, messages: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(messages, _Shrunk):
            messages = _Shrunk(await shrink.later(messages, *_said(self, kwargs)))
        return await method(self, messages, *args, **kwargs)

    return chat


def _shape(message: ChatMessage) -> Shaped:
    if message.role in (MessageRole.TOOL, MessageRole.FUNCTION):
        texts = [{"type": "text", "text": block.text} for block in message.blocks if isinstance(block, TextBlock)]
        return results((str(message.additional_kwargs.get("tool_call_id") or ""), texts, False))
    if message.role == MessageRole.ASSISTANT:
        calls = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
        return assistant(
            message.content or "", ((call.tool_call_id or "", call.tool_name, call.tool_kwargs) for call in calls)
        )
    return user(message.content or "") if message.role == MessageRole.USER else other(message.role.value)


def _with_content(message: ChatMessage, shaped: Shaped) -> ChatMessage:
    new, blocks = iter(shaped["content"][0]["content"]), []
    for block in message.blocks:
        if isinstance(block, TextBlock):
            text = next(new)["text"]
            block = block if text == block.text else block.model_copy(update={"text": text})
        blocks.append(block)
    return message.model_copy(update={"blocks": blocks})
