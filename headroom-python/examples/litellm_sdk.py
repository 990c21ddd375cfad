"""LiteLLM with Headroom. `pip install litellm`"""

import json

import litellm
from provider import provider

from headroom.integrations.litellm_callback import HeadroomCallback

headroom = HeadroomCallback()
litellm.callbacks = [headroom]

rows = json.dumps([{"id": n, "state": "ready", "zone": "eu"} for n in range(60)])
call = {"id": "1", "type": "function", "function": {"name": "list", "arguments": "{}"}}

with provider() as upstream:
    answer = litellm.completion(
        model="openai/gpt-4o",
        api_base=upstream.url + "/v1",
        api_key="none",
        messages=[
            {"role": "user", "content": "Which zones are there?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": rows},
        ],
    )
    print(answer.choices[0].message.content)
    print(upstream.last["messages"][2]["content"])
    print(headroom.total_tokens_saved, "tokens saved")
