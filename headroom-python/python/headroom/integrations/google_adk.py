"""Google ADK: compresses what an agent's model sees, and leaves the session's events whole.

```python
from google.adk.runners import InMemoryRunner
from headroom.integrations.google_adk import HeadroomPlugin

runner = InMemoryRunner(agent=agent, plugins=[HeadroomPlugin()])
```

Parts are left out only if the agent has the tool: `LlmAgent(tools=[…, engine.headroom_retrieve])`. Needs `google-adk` 2.
"""

from __future__ import annotations

from typing import Any

from google.adk.plugins.base_plugin import BasePlugin

from .._engine import Engine, default_engine
from ._shapes import Savings


class HeadroomPlugin(BasePlugin):
    """Compresses the responses of functions in each request to a model."""

    def __init__(self, *, engine: Engine | None = None, name: str = "headroom") -> None:
        super().__init__(name=name)
        self._engine, self._savings = engine or default_engine(), Savings()

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._savings.total_tokens_saved

    async def before_model_callback(self, *, callback_context: Any, llm_request: Any) -> None:
        """Compresses a request. Contents that change are copied, because they belong to the session."""
        del callback_context
        tools = [{"functionDeclarations": [{"name": name} for name in llm_request.tools_dict]}]
        contents: list[Any] = list(llm_request.contents)
        result = await self._engine.acompress(contents, llm_request.model or "", api="gemini", tools=tools)
        self._savings.add(result.tokens_saved)
        if result.messages is not contents:
            llm_request.contents = result.messages
