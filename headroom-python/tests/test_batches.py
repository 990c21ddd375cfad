"""Batches pass as they are; their messages can be compressed before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import conversation, log, records, to_bytes
from provider import Provider

from headroom import Engine, compress, with_headroom


def requests() -> list[Any]:
    """Requests of a batch of Anthropic."""
    tools = [{"name": "Bash", "input_schema": {"type": "object", "properties": {}}}]
    head = {"model": "claude-opus-5-5", "max_tokens": 99, "tools": tools}
    return [
        {"custom_id": f"request-{n}", "params": {**head, "messages": conversation("anthropic", records(60 + n), log())}}
        for n in range(2)
    ]


async def test_batches_of_anthropic_pass_byte_for_byte(upstream: Provider) -> None:
    sdk = pytest.importorskip("anthropic")
    upstream.answers = [{"id": "b", "type": "message_batch"} for _ in range(6)]
    now, later = sdk.Anthropic(base_url=upstream.url, api_key="x"), sdk.AsyncAnthropic(base_url=upstream.url, api_key="x")
    for client in (now, with_headroom(now, engine=Engine())):
        client.messages.batches.create(requests=requests())
        client.beta.messages.batches.create(requests=requests())
    for client in (later, with_headroom(later, engine=Engine())):
        await client.messages.batches.create(requests=requests())
    assert set(upstream.paths) == {"/v1/messages/batches"} and len(upstream.bodies) == 6
    first, beta, ours, our_beta, first_later, ours_later = upstream.bodies
    assert ours == first and our_beta == beta and ours_later == first_later
    assert to_bytes(log()) in first


def test_batches_of_openai_pass(upstream: Provider) -> None:
    sdk, http = pytest.importorskip("openai"), pytest.importorskip("httpx2")
    sent: list[tuple[str, bytes]] = []

    def handle(request: Any) -> Any:
        boundary = request.headers["content-type"].partition("boundary=")[2].encode()
        body = request.read()
        sent.append((request.url.path, body.replace(boundary, b"") if boundary else body))
        return http.Response(200, json={"id": "x", "object": "batch"})

    plain = sdk.OpenAI(api_key="x", http_client=http.Client(transport=http.MockTransport(handle)))
    asked = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"input": conversation("responses", records())}}
    for client in (plain, with_headroom(plain, engine=Engine())):
        client.files.create(file=("b.jsonl", to_bytes(asked)), purpose="batch")
        client.batches.create(input_file_id="file_1", endpoint="/v1/responses", completion_window="24h")
    assert [path for path, _ in sent] == ["/v1/files", "/v1/batches"] * 2
    assert sent[:2] == sent[2:] and to_bytes(asked) in sent[0][1]


def test_messages_of_a_batch_are_compressed_before_it_is_sent_without_anything_left_out() -> None:
    given = requests()
    small = [
        {
            "custom_id": request["custom_id"],
            "params": {
                **request["params"],
                "messages": compress(request["params"]["messages"], tools=request["params"]["tools"]).messages,
            },
        }
        for request in given
    ]
    text = json.dumps(small)
    assert "[60 rows" in text and "[61 rows" in text and "headroom" not in text
    assert small[0]["params"]["messages"][0] is given[0]["params"]["messages"][0]
