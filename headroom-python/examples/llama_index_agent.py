"""An agent of LlamaIndex whose model sees less and can retrieve the rest.

`pip install llama-index-core llama-index-llms-openai`
"""

import asyncio

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from provider import call_of, provider, read_log

from headroom import headroom_retrieve
from headroom.integrations.llama_index import HeadroomLLM


async def main() -> None:
    with provider() as upstream:
        upstream.answers = [call_of("read_log")]
        llm = HeadroomLLM(OpenAI(model="gpt-4o", api_base=upstream.url + "/v1", api_key="none"))
        tools = [FunctionTool.from_defaults(function) for function in (read_log, headroom_retrieve)]
        agent = FunctionAgent(llm=llm, tools=tools, streaming=False)
        print(await agent.run("Which requests were slow?"))
        print(upstream.last["messages"][-1]["content"])


asyncio.run(main())
