"""An agent of Google ADK whose model sees less and can retrieve the rest. `pip install google-adk`"""

import asyncio

from google.adk.agents import LlmAgent
from google.adk.models.google_llm import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types
from provider import provider, read_log

from headroom import headroom_retrieve
from headroom.integrations.google_adk import HeadroomPlugin


async def main() -> None:
    with provider() as upstream:
        parts = [{"functionCall": {"name": "read_log", "args": {}}}]
        upstream.answers = [{"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}]}]
        model = Gemini(model="gemini-3-pro", base_url=upstream.url, client_kwargs={"api_key": "none"})
        agent = LlmAgent(name="reader", model=model, tools=[read_log, headroom_retrieve])
        runner = InMemoryRunner(agent=agent, plugins=[HeadroomPlugin()])
        session = await runner.session_service.create_session(app_name=runner.app_name, user_id="u")
        prompt = types.Content(role="user", parts=[types.Part(text="Which requests were slow?")])
        async for event in runner.run_async(user_id="u", session_id=session.id, new_message=prompt):
            print(event.content)
        print(upstream.last["contents"][-1])


asyncio.run(main())
