"""What the official SDKs make of answers: one line for each, with all that it says.

Usage: read.py BASE_URL OUTPUT
"""

import json
import sys

import anthropic
import openai

base, output = sys.argv[1], open(sys.argv[2]).read()
system = "You look after a shop. " * 150
schema = {"type": "object", "properties": {"command": {"type": "string"}}}


def show(api, model, mode, parts):
    print(" | ".join([f"{api} {model} {mode}", *parts]))


def block(block):
    if block.type == "thinking":
        return f"thinking {block.thinking} {block.signature}"
    if block.type == "text":
        return f"text {block.text}"
    return f"call {block.name} {json.dumps(block.input, separators=(',', ':'))}"


clients = [
    ("anthropic", anthropic.Anthropic(base_url=base, api_key="sk-ant-dummy", max_retries=0)),
    ("bedrock", anthropic.AnthropicBedrock(base_url=base, api_key="x", aws_region="us-east-1", max_retries=0)),
]
for api, client in clients:
    for model in ["ends", "mixed", "goes-on"]:
        request = {
            "model": model,
            "max_tokens": 4000,
            "system": system,
            "tools": [{"name": "Bash", "description": "Runs a command.", "input_schema": schema}],
            "messages": [
                {"role": "user", "content": "Why?"},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "./report.sh"}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output}]},
            ],
        }
        show(api, model, "plain", map(block, client.messages.create(**request).content))
        with client.messages.stream(**request) as stream:
            message = stream.get_final_message()
        show(api, model, "stream", map(block, message.content))

client = openai.OpenAI(base_url=f"{base}/v1", api_key="sk-dummy", max_retries=0)
for model in ["ends", "mixed", "goes-on"]:
    function = {"name": "shell", "description": "Runs a command.", "parameters": schema}
    call = {"name": "shell", "arguments": '{"command":"./report.sh"}'}
    request = {
        "model": model,
        "tools": [{"type": "function", "function": function}],
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": "Why?"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "t1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "t1", "content": output},
        ],
    }

    def said(message):
        calls = [f"call {call.function.name} {call.function.arguments}" for call in message.tool_calls or []]
        return [f"{message.role} {message.content}", *calls]

    show("chat", model, "plain", said(client.chat.completions.create(**request).choices[0].message))
    with client.chat.completions.stream(**request) as stream:
        completion = stream.get_final_completion()
    show("chat", model, "stream", said(completion.choices[0].message))

    request = {
        "model": model,
        "instructions": system,
        "store": False,
        "tools": [{"type": "function", **function}],
        "input": [
            {"role": "user", "content": "Why?"},
            {"type": "function_call", "call_id": "t1", **call},
            {"type": "function_call_output", "call_id": "t1", "output": output},
        ],
    }

    def item(item):
        if item.type == "reasoning":
            return f"reasoning {item.encrypted_content}"
        if item.type == "message":
            return f"text {item.content[0].text}"
        return f"call {item.name} {item.arguments}"

    show("responses", model, "plain", map(item, client.responses.create(**request).output))
    with client.responses.stream(**request) as stream:
        response = stream.get_final_response()
    show("responses", model, "stream", map(item, response.output))
