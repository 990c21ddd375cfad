"""One piece of content, and texts that agents share."""

from __future__ import annotations

import time

import pytest
from conversations import log, records

import headroom
from headroom import SharedContext


def test_a_text_is_whole_unless_its_reader_can_retrieve() -> None:
    table = headroom.compress_text(records(), model="gpt-4o")
    assert table.originals == [] and table.text.startswith("[60 rows")
    assert table.tokens_before - table.tokens_after == table.tokens_saved > 0
    assert table.report.kind == "json" and table.report.transforms == ["json"]

    given = log()
    plain = headroom.compress_text(given)
    assert plain.text is given and plain.report.reason == "no_saving"
    short = headroom.compress_text(given, tool="Bash", retrieval="client-tool")
    (handle,) = short.originals
    assert f"[headroom:{handle} " in short.text and "ERROR pool" in short.text
    assert headroom.default_engine().store.get(handle) == given


def test_lines_that_the_question_names_stay() -> None:
    wanted = "served request 77 in"
    without = headroom.compress_text(log(), retrieval="client-tool")
    asked = headroom.compress_text(log(), query="what about request 77?", retrieval="client-tool")
    called = headroom.compress_text(log(), arguments={"command": "grep 'request 77'"}, retrieval="client-tool")
    assert wanted not in without.text and wanted in asked.text
    assert called.text == headroom.compress_text(
        log(), arguments='{"command": "grep \'request 77\'"}', retrieval="client-tool"
    ).text


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "claude-opus-5-5", ""])
def test_short_texts_are_counted_too(model: str) -> None:
    assert headroom.compress_text("hello world", model=model).tokens_before == 2


def test_a_text_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(headroom.ConfigurationError, match="surrogate"):
        headroom.compress_text("\ud800")
    with pytest.raises(TypeError):
        headroom.compress_text(b"bytes")  # type: ignore[arg-type]


def test_agents_share_a_text_small_and_whole() -> None:
    context = SharedContext(model="gpt-4o")
    entry = context.put("rows", records(), agent="scout")
    assert context.get("rows") == entry.compressed != records()
    assert context.get("rows", full=True) == records()
    assert (entry.agent, entry.transforms) == ("scout", ["json"])
    assert 0 < entry.savings_percent < 100
    stats = context.stats()
    assert stats.total_tokens_saved == entry.original_tokens - entry.compressed_tokens > 0
    assert stats.savings_percent == entry.savings_percent
    assert records() not in repr(entry)
    context.clear()
    assert context.get("rows") is None and context.stats().savings_percent == 0.0


def test_entries_leave_by_age_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    context = SharedContext(ttl=60, max_entries=2)
    for key in "abc":
        context.put(key, key)
    context.put("b", "again")
    assert context.keys() == ["c", "b"] and context.get("b") == "again"
    now += 59.9
    assert context.get("b") == "again"
    now += 0.1
    assert context.keys() == [] and context.get_entry("c") is None


def test_a_context_leaves_out_only_for_readers_that_can_retrieve() -> None:
    assert SharedContext().put("log", log()).compressed == log()
    entry = SharedContext(retrieval="client-tool").put("log", log())
    assert "[headroom:" in entry.compressed
