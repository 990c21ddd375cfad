"""CrewAI: compresses the requests of its native OpenAI and Anthropic providers on their way to the network.

```python
from crewai import LLM
from headroom.integrations.crewai import HeadroomInterceptor

llm = LLM(model="openai/gpt-5.5", interceptor=HeadroomInterceptor())
llm = add_headroom(LLM(model="openai/gpt-5.5"))  # or with the hidden tool, for Gemini too
```

For other providers name the `headroom` proxy as `base_url`. Needs `crewai` 1.9 or newer, and
`add_headroom` 1.14.2.
"""

from __future__ import annotations

from typing import Any, TypeVar

from crewai.llms.hooks.base import BaseInterceptor

from .._clients import ClientRetrievalName, with_headroom
from .._engine import Engine, default_engine
from .._http import api_of, with_body
from ._shapes import Savings


AnyLLM = TypeVar("AnyLLM", bound=Any)

_CLIENTS = (("_client", "_get_sync_client"), ("_async_client", "_get_async_client"))


def add_headroom(
    llm: AnyLLM, *, engine: Engine | None = None, retrieval: ClientRetrievalName | None = None
) -> AnyLLM:
    """Makes an LLM send smaller requests, by clients made by `with_headroom`, and returns it.

    Calls of `headroom_retrieve` are answered below CrewAI, so that agents need no tool and see none. For the native providers
    of OpenAI, Anthropic and Gemini; any other is a `TypeError`.
    """
    names = [(name, make) for name, make in _CLIENTS if hasattr(llm, name) and hasattr(llm, make)]
    if not names:
        raise TypeError(f"expected an LLM with a native provider of OpenAI, Anthropic or Gemini, not {type(llm).__name__}")
    for name, make in names:
        setattr(llm, name, with_headroom(getattr(llm, make)(), engine=engine, retrieval=retrieval))
    return llm


class HeadroomInterceptor(BaseInterceptor[Any, Any]):
    """Rewrites the bodies of requests. Parts are left out only if the request's own tools have `headroom_retrieve`."""

    def __init__(self, *, engine: Engine | None = None) -> None:
        self._engine, self._savings = engine or default_engine(), Savings()

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._savings.total_tokens_saved

    def on_outbound(self, message: Any) -> Any:
        """Rewrites a request."""
        if api_of(message) is None:
            return message
        body = message.read()
        return self._changed(message, body, self._engine.compress_request(body, path=message.url.path))

    async def aon_outbound(self, message: Any) -> Any:
        """Rewrites a request, without blocking the event loop."""
        if api_of(message) is None:
            return message
        body = await message.aread()
        return self._changed(message, body, await self._engine.acompress_request(body, path=message.url.path))

    def on_inbound(self, message: Any) -> Any:
        """Passes a response on."""
        return message

    async def aon_inbound(self, message: Any) -> Any:
        """Passes a response on."""
        return message

    def _changed(self, request: Any, body: bytes, result: Any) -> Any:
        self._savings.add(result.tokens_saved)
        return request if result.body is body else with_body(type(request), request, result.body)
