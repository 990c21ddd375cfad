"""Recorded requests of real clients, from the folder that HEADROOM_SHARED names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from conversations import list_name, to_bytes

from headroom import Engine, retrieve_tool

SHARED = Path(os.environ.get("HEADROOM_SHARED", "/nonexistent"))
PLACES = ("captures/*/*.body", "workloads/headline_*.openai.json", "workloads/headline_*.anthropic.json")
BODIES = sorted(path for place in PLACES for path in SHARED.glob(place))

pytestmark = pytest.mark.skipif(not BODIES, reason="HEADROOM_SHARED names no recorded requests")

ENGINE = Engine()


@pytest.mark.parametrize("path", BODIES, ids=lambda path: "/".join(path.parts[-2:]))
def test_messages_of_a_recorded_request_become_what_the_body_with_them_becomes(path: Path) -> None:
    given: dict[str, Any] = json.loads(path.read_bytes())
    api: Any = ENGINE.compress_request(path.read_bytes()).report.api
    if api is None or not isinstance(given.get(list_name(api)), list):
        pytest.skip("not a request with a conversation")
    name = list_name(api)
    tools, choice = given.get("tools"), given.get("tool_choice")
    head = {"model": given.get("model", ""), "tools": tools, "tool_choice": choice}
    body = {key: value for key, value in head.items() if value is not None} | {name: given[name]}
    for retrieval in (None, [*(tools or []), retrieve_tool(api)]):
        if retrieval is not None:
            tools = body["tools"] = retrieval
            choice = None
            body.pop("tool_choice", None)
        request = ENGINE.compress_request(to_bytes(body), api=api)
        result = ENGINE.compress(given[name], head["model"], tools=tools, tool_choice=choice, api=api)
        assert result.unreadable == {}
        assert result.report.bytes_before == request.report.bytes_before == len(to_bytes(body))
        assert result.messages == json.loads(request.body)[name]
        assert to_bytes(result.messages) in request.body, "byte for byte"
        assert (result.tokens_saved, result.originals) == (request.tokens_saved, request.originals)
        for old, new in zip(given[name], result.messages, strict=True):
            assert old is new or old != new
