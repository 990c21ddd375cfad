"""A provider on loopback for the examples and the tests: it records what it gets and answers as real ones do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Provider:
    """The requests that came, and the answers that go: one text unless a test gives others."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.paths: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[dict[str, Any]] = []

    @property
    def last(self) -> dict[str, Any]:
        """The last request."""
        body: dict[str, Any] = json.loads(self.bodies[-1])
        return body


def call_of(name: str) -> dict[str, Any]:
    """Returns an answer of Chat Completions that calls a tool."""
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": "{}"}}
    choice = {"index": 0, "message": {"role": "assistant", "content": None, "tool_calls": [call]}}
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    frame = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "usage": counts}
    return {**frame, "choices": [{**choice, "finish_reason": "tool_calls"}]}


def read_log() -> str:
    """Reads the log."""
    lines = (f"10:{n // 60:02}:{n % 60:02} INFO served request {n} in {n * 7919 % 97} ms" for n in range(300))
    return "\n".join(lines)


def _message(path: str) -> dict[str, Any]:
    usage: dict[str, Any] = {"input_tokens": 1, "output_tokens": 1}
    if path.endswith("/messages"):
        content = [{"type": "text", "text": "done"}]
        frame: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
        return {**frame, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
    if path.endswith("/responses"):
        text = {"type": "output_text", "text": "done", "annotations": []}
        output: list[Any] = [{"type": "message", "id": "m", "status": "completed", "role": "assistant", "content": [text]}]
        frame = {"id": "r", "object": "response", "created_at": 1, "model": "gpt-4o", "status": "completed"}
        return {**frame, "output": output, "tool_choice": "auto", "tools": [], "parallel_tool_calls": True}
    if ":generateContent" in path:
        return {"candidates": [{"content": {"role": "model", "parts": [{"text": "done"}]}, "finishReason": "STOP"}]}
    message = {"role": "assistant", "content": "done"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    counts = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice], "usage": counts}


def _events(path: str) -> list[tuple[str | None, dict[str, Any]]]:
    if path.endswith("/messages"):
        start = {**_message(path), "content": []}
        return [
            ("message_start", {"type": "message_start", "message": start}),
            (
                "content_block_start",
                {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            ),
            (
                "content_block_delta",
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "done"}},
            ),
            ("content_block_stop", {"type": "content_block_stop", "index": 0}),
            (
                "message_delta",
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
            ),
            ("message_stop", {"type": "message_stop"}),
        ]
    if ":streamGenerateContent" in path:
        return [(None, _message(":generateContent"))]
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    delta = {"index": 0, "delta": {"role": "assistant", "content": "done"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return [(None, {**frame, "choices": [delta]}), (None, {**frame, "choices": [end]})]


@contextmanager
def provider() -> Iterator[Provider]:
    """Runs a provider."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = self.headers.get("content-length")
            body = self.rfile.read(int(length)) if length else self._chunks()
            path = self.path.partition("?")[0]
            found.paths.append(path)
            found.bodies.append(body)
            found.headers.append({name.lower(): value for name, value in self.headers.items()})
            asked = json.loads(body or b"{}")
            if found.answers:
                self._send("application/json", json.dumps(found.answers.pop(0)).encode())
            elif asked.get("stream") or ":streamGenerateContent" in path:
                lines = [
                    (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in _events(path)
                ]
                end = "data: [DONE]\n\n" if path.endswith("completions") else ""
                self._send("text/event-stream", ("".join(lines) + end).encode())
            else:
                self._send("application/json", json.dumps(_message(path)).encode())

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
