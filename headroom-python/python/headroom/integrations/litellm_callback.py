"""LiteLLM: compresses what `litellm` sends, as SDK and as proxy.

```python
import litellm
from headroom.integrations.litellm_callback import HeadroomCallback

litellm.callbacks = [HeadroomCallback()]
```

In the proxy's configuration: `litellm_settings: {callbacks: ["my_module.headroom"]}`, with `headroom = HeadroomCallback()`
in `my_module.py`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from .._engine import ApiName, Engine, default_engine
from .._native import CompressResult

# Calls that were compressed before their last hook; more than run at once.
_REMEMBERED = 4096


class HeadroomCallback(CustomLogger):
    """Compresses tool results in the calls of LiteLLM: `completion`, `acompletion`, `Router`, streams, `aresponses`,
    `anthropic_messages`, and the same calls of its proxy.

    Asynchronous calls are compressed before LiteLLM translates them (`async_pre_call_deployment_hook`), synchronous ones in
    the provider's own body, just before it is sent (`log_pre_api_call`). Bodies that are bytes by then, such as Bedrock's
    signed ones, pass as they are. The caller's messages are not touched.

    Parts are left out only if the call's tools have `headroom_retrieve` (see `headroom.retrieve_tool`). `min_tokens` and
    `model_limit` have no effect: a threshold would rewrite a conversation's earlier requests when it is passed.
    """

    def __init__(
        self,
        min_tokens: int | None = None,
        model_limit: int | None = None,
        *,
        engine: Engine | None = None,
    ) -> None:
        del min_tokens, model_limit
        super().__init__()
        self._engine = engine or default_engine()
        self._lock = threading.Lock()
        self._tokens_saved = 0
        self._done: OrderedDict[str, None] = OrderedDict()

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved since the start."""
        return self._tokens_saved

    async def aclose(self) -> None:
        """Does nothing: there is nothing to close. Programs written for headroom-ai call it."""

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: Any
    ) -> dict[str, Any] | None:
        """Compresses an asynchronous call."""
        name = str(getattr(call_type, "value", call_type))
        api, member = _shape(name)
        messages = kwargs.get(member)
        if api is None or not isinstance(messages, list):
            return None
        result = await self._engine.acompress(
            messages,
            str(kwargs.get("model") or ""),
            api=api,
            tools=kwargs.get("tools"),
            tool_choice=kwargs.get("tool_choice"),
        )
        self._count(result, kwargs.get("litellm_call_id"))
        return None if result.messages is messages else {**kwargs, member: result.messages}

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """Compresses the provider's own body of a call that no other hook saw."""
        call = kwargs.get("litellm_call_id")
        with self._lock:
            if call in self._done:
                return
        body = (kwargs.get("additional_args") or {}).get("complete_input_dict")
        if not isinstance(body, MutableMapping):
            return
        for member in ("messages", "contents", "input"):
            given = body.get(member)
            if isinstance(given, list) and given:
                result = self._engine.compress(
                    given, model, tools=body.get("tools"), tool_choice=body.get("tool_choice")
                )
                self._count(result, None)
                if result.messages is not given:
                    body[member] = result.messages
                return

    def _count(self, result: CompressResult[Any], call: str | None) -> None:
        with self._lock:
            self._tokens_saved += result.tokens_saved
            if call is not None:
                self._done[call] = None
                while len(self._done) > _REMEMBERED:
                    self._done.popitem(last=False)


def _shape(call_type: str) -> tuple[ApiName | None, str]:
    """Returns the API of a call's messages, and the argument that has them."""
    if "responses" in call_type:
        return "responses", "input"
    if "anthropic" in call_type:
        return "anthropic", "messages"
    if call_type in ("acompletion", "completion"):
        return "openai", "messages"
    return None, "messages"
