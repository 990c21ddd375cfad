"""Pydantic AI: compresses what an agent's model sees, and leaves the message history whole.

```python
from pydantic_ai import Agent
from headroom.integrations.pydantic_ai import HeadroomCapability

agent = Agent("openai:gpt-5.5", capabilities=[HeadroomCapability()])
```

Needs `pydantic-ai` 2.64 or newer.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic_ai import RunContext
from pydantic_ai.capabilities import AbstractCapability
from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, ToolCallPart, ToolReturnPart, UserPromptPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.toolsets import FunctionToolset

from .._engine import Engine, default_engine
from ._shapes import Shaped, Shrinker, assistant, named, results


class HeadroomCapability(AbstractCapability[Any]):
    """Compresses the tool results in each model request.

    With `retrieve`, the agent gets the tool `headroom_retrieve`, with which its model reads what was left out; without it
    nothing is left out. Results that are objects reach the model as text and are compressed as such; files stay.
    """

    def __init__(self, *, engine: Engine | None = None, retrieve: bool = True) -> None:
        self._shrink = Shrinker(engine or default_engine(), _shape, _with_content)
        self._retrieve = retrieve

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._shrink.savings.total_tokens_saved

    def get_toolset(self) -> Any:
        """The tool with which the model retrieves."""
        return FunctionToolset([self._shrink.engine.headroom_retrieve]) if self._retrieve else None

    async def prepare_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Compresses a request. The history is not touched."""
        del ctx
        tools = request_context.model_request_parameters.function_tools
        messages = await self._shrink.later(request_context.messages, named(request_context.model), tools)
        return dataclasses.replace(request_context, messages=messages)


def _shape(message: Any) -> Shaped:
    if isinstance(message, ModelResponse):
        text = "\n".join(part.content for part in message.parts if isinstance(part, TextPart))
        calls = (
            (part.tool_call_id, part.tool_name, part.args) for part in message.parts if isinstance(part, ToolCallPart)
        )
        return assistant(text, calls)
    found = [part for part in message.parts if isinstance(part, ToolReturnPart)]
    shaped = results(*((part.tool_call_id, _text(part) or "", part.outcome != "success") for part in found))
    prompts = [part.content for part in message.parts if isinstance(part, UserPromptPart)]
    shaped["content"] += [{"type": "text", "text": text} for text in prompts if isinstance(text, str)]
    return shaped


def _text(part: ToolReturnPart) -> str | None:
    """What the model reads of a result; `None` for one with files."""
    if isinstance(part.content, str):
        return part.content
    return part.model_response_str() if _is_json(part.content) else None


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_json(item) for item in value)
    return value is None or isinstance(value, str | int | float | bool)


def _with_content(message: Any, shaped: Shaped) -> Any:
    if not isinstance(message, ModelRequest):
        return message
    new, parts = iter(shaped["content"]), []
    for part in message.parts:
        if isinstance(part, ToolReturnPart):
            content = next(new)["content"]
            part = part if content == (_text(part) or "") else dataclasses.replace(part, content=content)
        parts.append(part)
    return dataclasses.replace(message, parts=parts)
