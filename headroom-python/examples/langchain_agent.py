"""An agent of LangChain whose model sees less and can retrieve the rest. `pip install langchain langchain-openai`"""

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from provider import provider
from pydantic import SecretStr

from headroom.integrations.langchain import HeadroomMiddleware


@tool
def read_log() -> str:
    """Reads the log."""
    lines = (f"10:{n // 60:02}:{n % 60:02} INFO served request {n} in {n * 7919 % 97} ms" for n in range(300))
    return "\n".join(lines)


call = {"id": "1", "type": "function", "function": {"name": "read_log", "arguments": "{}"}}
message = {"role": "assistant", "content": None, "tool_calls": [call]}
choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}

with provider() as upstream:
    upstream.answers = [{"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}]
    model = ChatOpenAI(model="gpt-4o", base_url=upstream.url + "/v1", api_key=SecretStr("none"))
    headroom = HeadroomMiddleware()
    agent = create_agent(model, [read_log], middleware=[headroom])
    state = agent.invoke({"messages": [("user", "Which requests were slow?")]})
    print(len(state["messages"][2].content), "letters in the agent's state")
    print(upstream.last["messages"][-1]["content"])
    print(headroom.total_tokens_saved, "tokens saved")
