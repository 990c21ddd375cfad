"""ASGI, the middleware alone and in Starlette."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import body, conversation, records, to_bytes

from headroom import Engine
from headroom.integrations.asgi import CompressionMiddleware

GIVEN = to_bytes(body("anthropic", conversation("anthropic", records())))


class Application:
    """Reads its request to the end, and one message more if asked."""

    def __init__(self, reads_on: bool = False) -> None:
        self.scope: Any = None
        self.body = b""
        self.messages: list[Any] = []
        self.reads_on = reads_on

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        if scope["type"] != "http":
            return
        more = True
        while more:
            message = await receive()
            self.messages.append(message)
            self.body += message.get("body", b"")
            more = message.get("more_body", False)
        if self.reads_on:
            self.messages.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"ok"})


def scope(path: str = "/v1/messages", **headers: str) -> dict[str, Any]:
    pairs = {"content-type": "application/json", "content-length": str(len(GIVEN)), **headers}
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()]
    return {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw}


async def ask(app: Any, given: Any, *chunks: bytes, then: Any = None, **options: Any) -> list[Any]:
    came = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if came:
        came[-1]["more_body"] = False
    came.append(then or {"type": "http.disconnect"})
    sent: list[Any] = []

    async def receive() -> Any:
        return came.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await CompressionMiddleware(app, engine=Engine(), **options)(given, receive, send)
    return sent


async def test_the_application_sees_a_smaller_body_and_its_length() -> None:
    app = Application(reads_on=True)
    given = scope(transfer_encoding="chunked")
    headers = list(given["headers"])
    sent = await ask(app, given, GIVEN[:100], GIVEN[100:])
    assert "[60 rows" in str(json.loads(app.body)["messages"]) and len(app.body) < len(GIVEN) / 2
    seen = dict(app.scope["headers"])
    assert seen[b"content-length"] == str(len(app.body)).encode() and b"transfer-encoding" not in seen
    assert given["headers"] == headers, "the given scope is not touched"
    assert app.messages[-1] == {"type": "http.disconnect"}, "what comes later still comes"
    answer = dict(sent[0]["headers"])
    assert answer[b"x-headroom-compressed"] == b"true" and int(answer[b"x-headroom-tokens-saved"]) > 0
    assert answer[b"x-own"] == b"1" and sent[1]["body"] == b"ok"


@pytest.mark.parametrize(
    "given",
    [
        scope("/v1/embeddings"),
        scope("/v1/messages/batches"),
        scope(content_type="text/plain"),
        scope(content_encoding="gzip"),
        scope(authorization="AWS4-HMAC-SHA256 Credential=x"),
        scope(content_digest="sha-256=:x:"),
        scope(x_headroom_bypass="true"),
        {**scope(), "method": "PUT"},
        {**scope(), "query_string": b"X-Amz-Signature=1"},
    ],
    ids=str,
)
async def test_other_requests_pass_untouched(given: Any) -> None:
    app = Application()
    if dict(given["headers"]).get(b"content-type") == b"application/json":
        given["headers"] = [*given["headers"]]
    sent = await ask(app, given, GIVEN)
    assert app.body == GIVEN and app.scope is given
    assert dict(sent[0]["headers"]) == {b"x-own": b"1"}


@pytest.mark.parametrize("chunks", [(b"",), (b"{}",), (b"no", b" json")])
async def test_bodies_without_savings_pass_as_they_came(chunks: tuple[bytes, ...]) -> None:
    app, given = Application(), scope()
    await ask(app, given, *chunks)
    assert [message["body"] for message in app.messages] == list(chunks) and app.scope is given


async def test_long_bodies_pass_and_are_not_read_to_their_end() -> None:
    app = Application()
    await ask(app, scope(), GIVEN[:50], GIVEN[50:100], GIVEN[100:], max_body=60)
    assert app.body == GIVEN and len(app.messages) == 3


async def test_a_client_that_leaves_is_passed_on() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.extend([await receive(), await receive()])

    came = [{"type": "http.request", "body": GIVEN[:9], "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return came.pop(0)

    await CompressionMiddleware(app, engine=Engine())(scope(), receive, receive)  # type: ignore[arg-type]
    assert [message["type"] for message in seen] == ["http.request", "http.disconnect"]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
async def test_other_connections_go_straight_through(kind: str) -> None:
    app, given = Application(), {"type": kind, "path": "/v1/messages", "headers": []}
    await ask(app, given)
    assert app.scope is given


def test_it_works_in_starlette() -> None:
    pytest.importorskip("starlette")
    pytest.importorskip("httpx")
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def echo(request: Any) -> Any:
        return JSONResponse({"length": request.headers["content-length"], "body": (await request.body()).decode()})

    app = Starlette(routes=[Route("/proxy/v1/messages", echo, methods=["POST"])])
    app.add_middleware(CompressionMiddleware, engine=Engine())
    answer = TestClient(app).post("/proxy/v1/messages", content=GIVEN, headers={"content-type": "application/json"})
    seen = answer.json()
    assert int(seen["length"]) == len(seen["body"].encode()) < len(GIVEN)
    assert answer.headers["x-headroom-compressed"] == "true"
