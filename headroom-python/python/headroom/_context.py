"""Texts that several agents share, each kept small and whole."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import NamedTuple

from ._engine import Engine, Retrieval, RetrievalName, default_engine


class ContextEntry(NamedTuple):
    """A shared text. Tokens are counted by the tokenizer of the context's model."""

    key: str
    original: str
    compressed: str
    original_tokens: int
    compressed_tokens: int
    agent: str | None
    timestamp: float
    transforms: list[str]

    @property
    def savings_percent(self) -> float:
        """The share of the tokens that was saved, in per cent."""
        return _percent(self.original_tokens - self.compressed_tokens, self.original_tokens)

    def __repr__(self) -> str:
        tokens = f"original_tokens={self.original_tokens}, compressed_tokens={self.compressed_tokens}"
        return f"ContextEntry(key={self.key!r}, {tokens}, agent={self.agent!r})"


class SharedContextStats(NamedTuple):
    """Sums over the entries of a context."""

    entries: int
    total_original_tokens: int
    total_compressed_tokens: int

    @property
    def total_tokens_saved(self) -> int:
        """Tokens that were saved."""
        return self.total_original_tokens - self.total_compressed_tokens

    @property
    def savings_percent(self) -> float:
        """The share of the tokens that was saved, in per cent."""
        return _percent(self.total_tokens_saved, self.total_original_tokens)


class SharedContext:
    """Shares texts between agents: one puts a long result, others get it small, or whole where they need it.

    An entry is dropped `ttl` seconds after it was put, or when there are more than `max_entries`, the oldest first. Nothing
    is left out of the small form unless `retrieval` says that its readers can call `headroom_retrieve`. Threads may share a
    context.
    """

    def __init__(
        self,
        model: str = "",
        ttl: float = 3600.0,
        max_entries: int = 100,
        *,
        retrieval: Retrieval | RetrievalName = Retrieval.OFF,
        engine: Engine | None = None,
    ) -> None:
        self._model, self._ttl, self._max_entries = model, ttl, max_entries
        self._retrieval: Retrieval | RetrievalName = retrieval
        self._engine = engine or default_engine()
        self._entries: OrderedDict[str, tuple[float, ContextEntry]] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: str, content: str, *, agent: str | None = None) -> ContextEntry:
        """Puts a text under a key, in place of what was there."""
        result = self._engine.compress_text(content, model=self._model, retrieval=self._retrieval)
        entry = ContextEntry(
            key=key,
            original=content,
            compressed=result.text,
            original_tokens=result.tokens_before,
            compressed_tokens=result.tokens_after,
            agent=agent,
            timestamp=time.time(),
            transforms=result.report.transforms,
        )
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = (time.monotonic() + self._ttl, entry)
            self._drop()
        return entry

    def get(self, key: str, *, full: bool = False) -> str | None:
        """Returns the small form of a text, or with `full` the whole; `None` if there is none any more."""
        entry = self.get_entry(key)
        if entry is None:
            return None
        return entry.original if full else entry.compressed

    def get_entry(self, key: str) -> ContextEntry | None:
        """Returns the entry under a key."""
        with self._lock:
            self._drop()
            found = self._entries.get(key)
            return found[1] if found else None

    def keys(self) -> list[str]:
        """Returns the keys, the oldest first."""
        with self._lock:
            self._drop()
            return list(self._entries)

    def stats(self) -> SharedContextStats:
        """Returns sums over the entries."""
        with self._lock:
            self._drop()
            entries = [entry for _, entry in self._entries.values()]
        return SharedContextStats(
            entries=len(entries),
            total_original_tokens=sum(entry.original_tokens for entry in entries),
            total_compressed_tokens=sum(entry.compressed_tokens for entry in entries),
        )

    def clear(self) -> None:
        """Drops all entries."""
        with self._lock:
            self._entries.clear()

    def _drop(self) -> None:
        now = time.monotonic()
        for key in [key for key, (expires, _) in self._entries.items() if expires <= now]:
            del self._entries[key]
        while len(self._entries) > max(self._max_entries, 0):
            self._entries.popitem(last=False)


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
