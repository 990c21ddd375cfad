"""Whatever a conversation of Google ADK or CrewAI holds, only texts of tool results change."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from conversations import log, records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted import Scripted, scripted
from test_hidden import MARKER

from headroom import Engine

Dict = dict[str, Any]
Path = tuple[str | int, ...]

# Where the properties of the crates draw the same cases each time, these do so, too.
IS_FIXED = "PROPTEST_RNG_SEED" in os.environ
EXAMPLES = settings(
    max_examples=30, deadline=None, database=None, derandomize=IS_FIXED, suppress_health_check=list(HealthCheck)
)
NAMES = st.sampled_from(["Bash", "read_file", "search", "übersetze"])
WORDS = st.text(max_size=40)
LARGE = st.sampled_from([records(40), records(60), records(90), log(7901, 120), log(7907, 120), log(7919, 120)])
# Texts that get smaller, and others.
TEXTS = st.one_of(
    WORDS,
    LARGE,
    st.text(min_size=1, max_size=9).map(lambda line: f"{line}\n" * 60),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False), WORDS)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON values with these leaves."""

    def wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3))

    return st.recursive(leaves, wider, max_leaves=5)


UNKNOWN = st.dictionaries(st.sampled_from(["x_own", "later", "cache_control"]), nested(SCALARS), max_size=2)


def changed(before: Any, after: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all strings that differ. Everything else has to be the same, down to the order of keys."""
    if isinstance(before, str) and isinstance(after, str):
        if before != after:
            yield path
    elif isinstance(before, dict):
        assert isinstance(after, dict) and list(before) == list(after), path
        for name, value in before.items():
            yield from changed(value, after[name], (*path, name))
    elif isinstance(before, list):
        assert isinstance(after, list) and len(before) == len(after), path
        for at, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from changed(one, other, (*path, at))
    else:
        assert type(before) is type(after) and before == after, path


def adk_contents(types: Any) -> st.SearchStrategy[list[Any]]:
    """Conversations as ADK has them: calls with their responses, between words, thoughts, files and code."""
    signatures = st.one_of(st.none(), st.binary(min_size=1, max_size=9))
    blobs = st.builds(lambda data: types.Blob(data=data, mime_type="image/png", display_name="i"), st.binary(max_size=9))
    parts = st.one_of(
        st.builds(lambda text: types.Part(text=text), TEXTS),
        st.builds(lambda text, sign: types.Part(text=text, thought=True, thought_signature=sign), TEXTS, signatures),
        st.builds(lambda blob: types.Part(inline_data=blob), blobs),
        st.builds(lambda: types.Part(file_data=types.FileData(file_uri="gs://b/f", mime_type="text/plain"))),
        st.builds(lambda text: types.Part(code_execution_result=types.CodeExecutionResult(outcome="OUTCOME_OK", output=text)), TEXTS),
    )
    # A response may have files beside its texts.
    files = st.lists(
        st.builds(lambda data: types.FunctionResponsePart(inline_data=types.FunctionResponseBlob(data=data, mime_type="image/png")), st.binary(max_size=5)),
        max_size=1,
    )

    @st.composite
    def turns(draw: Any) -> list[Any]:
        name, id, words = draw(NAMES), draw(st.one_of(st.none(), WORDS)), draw(st.lists(parts, max_size=2))
        args = draw(st.dictionaries(WORDS, nested(SCALARS), max_size=2))
        call = types.Part(function_call=types.FunctionCall(id=id, name=name, args=args), thought_signature=draw(signatures))
        keys = st.sampled_from(["result", "output", "error", "content"])
        answer = draw(st.dictionaries(keys, st.one_of(TEXTS, LARGE, nested(st.one_of(SCALARS, TEXTS))), min_size=1, max_size=2))
        response = types.FunctionResponse(id=id, name=name, response=answer, parts=draw(files) or None)
        more = draw(st.lists(parts, max_size=2))
        return [
            types.Content(role="model", parts=[*words, call]),
            types.Content(role="user", parts=[types.Part(function_response=response), *more]),
        ]

    def conversation(prompt: str, rest: list[list[Any]]) -> list[Any]:
        return [types.Content(role="user", parts=[types.Part(text=prompt)]), *(content for turn in rest for content in turn)]

    return st.builds(conversation, WORDS, st.lists(turns(), min_size=1, max_size=4))


def test_contents_of_google_adk() -> None:
    pytest.importorskip("google.adk.runners")
    from google.adk.models.llm_request import LlmRequest
    from google.genai import types

    from headroom.integrations.google_adk import HeadroomPlugin

    edits = 0

    @EXAMPLES
    @given(adk_contents(types), st.booleans())
    def check(contents: list[Any], has_tool: bool) -> None:
        nonlocal edits
        engine = Engine()
        given_contents, before = list(contents), copy.deepcopy(contents)
        request = LlmRequest(model="gemini-3-pro", contents=list(contents))
        tools: Any = {"headroom_retrieve": engine.headroom_retrieve}
        request.tools_dict = tools if has_tool else {}
        asyncio.run(HeadroomPlugin(engine=engine).before_model_callback(callback_context=None, llm_request=request))
        assert contents == before and all(a is b for a, b in zip(contents, given_contents, strict=True)), "not touched"
        for old, new in zip(contents, request.contents, strict=True):
            assert type(new) is type(old)
            paths = list(changed(old.model_dump(), new.model_dump()))
            edits += len(paths)
            for path in paths:
                assert path[0] == "parts" and path[2:4] == ("function_response", "response"), path
            assert (new is old) == (not paths), "what does not change is the same object"
            for part, made in zip(old.parts, new.parts, strict=True):
                assert made is part or part.function_response, "so are the parts beside"
            if not has_tool:
                assert not MARKER.search(new.model_dump_json()), "nothing is left out"

    check()
    assert edits > 0, "the conversations were worth it"


@st.composite
def crewai_messages(draw: Any) -> list[Dict]:
    """Conversations as CrewAI has them: messages of OpenAI, with files and what only some providers know."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    messages: list[Dict] = [{"role": "system", "content": draw(TEXTS)}]
    for number in range(draw(st.integers(1, 4))):
        parts = [{"type": "text", "text": draw(TEXTS)}, *([image] if draw(st.booleans()) else [])]
        messages.append({"role": "user", "content": draw(st.sampled_from([parts, draw(TEXTS)])), **draw(UNKNOWN)})
        arguments = json.dumps(draw(st.dictionaries(WORDS, nested(SCALARS), max_size=2)))
        function = {"name": draw(NAMES), "arguments": arguments}
        call = {"id": f"call_{number}", "type": "function", "function": function}
        said = {"role": "assistant", "content": draw(st.one_of(st.none(), TEXTS)), "tool_calls": [call]}
        messages.append({**said, "reasoning_content": draw(TEXTS), **draw(UNKNOWN)})
        result = {"role": "tool", "tool_call_id": f"call_{number}", "name": function["name"], "content": draw(TEXTS)}
        messages.append({**result, **draw(UNKNOWN)})
    return messages


@pytest.fixture(scope="module")
def provider() -> Iterator[Scripted]:
    with scripted(lambda _: ["Done."]) as running:
        yield running


@pytest.mark.parametrize("name", ["openai/gpt-4o", "anthropic/claude-opus-5-5"])
def test_messages_of_crewai(provider: Scripted, name: str) -> None:
    crewai = pytest.importorskip("crewai")
    from headroom.integrations.crewai import HeadroomInterceptor

    seen: list[tuple[bytes, bytes]] = []

    class Recording(HeadroomInterceptor):
        """Notes what it is given, and what becomes of it."""

        def on_outbound(self, message: Any) -> Any:
            made = super().on_outbound(message)
            seen.append((message.read(), made.read()))
            assert made.method == message.method and made.url == message.url
            assert dict(made.headers) == {**message.headers, "content-length": str(len(made.read()))}
            return made

    url = provider.url + ("/v1" if name.startswith("openai") else "")
    is_anthropic = name.startswith("anthropic")
    llm = crewai.LLM(model=name, api_key="x", base_url=url, interceptor=Recording(engine=Engine()))
    edits = 0

    @EXAMPLES
    @given(crewai_messages())
    def check(messages: list[Dict]) -> None:
        nonlocal edits
        seen.clear()
        before = copy.deepcopy(messages)
        llm.call(messages if not is_anthropic else [_known(message) for message in messages])
        assert messages == before
        ((sent, made),) = seen
        old, new = json.loads(sent), json.loads(made)
        for path in changed(old, new):
            edits += 1
            message = old["messages"][path[1]]
            if is_anthropic:
                assert path[0] == "messages" and message["content"][path[3]]["type"] == "tool_result", path
            else:
                assert path[0] == "messages" and path[2:] == ("content",) and message["role"] == "tool", path
        assert not MARKER.search(made.decode()), "nothing is left out"

    check()
    assert edits > 0, "the conversations were worth it"


def _known(message: Dict) -> Dict:
    """A message without what CrewAI's provider for Anthropic passes on and its SDK refuses."""
    names = ("role", "content", "tool_calls", "tool_call_id", "name")
    known = {name: value for name, value in message.items() if name in names}
    content = message.get("content")
    return {**known, "content": "".join(part.get("text", "") for part in content) if isinstance(content, list) else content}
