"""An agent by the official SDK: asks until its model is done, then asks again. Prints each block of each answer.

Usage: agent.py BASE_URL plain|stream|threads FOLDER
"""

import subprocess
import sys

import anthropic

base, mode, folder = sys.argv[1:]
client = anthropic.Anthropic(base_url=base, api_key="sk-ant-dummy", max_retries=0)
settings = {
    "model": "claude-opus-5-5",
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
if mode == "threads":
    # The server keeps no markers of the cache in a thread.
    settings["system"][0].pop("cache_control")
    thread = client.beta.messages.thread(**settings)
messages = []


def ask(content):
    if mode == "threads":
        return thread.send({"role": "user", "content": content})
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
    messages.append({"role": "assistant", "content": answer.content})
    return answer


for question in ["Why do orders fail?", "And since when?"]:
    content = [{"type": "text", "text": question}]
    while True:
        answer = ask(content)
        for block in answer.content:
            print(block.model_dump_json())
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            break
        run = lambda call: subprocess.run(
            call.input["command"], shell=True, cwd=folder, capture_output=True, text=True
        ).stdout
        content = [{"type": "tool_result", "tool_use_id": call.id, "content": run(call)} for call in calls]
print("done")
