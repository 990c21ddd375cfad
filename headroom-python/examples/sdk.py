"""A client of Anthropic's SDK whose requests get smaller. `pip install anthropic`"""

from anthropic import Anthropic
from provider import provider

from headroom import with_headroom

rows = [{"id": n, "state": "ready", "zone": "eu"} for n in range(60)]

with provider() as upstream:
    client = with_headroom(Anthropic(base_url=upstream.url, api_key="none"))
    answer = client.messages.create(
        model="claude-opus-5-5",
        max_tokens=100,
        messages=[
            {"role": "user", "content": "Which zones are there?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "list", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": str(rows).replace("'", '"')}]},
        ],
    )
    print(answer.content)
    print(upstream.last["messages"][2]["content"][0]["content"])
