"""The engine with its settings, and the functions of the package, which use one for the whole process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from . import _native
from ._errors import ConfigurationError
from ._native import CompressResult, MemoryStore, RequestResult, Store, TextResult

if TYPE_CHECKING:
    from typing_extensions import TypeAlias, Unpack

Message = TypeVar("Message")
Result = TypeVar("Result")

ApiName: TypeAlias = Literal["anthropic", "openai", "responses", "gemini", "converse"]
TierName: TypeAlias = Literal["lossless", "dedup", "recoverable"]
RetrievalName: TypeAlias = Literal["client-tool", "off"]


class Tier(str, Enum):
    """How far edits may go. Each tier includes the ones before it."""

    LOSSLESS = "lossless"
    """Renderings that can be read and reversed from the output itself."""
    DEDUP = "dedup"
    """References to lines of an earlier result in the same request."""
    RECOVERABLE = "recoverable"
    """Parts replaced by a marker, if the model can retrieve them."""


class Retrieval(str, Enum):
    """How the model retrieves content that a marker replaces."""

    CLIENT_TOOL = "client-tool"
    """Your program runs the tool `headroom_retrieve`. Counts as `OFF` for requests whose tools lack it."""
    OFF = "off"
    """The model cannot retrieve content: nothing is left out."""


class Options(TypedDict, total=False):
    """Settings of one call, in place of the engine's."""

    tier: Tier | TierName
    retrieval: Retrieval | RetrievalName
    tenant: str


class MessageOptions(Options, total=False):
    """What a request has besides its messages, and settings."""

    tools: Iterable[Any] | None
    tool_choice: Any
    api: ApiName | None


class RequestOptions(Options, total=False):
    """How a body is read, and settings."""

    api: ApiName | None
    path: str | None


class TextOptions(Options, total=False):
    """Where a text is from, and settings."""

    tool: str | None
    arguments: str | Mapping[str, Any] | None
    query: str | None
    model: str


class Part(TypedDict, total=False):
    """The part of an original that is wanted."""

    lines: str | None
    rows: str | None
    path: str | None
    query: str | None


class Engine:
    """Compresses requests with one set of settings and one store.

    Use one engine for all requests of a conversation, in as many threads as you like: a block that was written otherwise
    in the last request is a cache miss for everything after it. Its cache makes the next request of a growing conversation
    cheap and never changes its output.

    `store` keeps what markers stand for; by default the memory of this process. `tenant` separates the originals of users
    who must not see each other's. `max_body` is the length in bytes above which requests pass as they are.
    """

    def __init__(
        self,
        *,
        store: Store | None = None,
        tier: Tier | TierName = Tier.RECOVERABLE,
        retrieval: Retrieval | RetrievalName = Retrieval.CLIENT_TOOL,
        tenant: str = "local",
        max_body: int = 64 << 20,
        cache_capacity: int = 64 << 20,
    ) -> None:
        self._native = _native.Engine(max_body, cache_capacity)
        self._store = MemoryStore() if store is None else store
        self._tier = _value(Tier, tier)
        self._retrieval = _value(Retrieval, retrieval)
        self._tenant = tenant

    @property
    def store(self) -> Store:
        """The store of the originals."""
        return self._store

    @property
    def tenant(self) -> str:
        """Whose originals these are."""
        return self._tenant

    @property
    def retrieval(self) -> str:
        """How the model retrieves what is left out, unless a call says otherwise."""
        return self._retrieval

    def compress(
        self, messages: Sequence[Message], model: str = "", **options: Unpack[MessageOptions]
    ) -> CompressResult[Message]:
        """Compresses the messages of a request.

        `messages` are those of OpenAI (Chat Completions or Responses items), Anthropic, Gemini or Bedrock Converse, as
        dicts or as the objects of their SDKs. The result has them again, in the same order: only texts of tool results
        change, in copies of the messages that hold them. All others are the same objects.

        Pass `tools` and `tool_choice` as in the request. Parts are left out only if the tools have `headroom_retrieve`
        (see `retrieve_tool`), because without it the model could not get them back. `api` is detected from the shape.
        `tier`, `retrieval` and `tenant` replace the engine's.

        A message that cannot be read passes as it is, and `unreadable` of the result says why. Nothing but a wrong
        argument raises.
        """
        _check(options, MessageOptions)
        return self._draft(messages, model, options).run()

    async def acompress(
        self, messages: Sequence[Message], model: str = "", **options: Unpack[MessageOptions]
    ) -> CompressResult[Message]:
        """Compresses messages like `compress`, without blocking the event loop."""
        _check(options, MessageOptions)
        draft = self._draft(messages, model, options)
        if self.is_quick(draft.size):
            return draft.run()
        return await _in_thread(draft.run)

    def compress_request(self, body: bytes, **options: Unpack[RequestOptions]) -> RequestResult:
        """Compresses the body of a request, bytes to bytes.

        The result's `body` differs from the given one inside texts of tool results only; if nothing changes it is the
        same object. The API is `api`, or that of the URL's `path`, or detected from the shape. `tier`, `retrieval` and
        `tenant` replace the engine's.
        """
        _check(options, RequestOptions)
        return self._native.request(body, _api(options), self._store, self._settings(options))

    async def acompress_request(self, body: bytes, **options: Unpack[RequestOptions]) -> RequestResult:
        """Compresses a body like `compress_request`, without blocking the event loop."""
        if self.is_quick(len(body)):
            return self.compress_request(body, **options)
        return await _in_thread(self.compress_request, body, **options)

    def compress_text(self, text: str, **options: Unpack[TextOptions]) -> TextResult:
        """Compresses one piece of content outside any conversation, such as the result of a tool.

        `tool` and `arguments` are those of the call that returned it, `query` what the user asked: lines that match stay.
        `model` will read the text. Nothing is left out unless `retrieval` says that it can call `headroom_retrieve`: the
        engine's setting does not count here.
        """
        _check(options, TextOptions)
        arguments = options.get("arguments")
        if arguments is not None and not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        options.setdefault("retrieval", Retrieval.OFF)
        return self._native.text(
            text,
            options.get("tool"),
            arguments,
            options.get("query"),
            options.get("model", ""),
            self._store,
            self._settings(options),
        )

    def retrieve(self, handle: str, **part: Unpack[Part]) -> str:
        """Returns what a marker stands for, or a part of it, in the words of the tool `headroom_retrieve`.

        `lines` and `rows` are ranges such as `"120-180"`, `path` leads to a JSON value (`"logs[3].message"`), `query` is
        words or a regular expression. At most 32 KiB are returned, with what else there is. An unknown handle gets an
        answer in plain words. For the whole original, byte for byte, use `engine.store.get`.

        Raises `StoreError` if the store cannot answer.
        """
        return self.answer({"hash": handle, **part})

    async def aretrieve(self, handle: str, **part: Unpack[Part]) -> str:
        """Like `retrieve`, without blocking the event loop."""
        if self._store.is_quick:
            return self.retrieve(handle, **part)
        return await _in_thread(self.retrieve, handle, **part)

    def answer(self, arguments: str | Mapping[str, Any]) -> str:
        """Answers a call of `headroom_retrieve`, given its arguments as the API has them: JSON or a dict."""
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, default=str)
        return self._store.answer(arguments, self._tenant)

    def headroom_retrieve(
        self,
        hash: str,
        lines: str | None = None,
        rows: str | None = None,
        path: str | None = None,
        query: str | None = None,
    ) -> str:
        """Shows what a [headroom:HASH ...] marker stands for.

        For a part of it give lines or rows ("120-180"), a JSON path, or a query (words or a regex).
        """
        return self.retrieve(hash, lines=lines, rows=rows, path=path, query=query)

    def exchange(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, api: str, retrieval: str
    ) -> _native.Exchange:
        """Begins the exchange about a request whose answer you read; for integrations with HTTP clients."""
        settings = (self._tier, retrieval, self._tenant)
        return self._native.exchange(method, url, headers, body, api, self._store, settings)

    def is_quick(self, size: int) -> bool:
        """Whether so many bytes are compressed and stored fast enough for an event loop."""
        return self._store.is_quick and _native.Engine.is_quick(size)

    def _draft(
        self, messages: Sequence[Message], model: str, options: MessageOptions
    ) -> _native.Draft[Message]:
        if isinstance(messages, str | bytes) or not isinstance(messages, Sequence):
            raise TypeError(f"messages: expected a list, not {type(messages).__name__}")
        given = messages if isinstance(messages, list) else list(messages)
        tools = options.get("tools")
        return self._native.draft(
            given,
            model or "",
            None if tools is None else list(tools),
            options.get("tool_choice"),
            options.get("api"),
            self._store,
            self._settings(options),
        )

    def _settings(self, options: Options) -> tuple[str, str, str]:
        return (
            _value(Tier, options.get("tier", self._tier)),
            _value(Retrieval, options.get("retrieval", self._retrieval)),
            options.get("tenant", self._tenant),
        )


async def _in_thread(work: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    import asyncio  # takes as long to import as all else

    return await asyncio.to_thread(work, *args, **kwargs)


def _check(options: Options, kind: Any) -> None:
    """Refuses a keyword that is none, as a function with these parameters would."""
    for name in options:
        if name not in kind.__optional_keys__:
            known = ", ".join(sorted(kind.__optional_keys__))
            raise TypeError(f"unexpected keyword argument {name!r}; there are {known}")


def _value(kind: type[Enum], given: str) -> str:
    try:
        return str(kind(given).value)
    except ValueError:
        names = ", ".join(str(member.value) for member in kind)
        message = f"unknown {kind.__name__.lower()} {given!r}; expected one of {names}"
        raise ConfigurationError(message) from None


def _api(options: RequestOptions) -> str | None:
    api, path = options.get("api"), options.get("path")
    if api is not None or path is None:
        return api
    return _native.api_of_path(path)


_default: Engine | None = None


def default_engine() -> Engine:
    """Returns the engine that the functions of the package use: with default settings, in the memory of this process."""
    global _default
    if _default is None:
        _default = Engine()
    return _default


def compress(
    messages: Sequence[Message],
    model: str = "",
    model_limit: int | None = None,
    **options: Unpack[MessageOptions],
) -> CompressResult[Message]:
    """Compresses the messages of a request; see `Engine.compress`.

    `model_limit` has no effect: programs written for headroom-ai pass it.
    """
    del model_limit
    return default_engine().compress(messages, model, **options)


async def acompress(
    messages: Sequence[Message], model: str = "", **options: Unpack[MessageOptions]
) -> CompressResult[Message]:
    """Compresses messages like `compress`, without blocking the event loop."""
    return await default_engine().acompress(messages, model, **options)


def compress_request(body: bytes, **options: Unpack[RequestOptions]) -> RequestResult:
    """Compresses the body of a request, bytes to bytes; see `Engine.compress_request`."""
    return default_engine().compress_request(body, **options)


async def acompress_request(body: bytes, **options: Unpack[RequestOptions]) -> RequestResult:
    """Compresses a body like `compress_request`, without blocking the event loop."""
    return await default_engine().acompress_request(body, **options)


def compress_text(text: str, **options: Unpack[TextOptions]) -> TextResult:
    """Compresses one piece of content outside any conversation; see `Engine.compress_text`."""
    return default_engine().compress_text(text, **options)


def retrieve(handle: str, **part: Unpack[Part]) -> str:
    """Returns what a marker stands for, or a part of it; see `Engine.retrieve`."""
    return default_engine().retrieve(handle, **part)


def headroom_retrieve(
    hash: str,
    lines: str | None = None,
    rows: str | None = None,
    path: str | None = None,
    query: str | None = None,
) -> str:
    """Shows what a [headroom:HASH ...] marker stands for.

    For a part of it give lines or rows ("120-180"), a JSON path, or a query (words or a regex).
    """
    return default_engine().headroom_retrieve(hash, lines, rows, path, query)


def retrieve_tool(api: ApiName) -> dict[str, Any]:
    """Returns the definition of the tool `headroom_retrieve` for the `tools` of a request to this API.

    Put it into every request of a conversation from the first on, and answer its calls with `Engine.answer`.
    """
    definition: dict[str, Any] = json.loads(_native.retrieve_tool(api))
    return definition
