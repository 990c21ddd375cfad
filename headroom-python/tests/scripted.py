"""A provider whose model follows a script, whole and streaming, in the form of each API. It records what it gets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Dict = dict[str, Any]
Text = str
Call = tuple[str, Dict]
"""The name of a tool, and its arguments."""
Turn = Sequence["Text | Call"]


class Scripted:
    """What came, and the model: a function from a request to what it says."""

    def __init__(self, url: str, model: Callable[[Dict], Turn | tuple[int, Dict]]) -> None:
        self.url, self.model = url, model
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.pause = threading.Event()
        """Cleared to hold a stream back after its first events."""
        self.pause.set()
        self.broke_off = threading.Event()

    @property
    def requests(self) -> list[Dict]:
        """The requests, parsed."""
        return [json.loads(body) for body in self.bodies]


def _calls(turn: Turn, number: int) -> list[tuple[str, str, Dict]]:
    calls = [part for part in turn if not isinstance(part, str)]
    return [(f"call_{number}x{at}a7B9cD3eF5gH1", name, arguments) for at, (name, arguments) in enumerate(calls)]


def _texts(turn: Turn) -> str:
    return "".join(part for part in turn if isinstance(part, str))


def _words(text: str) -> list[str]:
    """The pieces of a stream, which make the text."""
    return re.findall(r"\S+\s*", text)


def _anthropic(turn: Turn, number: int) -> tuple[Dict, list[tuple[str | None, Dict]]]:
    calls = _calls(turn, number)
    content: list[Dict] = [{"type": "text", "text": _texts(turn)}] if _texts(turn) else []
    content += [{"type": "tool_use", "id": id, "name": name, "input": arguments} for id, name, arguments in calls]
    stop = "tool_use" if calls else "end_turn"
    usage = {"input_tokens": 100 * number, "output_tokens": 10}
    frame: Dict = {"id": f"msg_{number}", "type": "message", "role": "assistant", "model": "claude"}
    document = {**frame, "content": content, "stop_reason": stop, "stop_sequence": None, "usage": usage}
    start = {**frame, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    events: list[Dict] = [{"type": "message_start", "message": start}]
    for at, block in enumerate(content):
        deltas: list[Dict]
        if block["type"] == "text":
            deltas = [{"type": "text_delta", "text": word} for word in _words(block["text"])]
            events.append({"type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}})
        else:
            text = json.dumps(block["input"])
            pieces = [text[n : n + 9] for n in range(0, len(text), 9)]
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
            events.append({"type": "content_block_start", "index": at, "content_block": {**block, "input": {}}})
        events += [{"type": "content_block_delta", "index": at, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": at})
    end = {"stop_reason": stop, "stop_sequence": None}
    events += [{"type": "message_delta", "delta": end, "usage": {"output_tokens": 10}}, {"type": "message_stop"}]
    return document, [(event["type"], event) for event in events]


def _chat(turn: Turn, number: int) -> tuple[Dict, list[tuple[str | None, Dict]]]:
    calls: list[Dict] = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for id, name, arguments in _calls(turn, number)
    ]
    message: Dict = {"role": "assistant", "content": _texts(turn) or None, **({"tool_calls": calls} if calls else {})}
    stop = "tool_calls" if calls else "stop"
    usage = {"prompt_tokens": 100 * number, "completion_tokens": 10, "total_tokens": 100 * number + 10}
    frame: Dict = {"id": f"chatcmpl-{number}", "created": 1, "model": "gpt-4o"}
    choice = {"index": 0, "message": message, "finish_reason": stop}
    document = {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}

    def chunk(delta: Dict, reason: str | None = None) -> tuple[str | None, Dict]:
        part = {"index": 0, "delta": delta, "finish_reason": reason}
        return None, {**frame, "object": "chat.completion.chunk", "choices": [part]}

    chunks = [chunk({"role": "assistant", "content": ""})]
    chunks += [chunk({"content": word}) for word in _words(_texts(turn))]
    for at, call in enumerate(calls):
        name = {"name": call["function"]["name"], "arguments": ""}
        chunks.append(chunk({"tool_calls": [{"index": at, "id": call["id"], "type": "function", "function": name}]}))
        text = call["function"]["arguments"]
        pieces = [text[n : n + 9] for n in range(0, len(text), 9)]
        chunks += [chunk({"tool_calls": [{"index": at, "function": {"arguments": piece}}]}) for piece in pieces]
    return document, [*chunks, chunk({}, stop)]


def _responses(turn: Turn, number: int) -> tuple[Dict, list[tuple[str | None, Dict]]]:
    output: list[Dict] = []
    if _texts(turn):
        text = {"type": "output_text", "text": _texts(turn), "annotations": []}
        output.append({"type": "message", "id": f"m_{number}", "status": "completed", "role": "assistant", "content": [text]})
    for id, name, arguments in _calls(turn, number):
        call = {"id": f"fc_{id}", "call_id": id, "name": name, "arguments": json.dumps(arguments)}
        output.append({"type": "function_call", "status": "completed", **call})
    usage = {
        **{"input_tokens": 100 * number, "output_tokens": 10, "total_tokens": 100 * number + 10},
        **{"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}},
    }
    frame: Dict = {"id": f"resp_{number}a7B9cD3eF5gH1jK2", "object": "response", "created_at": 1, "model": "gpt-4o"}
    head: Dict = {"tool_choice": "auto", "tools": [], "parallel_tool_calls": True}
    document = {**frame, **head, "status": "completed", "output": output, "usage": usage}
    events: list[Dict] = [
        {"type": "response.created", "response": {**frame, **head, "status": "in_progress", "output": []}}
    ]
    for at, item in enumerate(output):
        rest: Dict = {"content": []} if item["type"] == "message" else {"arguments": ""}
        empty = {**item, "status": "in_progress", **rest}
        events.append({"type": "response.output_item.added", "output_index": at, "item": empty})
        place = {"item_id": item["id"], "output_index": at}
        if item["type"] == "message":
            inner = {**place, "content_index": 0}
            part = {"type": "output_text", "text": "", "annotations": []}
            events.append({"type": "response.content_part.added", **inner, "part": part})
            delta = "response.output_text.delta"
            events += [{"type": delta, **inner, "delta": word, "logprobs": []} for word in _words(_texts(turn))]
            events.append({"type": "response.output_text.done", **inner, "text": _texts(turn), "logprobs": []})
            events.append({"type": "response.content_part.done", **inner, "part": item["content"][0]})
        else:
            text = item["arguments"]
            delta = "response.function_call_arguments.delta"
            events += [{"type": delta, **place, "delta": text[n : n + 9]} for n in range(0, len(text), 9)]
            done = {"type": "response.function_call_arguments.done", **place, "arguments": text, "name": item["name"]}
            events.append(done)
        events.append({"type": "response.output_item.done", "output_index": at, "item": item})
    events.append({"type": "response.completed", "response": document})
    return document, [(event["type"], {**event, "sequence_number": at}) for at, event in enumerate(events)]


def _gemini(turn: Turn, number: int) -> tuple[Dict, list[tuple[str | None, Dict]]]:
    parts: list[Dict] = [{"text": _texts(turn)}] if _texts(turn) else []
    calls = [{"functionCall": {"name": name, "args": arguments}} for _, name, arguments in _calls(turn, number)]

    def answer(parts: list[Dict], reason: str | None) -> Dict:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        usage = {"promptTokenCount": 100 * number, "candidatesTokenCount": 10, "totalTokenCount": 100 * number + 10}
        frame = {"usageMetadata": usage, "modelVersion": "gemini-3-pro", "responseId": f"r{number}"}
        return {"candidates": [{**candidate, **({"finishReason": reason} if reason else {})}], **frame}

    pieces: list[list[Dict]] = [[part] for part in [*parts, *calls]]
    stream = [answer(piece, "STOP" if at == len(pieces) - 1 else None) for at, piece in enumerate(pieces)]
    return answer([*parts, *calls], "STOP"), [(None, event) for event in stream]


def _form(path: str) -> Callable[[Turn, int], tuple[Dict, list[tuple[str | None, Dict]]]]:
    if path.endswith("/messages"):
        return _anthropic
    if path.endswith("/responses"):
        return _responses
    return _gemini if "generateContent" in path.replace("GenerateContent", "generateContent") else _chat


@contextmanager
def scripted(model: Callable[[Dict], Turn | tuple[int, Dict]]) -> Iterator[Scripted]:
    """Runs a provider with this model. An answer that is a pair is a status with a body."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            path = self.path.partition("?")[0]
            with lock:
                found.paths.append(path)
                found.bodies.append(body)
                found.headers.append({name.lower(): value for name, value in self.headers.items()})
                number = len(found.bodies)
            asked = json.loads(body)
            answer = found.model(asked)
            if isinstance(answer, tuple):
                self._send(answer[0], "application/json", json.dumps(answer[1]).encode())
                return
            document, events = _form(path)(answer, number)
            if asked.get("stream") or "stream" in path:
                self._stream(path, events)
            else:
                self._send(200, "application/json", json.dumps(document).encode())

        def _stream(self, path: str, events: list[tuple[str | None, Dict]]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            end = b"data: [DONE]\n\n" if path.endswith("completions") else b""
            try:
                for at, (name, data) in enumerate(events):
                    if at == len(events) // 2:
                        found.pause.wait(10)
                    line = (f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n"
                    self.wfile.write(line.encode())
                    self.wfile.flush()
                if found.pause.is_set():
                    self.wfile.write(end)
            except OSError:
                found.broke_off.set()
            self.close_connection = True

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Scripted(f"http://127.0.0.1:{server.server_address[1]}", model)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.pause.set()
        server.shutdown()
        server.server_close()
        thread.join()
