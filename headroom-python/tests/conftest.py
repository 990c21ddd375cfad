"""Fixtures of all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from provider import Provider, provider


@pytest.fixture
def upstream() -> Iterator[Provider]:
    """A provider on loopback."""
    with provider() as running:
        yield running
