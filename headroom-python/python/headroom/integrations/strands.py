"""Strands Agents: compresses what an agent's model sees, and leaves its messages whole.

```python
from strands import Agent
from headroom.integrations.strands import add_headroom

agent = add_headroom(Agent(model=…, tools=[…]))
```

Needs `strands-agents` 1.62 or newer.
"""

from __future__ import annotations

from typing import Any, TypeVar

from strands import tool
from strands.middleware import InvokeModelStage
from strands.middleware.stages import InvokeModelContext

from .._engine import Engine, default_engine
from ._shapes import Savings

AnyAgent = TypeVar("AnyAgent", bound=Any)


class HeadroomMiddleware:
    """An input handler of `InvokeModelStage` that compresses tool results."""

    def __init__(self, *, engine: Engine | None = None) -> None:
        self._engine, self._savings = engine or default_engine(), Savings()

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._savings.total_tokens_saved

    async def __call__(self, context: InvokeModelContext) -> InvokeModelContext:
        """Compresses the messages of a call."""
        tools = [{"toolSpec": spec} for spec in context.tool_specs]
        choice = context.tool_choice
        messages: list[Any] = list(context.messages)
        model = str(context.model.get_config().get("model_id") or "") if hasattr(context.model, "get_config") else ""
        # A choice of one tool leaves the model no way to retrieve.
        free = choice is None or "auto" in choice or "any" in choice
        result = await self._engine.acompress(messages, model, api="converse", tools=tools if free else [])
        self._savings.add(result.tokens_saved)
        return context.replace(messages=result.messages)


def add_headroom(agent: AnyAgent, *, engine: Engine | None = None, retrieve: bool = True) -> AnyAgent:
    """Adds the middleware to an agent and returns the agent.

    With `retrieve`, the agent gets the tool `headroom_retrieve`, with which its model reads what was left out; without it
    nothing is left out.
    """
    engine = engine or default_engine()
    if retrieve:
        agent.tool_registry.process_tools([tool(engine.headroom_retrieve)])
    agent.add_middleware(InvokeModelStage.Input, HeadroomMiddleware(engine=engine))
    return agent
