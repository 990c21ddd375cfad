"""A task for agents of any framework: a loop of several turns, in which the model reads back what was left out."""

from __future__ import annotations

import json
from typing import Any

from conversations import log
from scripted import Scripted, Turn
from test_hidden import FOUND, MARKER, texts, unmarked

ERROR = "ERROR pool 7919 exhausted"


def read_log(name: str) -> str:
    """Reads a log.

    Args:
        name: The name of the log.
    """
    return log(7919 if name == "first" else 7907)


def curious_agent(asked: dict[str, Any]) -> Turn:
    """A model that reads a log, retrieves a line of it that was left out, reads another and ends."""
    said = texts([asked.get(name) for name in ("messages", "input", "contents")])
    if ERROR not in said:
        return [("read_log", {"name": "first"})]
    if FOUND not in said and "headroom_retrieve" in json.dumps(asked.get("tools")):
        return [("headroom_retrieve", {"hash": MARKER.findall(said)[0], "lines": "141-145"})]
    if "ERROR pool 7907" not in said:
        return [("read_log", {"name": "second"})]
    return ["The pool was exhausted."]


def check_loop(provider: Scripted, *, retrieves: bool = True) -> None:
    """Each request has the last one's messages again, byte for byte, and results in their smaller form."""
    requests = [unmarked(asked) for asked in provider.requests]  # breakpoints move on
    name = next(name for name in ("messages", "input", "contents") if name in requests[0])
    assert len(requests) == (4 if retrieves else 3), [texts(asked[name])[-200:] for asked in requests]
    for before, after in zip(requests, requests[1:], strict=False):
        assert after[name][: len(before[name])] == before[name], "the prompt grows by appending"
    last = texts(requests[-1][name])
    assert ERROR in last and "ERROR pool 7907" in last, "what matters stays"
    if retrieves:
        assert last.count(FOUND) == 1 and len(set(MARKER.findall(last))) == 2
        assert len(last) < len(log()) / 2
    else:
        assert not MARKER.search(last)
