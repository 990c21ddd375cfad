"""An agent of Strands whose model sees less and can retrieve the rest. `pip install 'strands-agents[openai]'`"""

from provider import call_of, provider, read_log
from strands import Agent, tool
from strands.models.openai import OpenAIModel

from headroom.integrations.strands import add_headroom

with provider() as upstream:
    upstream.answers = [call_of("read_log")]
    model = OpenAIModel(
        client_args={"base_url": upstream.url + "/v1", "api_key": "none"}, model_id="gpt-4o", stream=False
    )
    agent = add_headroom(Agent(model=model, tools=[tool(read_log)], callback_handler=None))
    print(agent("Which requests were slow?"))
    print(upstream.last["messages"][-1]["content"])
