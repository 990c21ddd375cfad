"""Where originals are."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conversations import conversation, log

import headroom
from headroom import ConfigurationError, Engine, FolderStore, MemoryStore, RedisStore, StoreError, retrieve_tool

TOOLS = [retrieve_tool("openai")]


def test_a_folder_is_shared_by_processes(tmp_path: Path) -> None:
    engine = Engine(store=FolderStore(tmp_path))
    (handle,) = engine.compress(conversation("openai", log()), tools=TOOLS).originals
    program = "import sys, headroom; print(headroom.FolderStore(sys.argv[1]).get(sys.argv[2]), end='')"
    run = subprocess.run([sys.executable, "-c", program, tmp_path, handle], capture_output=True, text=True, check=True)
    assert run.stdout == log()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_folder_works_on_after_a_fork(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    handle = store.put(log())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if store.get(handle) == log() and store.put("child\n") else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.01)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the child waits for threads of its parent")
    assert os.waitstatus_to_exitcode(status) == 0
    assert store.get(store.put("child\n")) == "child\n"


def test_the_default_folder_is_that_of_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADROOM_HOME", str(tmp_path / "own"))
    assert FolderStore().path == tmp_path / "own"
    monkeypatch.delenv("HEADROOM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert FolderStore().path == tmp_path / "headroom"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert FolderStore().path == tmp_path / ".headroom"
    monkeypatch.delenv("HOME")
    with pytest.raises(ConfigurationError, match="give FolderStore a path"):
        FolderStore()


def test_the_owner_of_a_folder_finds_what_every_tenant_stored(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    handle = store.put("a text\n", tenant="credential-1")
    assert store.get(handle) is None and store.find(handle) == "a text\n"
    assert store.find("no handle") is None


@pytest.mark.parametrize("blocked", [True, False])
def test_a_store_that_fails_leaves_everything_in_and_nothing_raises(tmp_path: Path, blocked: bool) -> None:
    folder = tmp_path / "file"
    if blocked:
        folder.write_text("not a folder")
    engine = Engine(store=FolderStore(folder))
    messages = conversation("openai", log())
    result = engine.compress(messages, tools=TOOLS)
    assert result.store_failed is blocked
    assert (result.originals == []) is blocked
    assert ("[headroom:" in str(result.messages)) is not blocked
    if blocked:
        with pytest.raises(StoreError) as failed:
            engine.retrieve("aaaaaaaaaaaaaaaa")
        assert isinstance(failed.value, headroom.HeadroomError) and "served" not in str(failed.value)
        folder.unlink()
        later = engine.compress(messages, tools=TOOLS)
        assert later.messages == result.messages, "what was sent stays the same when the store works again"


def test_a_store_that_is_too_small_counts_as_failed() -> None:
    result = Engine(store=MemoryStore(capacity=1000)).compress(conversation("openai", log()), tools=TOOLS)
    assert result.store_failed and result.originals == []


def test_stores_refuse_settings_that_mean_nothing() -> None:
    makes: list[Any] = [
        lambda: MemoryStore(time_to_idle=-1.0),
        lambda: RedisStore("http://localhost"),
        lambda: RedisStore("redis://localhost", timeout=float("nan")),
    ]
    for make in makes:
        with pytest.raises(ConfigurationError):
            make()
    with pytest.raises(TypeError):
        headroom.Store()


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def test_replicas_share_a_server(redis_url: str) -> None:
    one, other = Engine(store=RedisStore(redis_url)), Engine(store=RedisStore(redis_url))
    result = await one.acompress(conversation("openai", log()), tools=TOOLS)
    (handle,) = result.originals
    assert "served" in await other.aretrieve(handle)


def test_a_server_that_is_away_leaves_everything_in() -> None:
    engine = Engine(store=RedisStore("redis://127.0.0.1:1", timeout=0.2))
    result = engine.compress(conversation("openai", log()), tools=TOOLS)
    assert result.store_failed and result.originals == []
