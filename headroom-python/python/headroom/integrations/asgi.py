"""ASGI middleware that makes the bodies of LLM requests smaller before the application sees them.

```python
from fastapi import FastAPI
from headroom.integrations.asgi import CompressionMiddleware

app = FastAPI()  # an application that forwards to a provider
app.add_middleware(CompressionMiddleware)
```

Needs no framework: it works with every ASGI application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from .. import _native
from .._engine import Engine, default_engine

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

MAX_BODY = 32 << 20
"""Longer bodies pass as they are: the limit of providers, in bytes."""

# A signature or digest that covers the body: other bytes would be refused.
_DIGESTS = frozenset(
    (b"x-amz-content-sha256", b"content-digest", b"repr-digest", b"digest", b"content-md5", b"signature-input")
)


class CompressionMiddleware:
    """Compresses the bodies of requests to known APIs, wherever they are mounted.

    Only `POST` requests with a JSON body on a provider's path are read (`/v1/messages`, `/chat/completions`, `/v1/responses`,
    `…:generateContent` and alike). All others, encoded and signed bodies and those over `max_body` bytes pass untouched. A
    request with the header `x-headroom-bypass: true` passes, too.

    Responses to requests that were made smaller get `x-headroom-compressed: true` and `x-headroom-tokens-saved`.

    Put it inside authentication. Parts are left out only if the request's own tools have `headroom_retrieve`. `min_tokens`
    and `model_limit` have no effect: a threshold would rewrite a conversation's earlier requests when it is passed.
    """

    def __init__(
        self,
        app: App,
        min_tokens: int | None = None,
        model_limit: int | None = None,
        *,
        engine: Engine | None = None,
        max_body: int = MAX_BODY,
    ) -> None:
        del min_tokens, model_limit
        self.app = app
        self.engine = engine or default_engine()
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a connection."""
        api = _api(scope)
        if api is None:
            await self.app(scope, receive, send)
            return
        body, came = await self._read(receive)
        if body is None:
            await self.app(scope, _replay(came, receive), send)
            return
        result = await self.engine.acompress_request(body, path=scope["path"])
        if result.body is body:
            await self.app(scope, _replay(came, receive), send)
            return
        message: Message = {"type": "http.request", "body": result.body, "more_body": False}
        scope = {**scope, "headers": _with_length(scope["headers"], len(result.body))}
        await self.app(scope, _replay([message], receive), _told(send, result.tokens_saved))

    async def _read(self, receive: Receive) -> tuple[bytes | None, list[Message]]:
        """Returns the whole body, and what came; no body if the client left or it is too long."""
        came: list[Message] = []
        size = 0
        while True:
            message = await receive()
            came.append(message)
            if message["type"] != "http.request":
                return None, came
            size += len(message.get("body", b""))
            if size > self.max_body:
                return None, came
            if not message.get("more_body", False):
                return b"".join(message.get("body", b"") for message in came), came


def _api(scope: Scope) -> str | None:
    """Returns the API of a request whose body may be rewritten."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    headers = {name.lower(): value for name, value in scope["headers"]}
    kind = headers.get(b"content-type", b"application/json").split(b";")[0].strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        return None
    if headers.get(b"content-encoding", b"identity") != b"identity" or b"upgrade" in headers:
        return None
    if headers.get(b"authorization", b"").startswith(b"AWS4-") or not _DIGESTS.isdisjoint(headers):
        return None
    if b"X-Amz-Signature=" in scope.get("query_string", b""):
        return None
    if headers.get(b"x-headroom-bypass", b"").lower() == b"true":
        return None
    return _native.api_of_path(scope["path"])


def _replay(came: list[Message], receive: Receive) -> Receive:
    """Returns what came once more, and then whatever comes."""
    left = list(came)

    async def again() -> Message:
        return left.pop(0) if left else await receive()

    return again


def _told(send: Send, saved: int) -> Send:
    """Adds what was saved to the head of the response."""

    async def tell(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [(b"x-headroom-compressed", b"true"), (b"x-headroom-tokens-saved", str(saved).encode())]
            message = {**message, "headers": [*message.get("headers", ()), *own]}
        await send(message)

    return tell


def _with_length(headers: Headers, length: int) -> list[tuple[bytes, bytes]]:
    left = [
        (name, value)
        for name, value in headers
        if name.lower() not in (b"content-length", b"transfer-encoding")
    ]
    return [*left, (b"content-length", str(length).encode())]
