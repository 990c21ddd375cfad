"""A crew of CrewAI whose model sees less and can retrieve the rest. `pip install crewai`"""

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from provider import call_of, provider, read_log

from headroom import headroom_retrieve
from headroom.integrations.crewai import HeadroomInterceptor

with provider() as upstream:
    upstream.answers = [call_of("read_log")]
    llm = LLM(model="openai/gpt-4o", base_url=upstream.url + "/v1", api_key="none", interceptor=HeadroomInterceptor())
    tools = [tool(read_log), tool(headroom_retrieve)]
    agent = Agent(role="reader", goal="reads logs", backstory="patient", llm=llm, tools=tools)
    task = Task(description="Which requests were slow?", expected_output="their numbers", agent=agent)
    print(Crew(agents=[agent], tasks=[task]).kickoff())
    print(upstream.last["messages"])
