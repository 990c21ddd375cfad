"""Measures what Python adds to the engine, the import and the wheel. Use a release build: `maturin develop --release`.

    python benches/overhead.py
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import headroom
from headroom import Engine, retrieve_tool

TOOLS = [retrieve_tool("openai")]


def conversation(size: int) -> list[dict[str, Any]]:
    """A conversation of about so many bytes, in results of at most 10 KB."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Which requests were slow?"}]
    number = 0
    while (left := size - len(json.dumps(messages))) > 300:
        function = {"name": "Bash", "arguments": json.dumps({"command": f"cat {number}.log"})}
        line = "2026-01-01T10:{:02}:{:02} INFO served request {} in {} ms\\n"
        rows = (line.format(n // 60 % 60, n % 60, n, n * (7919 + number) % 97) for n in range(min(left, 10_000) // 56))
        messages += [
            {"role": "assistant", "tool_calls": [{"id": str(number), "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": str(number), "content": "".join(rows).replace("\\n", "\n")},
        ]
        number += 1
    return messages


def median(work: Callable[[], object], seconds: float = 2.0) -> float:
    """Returns the median time of a call, in microseconds."""
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 20:
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e6)
    return statistics.median(times)


async def longest_pause(size: int) -> float:
    """Returns for how many milliseconds an event loop stood still while requests of this size were compressed in it."""
    messages, pauses, over = conversation(size), [0.0], asyncio.Event()

    async def tick() -> None:
        last = time.perf_counter()
        while not over.is_set():
            await asyncio.sleep(0)
            now = time.perf_counter()
            pauses.append((now - last) * 1e3)
            last = now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.01)
    for _ in range(5):
        await Engine().acompress(messages, "gpt-4o", tools=TOOLS)
    over.set()
    await ticking
    return max(pauses)


def main() -> None:
    """Prints a line for each measurement."""
    print(f"{'':24}{'bytes to bytes':>16}{'messages':>12}{'added':>10}")
    for size in (1_000, 10_000, 100_000, 1_000_000):
        messages = conversation(size)
        request = {"model": "gpt-4o", "tools": TOOLS, "messages": messages}
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        for name, engine in (("fresh", Engine(cache_capacity=0)), ("seen before", Engine())):
            run = engine.compress
            native = median(lambda: engine.compress_request(body, api="openai"))
            python = median(lambda: run(messages, "gpt-4o", tools=TOOLS))
            share = (python - native) / native
            print(f"{len(body):>9} B, {name:<12}{native:>13.0f} µs{python:>9.0f} µs{share:>9.1%}")
    for size in (1_000, 30_000, 100_000, 1_000_000):
        print(f"{size:>9} B in an event loop: it stood still for at most {asyncio.run(longest_pause(size)):.1f} ms")
    program = "import time; start = time.perf_counter(); import headroom; print((time.perf_counter() - start) * 1e3)"
    imports = [float(subprocess.check_output([sys.executable, "-c", program])) for _ in range(10)]
    print(f"import: {statistics.median(imports):.1f} ms")
    (native_file,) = (path for path in Path(headroom.__file__).parent.glob("_native.*") if path.suffix != ".pyi")
    print(f"extension module: {native_file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
