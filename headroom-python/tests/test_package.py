"""The package itself: types, stubs, imports, metadata."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import headroom

PACKAGE = Path(headroom.__file__).parent
SLOW = ("asyncio", "dataclasses", "inspect")
FRAMEWORKS = ("httpx", "httpx2", "pydantic", "litellm", "langchain", "langchain_core", "openai", "anthropic", "google")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)


def test_the_stubs_match_the_module() -> None:
    pytest.importorskip("mypy")
    checked = run("-m", "mypy.stubtest", "headroom._native", "--concise")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_importing_it_imports_no_framework_and_nothing_slow() -> None:
    names = FRAMEWORKS + SLOW
    program = f"import sys, headroom; print([name for name in {names!r} if name in sys.modules])"
    assert run("-S", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {program}").stdout == "[]\n"


def test_it_needs_nothing_and_says_its_version() -> None:
    distribution = importlib.metadata.distribution("headroom-rs")
    assert [need for need in distribution.requires or [] if "extra ==" not in need] == []
    assert distribution.version == headroom.__version__


def test_it_is_typed_and_every_public_name_has_a_doc() -> None:
    assert (PACKAGE / "py.typed").is_file()
    public = [name for name in vars(headroom) if not name.startswith("_") and name not in ("integrations",)]
    names = [name for name in public if callable(getattr(headroom, name))]
    assert {"compress", "Engine", "FolderStore", "retrieve_tool"} <= set(names)
    assert [name for name in names if not getattr(headroom, name).__doc__ and not name.endswith("Name")] == []
