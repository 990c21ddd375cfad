"""An agent of Pydantic AI whose model sees less and can retrieve the rest. `pip install 'pydantic-ai-slim[openai]'`"""

from openai import AsyncOpenAI
from provider import call_of, provider, read_log
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from headroom.integrations.pydantic_ai import HeadroomCapability

with provider() as upstream:
    upstream.answers = [call_of("read_log")]
    client = AsyncOpenAI(base_url=upstream.url + "/v1", api_key="none")
    model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
    agent = Agent(model, tools=[read_log], capabilities=[HeadroomCapability()])
    print(agent.run_sync("Which requests were slow?").output)
    print(upstream.last["messages"][-1]["content"])
