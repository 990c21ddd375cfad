"""An agent of the OpenAI Agents SDK whose model sees less. `pip install openai-agents`"""

import asyncio

from agents import Agent, OpenAIChatCompletionsModel, RunConfig, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from provider import call_of, provider, read_log

from headroom import headroom_retrieve
from headroom.integrations.openai_agents import HeadroomInputFilter

set_tracing_disabled(True)
with provider() as upstream:
    upstream.answers = [call_of("read_log")]
    model = OpenAIChatCompletionsModel("gpt-4o", AsyncOpenAI(base_url=upstream.url + "/v1", api_key="none"))
    agent = Agent(name="reader", model=model, tools=[function_tool(read_log), function_tool(headroom_retrieve)])
    config = RunConfig(call_model_input_filter=HeadroomInputFilter())
    print(asyncio.run(Runner.run(agent, "Which requests were slow?", run_config=config)).final_output)
    print(upstream.last["messages"][-1]["content"])
