"""An agent of Agno whose model sees less and can retrieve the rest. `pip install agno openai`"""

from agno.agent import Agent
from agno.models.openai import OpenAIChat
from provider import call_of, provider, read_log

from headroom import headroom_retrieve
from headroom.integrations.agno import HeadroomAgnoModel

with provider() as upstream:
    upstream.answers = [call_of("read_log")]
    model = HeadroomAgnoModel(OpenAIChat(id="gpt-4o", base_url=upstream.url + "/v1", api_key="none"))
    agent = Agent(model=model, tools=[read_log, headroom_retrieve], telemetry=False)
    print(agent.run("Which requests were slow?").content)
    print(upstream.last["messages"][-1]["content"])
