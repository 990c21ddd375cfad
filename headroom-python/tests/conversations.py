"""Conversations with long tool results, in the shape of each API."""

from __future__ import annotations

import json
from typing import Any

Dict = dict[str, Any]

APIS = ("anthropic", "openai", "responses", "gemini", "converse")


def log(seed: int = 7919, lines: int = 300) -> str:
    """A log that is mostly alike, with one error that must stay visible."""
    rows = [
        f"2026-01-01T10:{n // 60:02}:{n % 60:02} INFO served request {n} in {n * seed % 97} ms"
        for n in range(lines)
    ]
    rows[lines // 2] = f"2026-01-01T10:02:30 ERROR pool {seed} exhausted: no connection after 30 s"
    return "\n".join(rows) + "\n"


def records(count: int = 60) -> str:
    """Records that make a table."""
    return json.dumps([{"id": n, "state": "ready", "zone": "eu", "size": n * 31 % 7} for n in range(count)])


def turn(api: str, number: int, text: str, command: str = "journalctl -u app") -> list[Dict]:
    """A call and its result."""
    name, id = "Bash", f"call_{number}"
    arguments = {"command": command}
    if api == "openai":
        function = {"name": name, "arguments": json.dumps(arguments)}
        return [
            {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": id, "content": text},
        ]
    if api == "responses":
        call = {"type": "function_call", "call_id": id, "name": name, "arguments": json.dumps(arguments)}
        return [call, {"type": "function_call_output", "call_id": id, "output": text}]
    if api == "gemini":
        response = {"functionResponse": {"name": name, "response": {"output": text}}}
        return [
            {"role": "model", "parts": [{"functionCall": {"name": name, "args": arguments}}]},
            {"role": "user", "parts": [response]},
        ]
    if api == "converse":
        result = {"toolUseId": id, "status": "success", "content": [{"text": text}]}
        return [
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": id, "name": name, "input": arguments}}]},
            {"role": "user", "content": [{"toolResult": result}]},
        ]
    return [
        {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": name, "input": arguments}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": id,
                    "content": [{"type": "text", "text": text}],
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        },
    ]


def question(api: str, text: str = "Why did the pool fail?") -> Dict:
    """A prompt of the user."""
    if api == "gemini":
        return {"role": "user", "parts": [{"text": text}]}
    if api == "converse":
        return {"role": "user", "content": [{"text": text}]}
    return {"role": "user", "content": text}


def conversation(api: str, *texts: str) -> list[Dict]:
    """A question, and a call with its result for each text."""
    messages = [question(api)]
    for number, text in enumerate(texts):
        messages += turn(api, number, text)
    return messages


def body(api: str, messages: list[Dict], tools: list[Dict] | None = None, model: str = "gpt-4o") -> Dict:
    """The request with these messages."""
    if api == "converse":
        head: Dict = {"modelId": model, **({"toolConfig": {"tools": tools}} if tools else {})}
        return {**head, "messages": messages}
    head = {"model": model, **({"tools": tools} if tools else {})}
    return {**head, list_name(api): messages}


def list_name(api: str) -> str:
    """The member of a request that has its messages."""
    return {"responses": "input", "gemini": "contents"}.get(api, "messages")


def to_bytes(value: Any) -> bytes:
    """JSON as the SDKs write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def result_texts(value: Any) -> list[str]:
    """All strings of more than a line."""
    if isinstance(value, str):
        return [value] if "\n" in value or len(value) > 200 else []
    if isinstance(value, dict):
        return [text for item in value.values() for text in result_texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in result_texts(item)]
    return []
