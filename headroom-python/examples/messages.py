"""Compresses messages, and answers the model's calls of `headroom_retrieve`."""

import json
from typing import Any

from headroom import compress, headroom_retrieve, retrieve_tool

log = "".join(f"10:{n // 60:02}:{n % 60:02} INFO served request {n} in {n * 7919 % 97} ms\n" for n in range(300))
call = {"id": "1", "type": "function", "function": {"name": "Bash", "arguments": '{"command": "cat app.log"}'}}
messages: list[dict[str, Any]] = [
    {"role": "user", "content": "Which requests were slow?"},
    {"role": "assistant", "tool_calls": [call]},
    {"role": "tool", "tool_call_id": "1", "content": log},
]

result = compress(messages, model="gpt-4o", tools=[retrieve_tool("openai")])
print(f"{result.tokens_before} -> {result.tokens_after} tokens")
print(result.messages[2]["content"])

# What a model may ask then.
arguments = json.dumps({"hash": result.originals[0], "query": "request 77 "})
print(headroom_retrieve(**json.loads(arguments)))
