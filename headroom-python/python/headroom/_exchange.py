"""Carries out the exchange about one request over any HTTP client: calls of `headroom_retrieve` are answered here, and the
caller gets one answer that shows none of this.

What to do is written once, as generators that yield work: a function to call, or bytes for the caller. `Run` drives them.
Synchronous clients call the function, asynchronous ones await what it returns.
"""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import partial
from typing import Any

from . import _native
from ._http import Headers

Work = Callable[[], Any]


class Host:
    """How one request is sent and answered. `http` is the module of the HTTP client, of two with the same interface."""

    http: Any
    is_async: bool
    is_quick: bool
    """Whether the exchange's own work is fast enough for an event loop."""

    def send(self, is_original: bool, body: bytes, headers: Headers) -> Any:
        """Sends a request, and returns its response; asynchronous hosts return an awaitable."""
        raise NotImplementedError

    def answer(self, response: Any) -> Any:
        """Returns the caller's answer for a response."""
        return response

    def refuse(self, status: int, content_type: str, body: bytes) -> Any:
        """Answers a request that is not sent."""
        raise NotImplementedError

    def sleep(self, seconds: float) -> Any:
        """Waits."""
        if not self.is_async:
            return time.sleep(seconds)
        import asyncio

        return asyncio.sleep(seconds)

    def run(self, work: Work) -> Any:
        """Does work that may take long."""
        if not self.is_async or self.is_quick:
            return _now(work) if self.is_async else work()
        import asyncio

        return asyncio.to_thread(work)


class Run:
    """One run of such a generator. Whoever drives it does the work that `next` returns, inside of `with run:`, and puts what that
    returned into `value`. What the work raised is raised in the generator, so that it closes what it has opened.
    """

    def __init__(self, steps: Generator[Work | bytes, Any, Any]) -> None:
        self._steps = steps
        self._error: BaseException | None = None
        self.value: Any = None
        self.result: Any = None

    def next(self) -> Any:
        """Returns the next work, or bytes for the caller; nothing at the end, when there is a `result`."""
        value, error = self.value, self._error
        self.value = self._error = None
        try:
            return self._steps.send(value) if error is None else self._steps.throw(error)
        except StopIteration as end:
            self.result = end.value
            return None

    def close(self) -> None:
        """Ends the generator where it is."""
        self._steps.close()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> bool:
        self._error = error
        return True


def answer(exchange: _native.Exchange, host: Host) -> Any:
    """Sends a request, and returns its answer."""
    run = Run(_steps(exchange, host))
    while (work := run.next()) is not None:
        with run:
            run.value = work()
    return run.result


async def aanswer(exchange: _native.Exchange, host: Host) -> Any:
    """Sends a request like `answer`, for an asynchronous host."""
    run = Run(_steps(exchange, host))
    while (work := run.next()) is not None:
        with run:
            run.value = await work()
    return run.result


async def _now(work: Work) -> Any:
    return work()


def _steps(exchange: _native.Exchange, host: Host) -> Generator[Work, Any, Any]:
    """The whole exchange, up to the answer or the start of its stream."""
    prepared = yield partial(host.run, exchange.prepare)
    if prepared[0] == "pass":
        return host.answer((yield partial(host.send, True, b"", [])))
    if prepared[0] == "reply":
        return host.refuse(*prepared[1:])
    carrier = Carrier(exchange, host, prepared[1])
    try:
        reply, body = yield from carrier.until_reply()
        return host.answer((yield from carrier.reply(reply, body)))
    except BaseException:
        yield from carrier.close()
        raise


class Carrier:
    """The responses of one exchange."""

    def __init__(self, exchange: _native.Exchange, host: Host, headers: Headers) -> None:
        self._exchange, self._host, self._headers = exchange, host, headers
        self.current: Received | None = None
        self._kept: Received | None = None
        self._error: BaseException | None = None

    def until_reply(self) -> Generator[Work, Any, tuple[str, bytes | None]]:
        """Carries out commands up to the answer of the caller."""
        while True:
            command = self._exchange.poll()
            if command[0] == "respond":
                return command[1], command[2]
            if command[0] == "read":
                yield from self._collect(command[1])
            elif command[0] in ("fail", "forward", "done", "write"):
                # Nothing was answered, so there was no response.
                raise self._error or RuntimeError("the exchange ended without an answer")
            else:
                yield from self._carry_out(command)

    def reply(self, kind: str, body: bytes | None) -> Generator[Work, Any, Any]:
        """Returns the caller's response."""
        current, kept = self.current, self._kept
        if kind == "kept" and kept is not None:
            current, kept = kept, current
        if kept is not None:
            yield kept.close
        if current is None:
            raise self._error or RuntimeError("the exchange answered without a response")
        if kind == "stream":
            self.current = current
            return current.with_stream(self._host, self)
        if body is None:
            return current.as_it_came(self._host)
        yield current.close
        return current.with_body(self._host, body, is_unfinished=kind == "unfinished")

    def stream(self) -> Generator[Work | bytes, Any, None]:
        """Carries out commands up to the end of the caller's stream. Bytes are for the caller."""
        try:
            yield from self._stream()
        except GeneratorExit:  # whoever closed it closes the response, too
            raise
        except BaseException:
            yield from self.close()
            raise

    def _stream(self) -> Generator[Work | bytes, Any, None]:
        while True:
            command = self._exchange.poll()
            if command[0] == "write":
                yield command[1]
            elif command[0] == "read":
                yield from self._read()
            elif command[0] == "forward":
                while self.current is not None and (piece := (yield self.current.next_piece)):
                    yield piece
                return
            elif command[0] in ("done", "fail", "respond"):
                if command[0] == "fail" and self._error is not None:
                    raise self._error
                yield from self.close()
                return
            else:
                yield from self._carry_out(command)

    def close(self) -> Generator[Work, Any, None]:
        """Closes what is open."""
        for response in (self.current, self._kept):
            if response is not None:
                yield response.close
        self._kept = None

    def _carry_out(self, command: tuple[Any, ...]) -> Generator[Work, Any, None]:
        """Carries out a command that is none of reading or answering."""
        if command[0] == "send":
            yield from self._send(*command[1:])
        elif command[0] == "wait":
            if self.current is not None:
                yield self.current.close
            yield partial(self._host.sleep, command[1])
            self._exchange.told("waited")
        elif command[0] == "work":
            yield partial(self._host.run, self._exchange.run_work)

    def _send(self, is_original: bool, body: bytes, keeps: bool) -> Generator[Work, Any, None]:
        if keeps:
            self._kept = self.current
        elif self.current is not None:
            yield self.current.close
        self.current = None
        try:
            response = yield partial(self._host.send, is_original, body, self._headers)
        except Exception as error:
            self._error = error
            self._exchange.told("unreachable")
            return
        self.current = received = (LaterReceived if self._host.is_async else Received)(self._host.http, response)
        self._exchange.head(received.status, received.headers, received.is_readable)

    def _collect(self, limit: int) -> Generator[Work, Any, None]:
        """Reads a whole body."""
        if self.current is None:
            self._exchange.told("broken")
            return
        data, end = yield partial(self.current.read, limit)
        if data:
            self._exchange.data(data)
        if end is not None:
            self._exchange.told(end)

    def _read(self) -> Generator[Work, Any, None]:
        """Reads a piece of a stream."""
        if self.current is None:
            self._exchange.told("broken")
            return
        try:
            piece = yield self.current.next_piece
        except self._host.http.DecodingError:
            self._exchange.told("damaged")
        except Exception as error:
            self._error = error
            self._exchange.told("broken")
        else:
            if piece:
                self._exchange.data(piece)
            else:
                self._exchange.told("end")


class Received:
    """A response of the provider to a synchronous client."""

    def __init__(self, http: Any, response: Any) -> None:
        self.http, self.response = http, response
        self.status: int = response.status_code
        self.headers: list[tuple[str, str]] = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        ]
        self.is_readable = _is_readable(http, response.headers)
        self.error: BaseException | None = None
        self._raw: list[bytes] = []
        self._rest: Any = None
        self._pieces: Any = None

    def read(self, limit: int) -> tuple[bytes, str | None]:
        """Returns the body without its content encoding, and how it ended; no end if it is longer than the limit."""
        content = _content(self.response)
        if content is not None:
            return content, "end"
        self._rest, size = self.response.iter_raw(), 0
        try:
            for piece in self._rest:
                self._raw.append(piece)
                size += len(piece)
                if size > limit:
                    return b"".join(self._raw), None
        except Exception as error:
            self.error = error
            return b"", "broken"
        return self._decoded()

    def next_piece(self) -> Any:
        """Returns the next bytes of a stream without their content encoding; nothing at its end."""
        if self._pieces is None:
            self._pieces = self.response.iter_bytes()
        return next((piece for piece in self._pieces if piece), b"")

    def close(self) -> Any:
        """Frees the connection."""
        return self.response.close()

    def as_it_came(self, host: Host) -> Any:
        """Returns the response with its body from the first byte on."""
        if self._rest is None:
            return self.response
        return self._like(self.status, self.response.headers.raw, stream=host_stream(host, self._again(), self.close))

    def with_stream(self, host: Host, carrier: Carrier) -> Any:
        """Returns a response with the stream of the exchange."""
        headers = _without(self.response.headers.raw, b"content-length", b"content-encoding")

        def close() -> Any:
            return (carrier.current or self).close()

        return self._like(self.status, headers, stream=host_stream(host, carrier.stream(), close))

    def with_body(self, host: Host, body: bytes, *, is_unfinished: bool) -> Any:
        """Returns a response with another body."""
        names = [b"content-length", b"content-encoding", b"transfer-encoding", *([b"etag"] if is_unfinished else ())]
        headers = [*_without(self.response.headers.raw, *names), (b"content-length", str(len(body)).encode())]
        return self._like(502 if is_unfinished else self.status, headers, content=body)

    def _again(self) -> Generator[Work | bytes, Any, None]:
        yield from self._raw
        if self.error is not None:
            raise self.error
        rest = self._rest
        while piece := (yield lambda: next(rest, b"")):
            yield piece

    def _decoded(self) -> tuple[bytes, str]:
        raw = b"".join(self._raw)
        if "content-encoding" not in self.response.headers:
            return raw, "end"
        try:
            return self.http.Response(200, headers=self.response.headers, content=raw).content, "end"
        except self.http.DecodingError:
            return b"", "damaged"

    def _like(self, status: int, headers: Any, **body: Any) -> Any:
        given = self.response
        made = self.http.Response(status, headers=headers, request=given.request, extensions=given.extensions, **body)
        made.history = given.history
        try:
            made.elapsed = given.elapsed
        except RuntimeError:  # set when a response is closed
            pass
        return made


class LaterReceived(Received):
    """A response of the provider to an asynchronous client."""

    async def read(self, limit: int) -> tuple[bytes, str | None]:  # type: ignore[override]
        """Like that of `Received`."""
        content = _content(self.response)
        if content is not None:
            return content, "end"
        self._rest, size = self.response.aiter_raw(), 0
        try:
            async for piece in self._rest:
                self._raw.append(piece)
                size += len(piece)
                if size > limit:
                    return b"".join(self._raw), None
        except Exception as error:
            self.error = error
            return b"", "broken"
        return self._decoded()

    async def next_piece(self) -> bytes:
        """Like that of `Received`."""
        if self._pieces is None:
            self._pieces = self.response.aiter_bytes()
        async for piece in self._pieces:
            if piece:
                return bytes(piece)
        return b""

    def close(self) -> Any:
        """Like that of `Received`."""
        return self.response.aclose()

    def _again(self) -> Generator[Work | bytes, Any, None]:
        yield from self._raw
        if self.error is not None:
            raise self.error
        rest = self._rest
        while piece := (yield lambda: anext(rest, b"")):
            yield piece


def host_stream(host: Host, steps: Generator[Work | bytes, Any, None], close: Work) -> Any:
    """Returns the body of a response of the host's HTTP client: the bytes that the steps yield."""
    return (_later_class if host.is_async else _now_class)(host.http)(steps, close)


class _Stream:
    """Bytes that are made while they are read."""

    def __init__(self, steps: Generator[Work | bytes, Any, None], close: Work) -> None:
        self._run, self._close = Run(steps), close


@functools.lru_cache
def _now_class(http: Any) -> type[Any]:
    class Stream(_Stream, http.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            while (step := self._run.next()) is not None:
                if isinstance(step, bytes):
                    yield step
                    continue
                with self._run:
                    self._run.value = step()

        def close(self) -> None:
            self._run.close()
            self._close()

    return Stream


@functools.lru_cache
def _later_class(http: Any) -> type[Any]:
    class Stream(_Stream, http.AsyncByteStream):  # type: ignore[misc]
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while (step := self._run.next()) is not None:
                if isinstance(step, bytes):
                    yield step
                    continue
                with self._run:
                    self._run.value = await step()

        async def aclose(self) -> None:
            self._run.close()
            await self._close()

    return Stream


def _content(response: Any) -> bytes | None:
    """The body of a response that was read already."""
    if not response.is_stream_consumed:
        return None
    try:
        return bytes(response.content)
    except Exception:  # it was read as a stream
        return None


def _without(headers: Any, *names: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in names]


_readable: dict[tuple[str, str], bool] = {}


def _is_readable(http: Any, headers: Any) -> bool:
    """Whether the HTTP client decodes the content encodings of a response. It passes on the bytes of those it does not."""
    for name in headers.get("content-encoding", "").lower().split(","):
        encoding = name.strip()
        if encoding in ("", "identity"):
            continue
        key = (http.__name__, encoding)
        if key not in _readable:
            try:
                http.Response(200, headers={"content-encoding": encoding}, content=b"none of this encoding")
                _readable[key] = False
            except http.DecodingError:
                _readable[key] = True
        if not _readable[key]:
            return False
    return True
