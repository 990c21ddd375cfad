"""A client that answers `headroom_retrieve` itself, so that nobody else sees the calls. `pip install anthropic`"""

import json
from typing import Any

from anthropic import Anthropic
from provider import provider, read_log

from headroom import with_headroom

call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "cat app.log"}}
messages: Any = [
    {"role": "user", "content": "Which request was number 142?"},
    {"role": "assistant", "content": [call]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": read_log()}]},
]
tools: Any = [{"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}]

with provider() as upstream:
    client = with_headroom(Anthropic(base_url=upstream.url, api_key="none"))
    answer = client.messages.create(model="claude-opus-5-5", max_tokens=1000, messages=messages, tools=tools)
    print([tool["name"] for tool in upstream.last["tools"]], "are the tools that the provider got")
    print(json.dumps(upstream.last["messages"][-1]))
    print(answer.content)
