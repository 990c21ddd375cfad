"""Bytes in, bytes out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import APIS, body, conversation, log, records, to_bytes

import headroom
from headroom import Engine, Retrieval, Tier, retrieve_tool


def test_a_body_without_savings_is_the_same_object() -> None:
    for odd in (b"", b"{}", b"[1,", b"\xff", b'{"messages":"hi"}', to_bytes(body("openai", conversation("openai", "ok")))):
        result = headroom.compress_request(odd)
        assert result.body is odd and result.tokens_saved == 0 and result.reason is not None
        assert result.report.bytes_before == result.report.bytes_after == len(odd)


def test_unusual_json_survives_around_the_results() -> None:
    text = json.dumps(records())
    given = (
        '{ "model" : "gpt-4o", "temperature": 1.0e0, "x": "\\u00e9\\/", "messages": [\n'
        '{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"ls","arguments":"{}"}}]},\n'
        '{"tool_call_id":"1","content":' + text + ',"role":"tool", "n": 1.10}] , "seed":12345678901234567890}'
    )
    result = headroom.compress_request(given.encode())
    start, end = given.split(text)
    assert result.body.startswith(start.encode()) and result.body.endswith(end.encode())
    assert len(result.body) < len(given) / 2


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/v1/messages?beta=true", "anthropic"),
        ("/openai/v1/chat/completions", "openai"),
        ("/v1/responses", "responses"),
        ("/v1beta/models/gemini-3-pro:streamGenerateContent", "gemini"),
        ("/model/anthropic.claude/converse", "converse"),
    ],
)
def test_the_path_names_the_api(path: str, api: Any) -> None:
    given = to_bytes(body(api, conversation(api, records())))
    result = headroom.compress_request(given, path=path)
    assert (result.report.api, result.body) == (api, headroom.compress_request(given, api=api).body)
    assert len(result.body) < len(given) / 2


@pytest.mark.parametrize("api", APIS)
def test_the_shape_names_the_api(api: Any) -> None:
    given = to_bytes(body(api, conversation(api, records()), [retrieve_tool(api)]))
    assert headroom.compress_request(given).report.api == api


@pytest.mark.parametrize("given", [bytearray(b"{}"), b"{}"])
def test_bytes_of_both_kinds_are_taken(given: Any) -> None:
    assert headroom.compress_request(given).body is given


@pytest.mark.parametrize("wrong", ["{}", None, {}])
def test_what_is_no_bytes_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        headroom.compress_request(wrong)


def test_tiers_go_further_one_by_one() -> None:
    head = log().replace("served", "took")
    results = (records(), head + log(lines=30), head + log(31, lines=30), log(7907))
    given = to_bytes(body("openai", conversation("openai", *results), [retrieve_tool("openai")]))
    lengths = [len(Engine(tier=tier).compress_request(given).body) for tier in Tier]
    assert len(given) > lengths[0] > lengths[1] > lengths[2]


def test_settings_of_the_engine_hold_unless_a_call_has_others() -> None:
    given = to_bytes(body("openai", conversation("openai", log()), [retrieve_tool("openai")]))
    engine = Engine(retrieval=Retrieval.OFF)
    assert engine.compress_request(given).originals == []
    (handle,) = engine.compress_request(given, retrieval="client-tool", tenant="team-a").originals
    assert engine.store.get(handle) is None and engine.store.get(handle, tenant="team-a") is not None


async def test_asynchronous_calls_return_the_same() -> None:
    engine = Engine()
    for count in (20, 4000):  # inline, and on a thread
        messages = conversation("openai", records(count))
        given = to_bytes(body("openai", messages))
        assert (await engine.acompress_request(given)).body == engine.compress_request(given).body
        result = await engine.acompress(messages)
        assert result.messages == engine.compress(messages).messages
        assert (await headroom.acompress(messages)).messages == result.messages
        assert (await headroom.acompress_request(given)).tokens_saved == result.tokens_saved
