"""Frameworks whose packages need older ones than the others', so that they have an environment of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from agents_task import check_loop, curious_agent, read_log
from conversations import log, records
from scripted import Scripted, scripted

from headroom import Engine


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    with scripted(curious_agent) as running:
        for name in ("CREWAI_DISABLE_TELEMETRY", "OTEL_SDK_DISABLED", "CREWAI_TRACING_ENABLED"):
            monkeypatch.setenv(name, "false" if "TRACING" in name else "true")
        monkeypatch.setenv("GOOGLE_API_KEY", "x")
        yield running


class TestStrands:
    """Strands Agents."""

    async def test_a_loop_of_several_turns(self, provider: Scripted) -> None:
        strands = pytest.importorskip("strands")
        from strands.models.openai import OpenAIModel

        from headroom.integrations.strands import add_headroom

        arguments = {"api_key": "x", "base_url": provider.url + "/v1"}
        model = OpenAIModel(client_args=arguments, model_id="gpt-4o")
        agent = strands.Agent(model=model, tools=[strands.tool(read_log)], callback_handler=None)
        assert add_headroom(agent, engine=Engine()) is agent
        run = await agent.invoke_async("Why did it fail?")
        assert "The pool was exhausted." in str(run)
        check_loop(provider)
        assert log() in [
            part["text"]
            for message in agent.messages
            for block in message["content"]
            for part in block.get("toolResult", {}).get("content", [])
        ], "the agent's messages are whole"

    async def test_only_texts_of_results_change(self) -> None:
        pytest.importorskip("strands")
        from strands.middleware.stages import InvokeModelContext

        from headroom.integrations.strands import HeadroomMiddleware

        image: Any = {"image": {"format": "png", "source": {"bytes": b"x"}}}
        result: Any = {"toolUseId": "c", "status": "success", "content": [{"text": records()}], "own": 1}
        messages: Any = [
            {"role": "user", "content": [{"text": records(50)}, image]},
            {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}]},
            {"role": "user", "content": [{"toolResult": result}, {"cachePoint": {"type": "default"}}]},
        ]
        context: Any = InvokeModelContext(
            agent=None, messages=messages, system_prompt=None, tool_specs=[], tool_choice=None, invocation_state={}, model=None
        )
        new: Any = (await HeadroomMiddleware(engine=Engine())(context)).messages
        assert new[0] is messages[0] and new[1] is messages[1] and new[2]["content"][1] is messages[2]["content"][1]
        changed = new[2]["content"][0]["toolResult"]
        assert changed["content"][0]["text"].startswith("[60 rows") and {**changed, "content": result["content"]} == result


class TestLlamaIndex:
    """LlamaIndex."""

    @pytest.mark.parametrize("streaming", [True, False])
    async def test_a_loop_of_several_turns(self, provider: Scripted, streaming: bool) -> None:
        pytest.importorskip("llama_index.llms.openai")
        from llama_index.core.agent.workflow import FunctionAgent
        from llama_index.core.tools import FunctionTool
        from llama_index.llms.openai import OpenAI

        from headroom.integrations.llama_index import HeadroomLLM

        engine = Engine()
        llm = HeadroomLLM(OpenAI(model="gpt-4o", api_key="x", api_base=provider.url + "/v1"), engine=engine)
        tools = [FunctionTool.from_defaults(function) for function in (read_log, engine.headroom_retrieve)]
        agent = FunctionAgent(llm=llm, tools=tools, streaming=streaming)
        assert "The pool was exhausted." in str(await agent.run("Why did it fail?"))
        check_loop(provider)
        assert llm.total_tokens_saved > 0

    def test_only_texts_of_results_change(self) -> None:
        pytest.importorskip("llama_index.core")
        from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock

        from headroom.integrations._shapes import Shrinker
        from headroom.integrations.llama_index import _shape, _with_content

        image = ImageBlock(image=b"eA==")
        messages = [
            ChatMessage(role="user", blocks=[TextBlock(text=records(50)), image]),
            ChatMessage(role="assistant", content="", additional_kwargs={"x": 1}),
            ChatMessage(role="tool", blocks=[TextBlock(text=records()), image], additional_kwargs={"tool_call_id": "c", "y": 2}),
        ]
        new = Shrinker(Engine(), _shape, _with_content).now(messages, "gpt-4o")
        assert new[0] is messages[0] and new[1] is messages[1]
        assert str(new[2].blocks[0].text).startswith("[60 rows") and new[2].blocks[1] is image
        assert new[2].additional_kwargs == messages[2].additional_kwargs
        assert messages[2].blocks[0].text == records()


class TestGoogleAdk:
    """Google ADK."""

    async def test_a_loop_of_several_turns(self, provider: Scripted) -> None:
        pytest.importorskip("google.adk.runners")
        from google.adk.agents import LlmAgent
        from google.adk.models.google_llm import Gemini
        from google.adk.runners import InMemoryRunner
        from google.genai import types

        from headroom.integrations.google_adk import HeadroomPlugin

        engine = Engine()
        model = Gemini(model="gemini-3-pro", base_url=provider.url)
        agent = LlmAgent(name="a", model=model, tools=[read_log, engine.headroom_retrieve])
        plugin = HeadroomPlugin(engine=engine)
        runner = InMemoryRunner(agent=agent, plugins=[plugin])
        session = await runner.session_service.create_session(app_name=runner.app_name, user_id="u")
        prompt = types.Content(role="user", parts=[types.Part(text="Why did it fail?")])
        events = [event async for event in runner.run_async(user_id="u", session_id=session.id, new_message=prompt)]
        assert events[-1].content.parts[0].text == "The pool was exhausted."
        check_loop(provider)
        parts = [part for event in events for part in (event.content.parts if event.content else ())]
        kept = [str(part.function_response.response) for part in parts if part.function_response]
        assert any("request 142 in" in text and "request 143 in" in text for text in kept), "the session is whole"
        assert plugin.total_tokens_saved > 0


class TestCrewAi:
    """CrewAI."""

    def test_a_loop_of_several_turns(self, provider: Scripted) -> None:
        crewai = pytest.importorskip("crewai")
        from crewai.tools import tool

        from headroom.integrations.crewai import HeadroomInterceptor

        engine = Engine()
        own = HeadroomInterceptor(engine=engine)
        llm = crewai.LLM(model="openai/gpt-4o", api_key="x", base_url=provider.url + "/v1", interceptor=own)
        tools = [tool(read_log), tool(engine.headroom_retrieve)]
        agent = crewai.Agent(role="r", goal="g", backstory="b", llm=llm, tools=tools, verbose=False)
        task = crewai.Task(description="Why did it fail?", expected_output="A sentence.", agent=agent)
        run = crewai.Crew(agents=[agent], tasks=[task], verbose=False).kickoff()
        assert "The pool was exhausted." in str(run) and own.total_tokens_saved > 0

    @pytest.mark.parametrize("name", ["openai/gpt-4o", "anthropic/claude-opus-5-5", "gemini/gemini-3-pro"])
    @pytest.mark.parametrize("is_async", [False, True])
    def test_an_llm_answers_the_model_itself(self, provider: Scripted, name: str, is_async: bool) -> None:
        crewai = pytest.importorskip("crewai")
        from crewai.tools import tool

        from headroom.integrations.crewai import add_headroom

        kind = name.partition("/")[0]
        url = provider.url + ("/v1" if kind == "openai" else "")
        options: Any = {"client_params": {"http_options": {"base_url": url}}} if kind == "gemini" else {"base_url": url}
        llm = crewai.LLM(model=name, api_key="x", **options)
        assert add_headroom(llm, engine=Engine()) is llm
        agent = crewai.Agent(role="r", goal="g", backstory="b", llm=llm, tools=[tool(read_log)], verbose=False)
        task = crewai.Task(description="Why did it fail?", expected_output="A sentence.", agent=agent)
        crew = crewai.Crew(agents=[agent], tasks=[task], verbose=False)
        run = asyncio.run(crew.akickoff()) if is_async else crew.kickoff()
        assert "The pool was exhausted." in str(run)
        check_loop(provider)

    def test_a_provider_without_a_client_of_an_sdk_is_refused(self) -> None:
        pytest.importorskip("crewai")
        from headroom.integrations.crewai import add_headroom

        with pytest.raises(TypeError, match="expected an LLM with a native provider"):
            add_headroom(object())
