"""One prompt of an agent by the official SDK: asks until its model is done, and keeps the conversation in a file.

Usage: turn.py BASE_URL plain|stream FOLDER CONVERSATION PROMPT
"""

import json
import os
import subprocess
import sys

import anthropic

base, mode, folder, path, prompt = sys.argv[1:]
client = anthropic.Anthropic(base_url=base, api_key="sk-ant-dummy", max_retries=0)
settings = {
    "model": "claude-opus-4-6",
    "max_tokens": 4000,
    "thinking": {"type": "adaptive"},
    "system": [{"type": "text", "text": "You look after a shop. " * 150, "cache_control": {"type": "ephemeral"}}],
    "tools": [
        {
            "name": "Bash",
            "description": "Runs a command.",
            "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
        }
    ],
}
messages = json.load(open(path)) if os.path.exists(path) else []


def ask(content):
    for message in messages:
        if message["role"] == "user":
            message["content"][-1].pop("cache_control", None)
    content[-1]["cache_control"] = {"type": "ephemeral"}
    messages.append({"role": "user", "content": content})
    if mode == "stream":
        with client.messages.stream(messages=messages, **settings) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(messages=messages, **settings)
    messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]})
    return answer


content = [{"type": "text", "text": prompt}]
while True:
    answer = ask(content)
    calls = [block for block in answer.content if block.type == "tool_use"]
    for block in answer.content:
        print(block.model_dump_json())
    if not calls:
        break
    run = lambda call: subprocess.run(
        call.input["command"], shell=True, cwd=folder, capture_output=True, text=True
    ).stdout
    content = [{"type": "tool_result", "tool_use_id": call.id, "content": run(call)} for call in calls]
json.dump(messages, open(path, "w"))
print("done")
