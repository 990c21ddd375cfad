"""OpenAI Agents SDK: compresses the input of each model call, and leaves the session whole.

```python
from agents import RunConfig, Runner
from headroom.integrations.openai_agents import HeadroomInputFilter

await Runner.run(agent, "…", run_config=RunConfig(call_model_input_filter=HeadroomInputFilter()))
```

To let parts be left out, give the agent the tool: `tools=[…, function_tool(engine.headroom_retrieve)]`; or let the client answer
its calls: `set_default_openai_client(with_headroom(AsyncOpenAI()))`. Needs `openai-agents` 0.3 or newer.
"""

from __future__ import annotations

from typing import Any

from agents.run import CallModelData, ModelInputData

from .._engine import Engine, default_engine
from ._shapes import Savings


class HeadroomInputFilter:
    """A `call_model_input_filter` that compresses the outputs of tools. Items keep their number and order."""

    def __init__(self, *, engine: Engine | None = None) -> None:
        self._engine, self._savings = engine or default_engine(), Savings()

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._savings.total_tokens_saved

    async def __call__(self, data: CallModelData[Any]) -> ModelInputData:
        """Returns the input for a call."""
        items: list[Any] = list(data.model_data.input)
        tools = [{"type": "function", "name": getattr(tool, "name", "")} for tool in data.agent.tools]
        model = data.agent.model if isinstance(data.agent.model, str) else ""
        result = await self._engine.acompress(items, model, api="responses", tools=tools)
        self._savings.add(result.tokens_saved)
        return ModelInputData(input=result.messages, instructions=data.model_data.instructions)
