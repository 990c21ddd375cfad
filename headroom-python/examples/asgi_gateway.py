"""A gateway whose requests get smaller before it forwards them. `pip install starlette httpx`"""

import json

import httpx
from provider import provider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from headroom.integrations.asgi import CompressionMiddleware

rows = json.dumps([{"id": n, "state": "ready", "zone": "eu"} for n in range(60)])
call = {"id": "1", "type": "function", "function": {"name": "list", "arguments": "{}"}}
body = {
    "model": "gpt-4o",
    "messages": [
        {"role": "user", "content": "Which zones are there?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": rows},
    ],
}

with provider() as upstream:

    async def forward(request: Request) -> Response:
        """Sends the request on."""
        async with httpx.AsyncClient() as client:
            answer = await client.post(upstream.url + request.url.path, content=await request.body())
        return Response(answer.content, media_type="application/json")

    app = Starlette(routes=[Route("/v1/chat/completions", forward, methods=["POST"])])
    app.add_middleware(CompressionMiddleware)
    response = TestClient(app).post("/v1/chat/completions", json=body)
    print(response.headers["x-headroom-tokens-saved"], "tokens saved")
    print(upstream.last["messages"][2]["content"])
