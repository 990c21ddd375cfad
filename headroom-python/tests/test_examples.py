"""The examples run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NEEDS = {
    "messages.py": (),
    "sdk.py": ("anthropic",),
    "litellm_sdk.py": ("litellm",),
    "langchain_agent.py": ("langchain.agents", "langchain_openai"),
    "asgi_gateway.py": ("starlette", "httpx"),
    "hidden_tool.py": ("anthropic",),
    "agno_agent.py": ("agno.models.openai",),
    "openai_agents_run.py": ("agents",),
    "pydantic_ai_agent.py": ("pydantic_ai.capabilities", "openai"),
    "strands_agent.py": ("strands.middleware",),
    "crewai_crew.py": ("crewai",),
    "llama_index_agent.py": ("llama_index.llms.openai",),
    "google_adk_agent.py": ("google.adk.runners",),
}


def test_all_examples_are_run() -> None:
    assert sorted(NEEDS) == sorted(path.name for path in EXAMPLES.glob("*.py") if path.name != "provider.py")


@pytest.mark.parametrize("name", NEEDS)
def test_an_example_shows_a_smaller_request(name: str) -> None:
    for needed in NEEDS[name]:
        pytest.importorskip(needed)
    run = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "[60 rows" in run.stdout or "[headroom:" in run.stdout
