# A model for long conversations, put into the strict provider: at each prompt it asks once for something that was left
# out, preferably at an epoch, and goes on with commands whose results are large and alike.
import os

WS = os.environ["MOCK_WS"]
FIRST, NEXT, DELEGATED = 30, 12, 3


def is_prompt(message):
    return message["role"] == "user" and not any(b["type"] == "tool_result" for b in blocks(message["content"]))


def long_script(body):
    names = {tool.get("name") for tool in body.get("tools") or []}
    messages = body["messages"]
    prompts = [at for at, message in enumerate(messages) if is_prompt(message)]
    if "Bash" not in names or not prompts or "detailed summary" in json.dumps(messages[prompts[-1]]):
        return []
    used = lambda some: [b for m in some for b in blocks(m["content"]) if b["type"] == "tool_use"]
    own = lambda calls: [call for call in calls if call["name"] != "headroom_retrieve"]
    here, done = used(messages[prompts[-1] :]), len(own(used(messages)))
    text = json.dumps(messages, ensure_ascii=False)
    known = {call["input"].get("hash") for call in used(messages)}
    old = re.findall(r"\[headroom:([0-9a-z]{16}) [^\]]*stored: old", text)
    marked = [handle for handle in old + re.findall(r"\[headroom:([0-9a-z]{16})", text) if handle not in known]
    calls = []
    if marked and "headroom_retrieve" in names and len(own(here)) == len(here):
        calls.append(("headroom_retrieve", {"hash": marked[0]}))
    limit = FIRST if len(prompts) == 1 else NEXT
    if "Count the parts" in json.dumps(messages[prompts[0]]):
        limit = DELEGATED
    if (not calls or PAR) and len(own(here)) < limit:
        if done == 5 and "Agent" in names and limit == FIRST:
            task = {"description": "count", "prompt": "Count the parts.", "subagent_type": "general-purpose"}
            calls.append(("Agent", task))
        elif done % 8 == 0:
            calls.append(("Bash", {"command": f"./report.sh | head -{60 + done}", "description": "x"}))
        elif done % 3 == 2 and "Read" in names:
            calls.append(("Read", {"file_path": f"{WS}/parts/part_{done}.rs"}))
        else:
            calls.append(("Bash", {"command": f"cat -n parts/part_{done}.rs", "description": "x"}))
    return calls
