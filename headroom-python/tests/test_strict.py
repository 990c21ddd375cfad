"""Against a provider that enforces the rules of Anthropic's: bound thinking, pairs of calls and results, cache breakpoints."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conversations import log
from test_hidden import SCHEMA

from headroom import Engine, with_headroom

SHARED = Path(os.environ.get("HEADROOM_SHARED") or Path(__file__).parents[3] / "shared")
PROGRAM = Path(os.environ.get("HEADROOM_PROGRAM") or Path(__file__).parents[2] / "target/debug/headroom")

sdk = pytest.importorskip("anthropic")
pytest.importorskip("aiohttp")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(port)


@contextmanager
def strict_provider(lines: Path) -> Iterator[str]:
    """Runs such a provider, which logs to this file, and returns its address."""
    script = SHARED / "mock/strict_anthropic.py"
    if not script.is_file():
        pytest.skip("needs the folder that HEADROOM_SHARED names")
    port = free_port()
    running = subprocess.Popen([sys.executable, script, str(port), lines, "--steps", "3"])
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait()


@contextmanager
def relay(url: str) -> Iterator[tuple[str, list[bytes]]]:
    """Passes requests on, and records their bodies."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            bodies.append(body)
            request = urllib.request.Request(url + self.path, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request) as response:
                answer = response.read()
            self.send_response(200)
            self.send_header("content-type", response.headers["content-type"])
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    bodies: list[bytes] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
    finally:
        server.shutdown()
        server.server_close()


def run_agent(clients: list[Any]) -> str:
    """An agent that runs what the model asks for. Its client may be another for each turn."""
    messages: list[Any] = [{"role": "user", "content": "Why did the pool fail?"}]
    for turn in range(10):
        client = clients[min(turn, len(clients) - 1)]
        with client.messages.stream(
            model="claude-opus-5-5",
            max_tokens=4000,
            thinking={"type": "enabled", "budget_tokens": 1024},
            tools=[{"name": "Bash", "input_schema": SCHEMA}],
            messages=messages,
            cache_control={"type": "ephemeral"},
        ) as stream:
            answer = stream.get_final_message()
        assert "headroom" not in repr(answer)
        messages.append({"role": "assistant", "content": answer.content})
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in answer.content if block.type == "text")
        content = [
            {"type": "tool_result", "tool_use_id": call.id, "content": log(7919 + turn)} for call in calls
        ]
        messages.append({"role": "user", "content": content})
    raise AssertionError("the agent does not end")


def client_of(url: str, **more: Any) -> Any:
    return sdk.Anthropic(base_url=url, api_key="x", max_retries=0, **more)


def events(lines: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.read_text().splitlines()]


def test_no_rule_is_broken_and_the_cache_keeps_growing(tmp_path: Path) -> None:
    lines = tmp_path / "log.jsonl"
    with strict_provider(lines) as url:
        assert run_agent([with_headroom(client_of(url), engine=Engine())]).endswith("All done.")
    seen = events(lines)
    assert [event for event in seen if "err" in event or event["dropped"]] == []
    assert sum(call == "headroom_retrieve" for event in seen for call in event["calls"]) == 3
    reads = [event["usage"]["cache_read_input_tokens"] for event in seen]
    assert reads == sorted(reads) and reads[-1] > 0


def test_a_restart_with_an_empty_store_breaks_no_conversation(tmp_path: Path) -> None:
    with strict_provider(tmp_path / "log.jsonl") as url:
        clients = [with_headroom(client_of(url), engine=Engine()) for _ in range(10)]
        assert run_agent(clients).endswith("All done.")


def test_the_bodies_are_those_of_the_proxy(tmp_path: Path) -> None:
    if not PROGRAM.is_file():
        pytest.skip("needs the program headroom, which HEADROOM_PROGRAM names")
    with strict_provider(tmp_path / "own.jsonl") as url, relay(url) as (behind, own):
        run_agent([with_headroom(client_of(behind), engine=Engine())])
    with strict_provider(tmp_path / "proxy.jsonl") as url, relay(url) as (behind, others):
        port = free_port()
        command = [PROGRAM, "proxy", "--listen", f"127.0.0.1:{port}", "--anthropic-upstream", behind, "--store", "memory"]
        environment = {**os.environ, "HOME": str(tmp_path), "HEADROOM_HOME": str(tmp_path / "home")}
        running = subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            run_agent([client_of(f"http://127.0.0.1:{port}")])
        finally:
            running.terminate()
            running.wait()
    assert len(own) == 7 and own == others
