"""SDK clients that send smaller requests, and answer calls of `headroom_retrieve` themselves."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from . import _native
from ._engine import Engine, Retrieval, default_engine
from ._errors import ConfigurationError
from ._exchange import Host, aanswer, answer
from ._http import Headers, api_of, with_body

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

Client = TypeVar("Client", bound=Any)
ClientRetrievalName: TypeAlias = Literal["server-tool", "client-tool", "off"]


def with_headroom(
    client: Client, *, engine: Engine | None = None, retrieval: ClientRetrievalName | None = None
) -> Client:
    """Returns a client like this one, which compresses the tool results in its requests.

    `client` is one of Anthropic's, OpenAI's or Google's SDKs, synchronous or not, also for Azure. All its methods
    work as before, streams and raw responses included, over the connections of the given client, which stays as it is.

    Requests that have tools get one more, `headroom_retrieve`, with which the model reads what was left out. Its calls are
    answered here, and the answers that you get show none of them (`retrieval="server-tool"`). With `"client-tool"` parts are
    left out only if your own tools have `headroom_retrieve` (see `retrieve_tool`), with `"off"` never.

    Batches, websockets and bodies that are signed before they reach the transport pass as they are.
    """
    compressor = _Compressor(engine or default_engine(), retrieval)
    if callable(getattr(client, "with_middleware", None)) and "anthropic" in _roots(client):
        made: Client = client.with_middleware(_middleware(compressor, is_async="Async" in _names(client)))
        return made
    inner = getattr(client, "_client", None)
    if callable(getattr(client, "with_options", None)) and inner is not None:
        made = client.with_options(http_client=_wrapped(inner, compressor))
        return made
    if "google" in _roots(client) and hasattr(client, "_api_client"):
        return _google(client, compressor)
    raise TypeError(f"expected a client of an SDK, not {type(client).__name__}")


def headroom_http_options(
    *, engine: Engine | None = None, retrieval: ClientRetrievalName | None = None, **options: Any
) -> Any:
    """Returns `HttpOptions` of google-genai whose requests are compressed: `genai.Client(http_options=…)`.

    Further `options` are those of `HttpOptions`; `retrieval` is that of `with_headroom`.
    """
    from google.genai import _api_client, types

    compressor = _Compressor(engine or default_engine(), retrieval)
    http: Any = vars(_api_client)["httpx"]  # the module that it was built for, of two with the same interface
    return types.HttpOptions(
        httpx_client=_wrapped(options.pop("httpx_client", None) or http.Client(follow_redirects=True), compressor),
        httpx_async_client=_wrapped(
            options.pop("httpx_async_client", None) or http.AsyncClient(follow_redirects=True), compressor
        ),
        **options,
    )


class _Compressor:
    """An engine, and how what it leaves out is retrieved."""

    def __init__(self, engine: Engine, retrieval: str | None) -> None:
        off = engine.retrieval == Retrieval.OFF.value
        self.engine = engine
        self.retrieval = retrieval or (Retrieval.OFF.value if off else "server-tool")
        if self.retrieval not in ("server-tool", "client-tool", "off"):
            raise ConfigurationError(f"unknown retrieval {retrieval!r}; expected server-tool, client-tool or off")

    def exchange(self, method: str, url: str, headers: list[tuple[str, str]], body: bytes, api: str) -> _native.Exchange:
        """Begins the exchange about a request."""
        return self.engine.exchange(method, url, headers, body, api, self.retrieval)

    def is_quick(self, body: bytes) -> bool:
        """Whether the work on a request is fast enough for an event loop."""
        return self.engine.is_quick(len(body))


def _google(client: Client, compressor: _Compressor) -> Client:
    """Returns a client of google-genai like this one, over its connections."""
    inner = client._api_client
    api = copy.copy(inner)
    now, later = _wrapped(inner._httpx_client, compressor), inner._async_httpx_client
    later = None if later is None else _wrapped(later, compressor)
    api._httpx_client, api._async_httpx_client = now, later
    # Given ones are used in place of aiohttp, and closed by those who made them.
    update = {"httpx_client": now, "httpx_async_client": later}
    api._http_options = inner._http_options.model_copy(update=update)
    api._headroom_given = client  # which closes its connections when it is forgotten
    made = copy.copy(client)
    for name, value in vars(client).items():
        if value is inner:
            setattr(made, name, api)
        elif getattr(value, "_api_client", None) is inner:
            setattr(made, name, type(value)(api))
    return made


def _names(value: Any) -> str:
    return " ".join(base.__name__ for base in type(value).__mro__)


def _roots(value: Any) -> set[str]:
    return {base.__module__.partition(".")[0] for base in type(value).__mro__}


class _Middleware(Host):
    """A request on its way through the middleware of Anthropic's SDK, before it is signed."""

    def __init__(self, request: Any, call_next: Callable[[Any], Any], http: Any) -> None:
        self.http, self._request, self._call_next = http, request, call_next
        self._sent: list[Any] = []

    def _made(self, is_original: bool, body: bytes, headers: Headers) -> Any:
        if is_original:
            return self._request
        request = copy.copy(self._request)
        options = request.options = copy.copy(request.options)
        options.json_data, options.content = None, body
        changed = {name.lower(): value for name, value in headers}
        kept = {name: value for name, value in self._request.headers.items() if name.lower() not in changed}
        options.headers = {**kept, **{name: value for name, value in changed.items() if value is not None}}
        return request

    def answer(self, response: Any) -> Any:
        for sent in self._sent:
            if sent.http_response is response:
                return sent
        made = copy.copy(self._sent[-1])
        made.http_response = response
        return made


    def refuse(self, status: int, content_type: str, body: bytes) -> Any:
        request = self.http.Request("POST", "https://api.anthropic.com" + str(self._request.url))
        response = self.http.Response(status, headers={"content-type": content_type}, content=body, request=request)
        # Nothing was sent, so there is no response of the SDK's to put this in.
        raise sys.modules["anthropic"].NotFoundError("thread_not_found", response=response, body=response.json())


class _NowMiddleware(_Middleware):
    is_async = False

    def send(self, is_original: bool, body: bytes, headers: Headers) -> Any:
        self._sent.append(self._call_next(self._made(is_original, body, headers)))
        return self._sent[-1].http_response


class _LaterMiddleware(_Middleware):
    is_async = True

    async def send(self, is_original: bool, body: bytes, headers: Headers) -> Any:
        self._sent.append(await self._call_next(self._made(is_original, body, headers)))
        return self._sent[-1].http_response


def _middleware(compressor: _Compressor, *, is_async: bool) -> Callable[..., Any]:
    """Returns a middleware of Anthropic's SDK."""

    def begun(request: Any) -> tuple[_native.Exchange, bool] | None:
        body = _body_of(request)
        if body is None or _native.api_of_path(str(request.url)) != "anthropic":
            return None
        headers = [(name, value) for name, value in request.headers.items() if isinstance(value, str)]
        exchange = compressor.exchange("POST", str(request.url), headers, body, "anthropic")
        return exchange, compressor.is_quick(body)

    def now(request: Any, call_next: Callable[[Any], Any]) -> Any:
        exchange = begun(request)
        if exchange is None:
            return call_next(request)
        return answer(exchange[0], _NowMiddleware(request, call_next, _http_of("anthropic")))

    async def later(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
        exchange = begun(request)
        if exchange is None:
            return await call_next(request)
        host = _LaterMiddleware(request, call_next, _http_of("anthropic"))
        host.is_quick = exchange[1]
        return await aanswer(exchange[0], host)

    return later if is_async else now


def _http_of(root: str) -> Any:
    """Returns the module of the HTTP client that an SDK is built on."""
    base = sys.modules[f"{root}._base_client"]
    return vars(base).get("httpx2") or vars(base)["httpx"]


def _body_of(request: Any) -> bytes | None:
    """Returns the body as the SDK writes it; one that cannot be read is none of ours."""
    body = request.json
    if request.method.upper() != "POST" or not isinstance(body, dict):
        return None
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=_refuse).encode()
    except (TypeError, ValueError):
        return None


def _refuse(value: Any) -> Any:
    raise TypeError(f"a value of type {type(value).__name__} is not JSON")


class _Transport(Host):
    """A request on its way through an HTTP client."""

    def __init__(self, http: Any, inner: Any, request: Any, options: dict[str, Any], *, is_async: bool) -> None:
        self.http, self.is_async = http, is_async
        self._inner, self._request, self._options = inner, request, {**options, "stream": True}

    def send(self, is_original: bool, body: bytes, headers: Headers) -> Any:
        request = self._request if is_original else with_body(self.http.Request, self._request, body, headers)
        return self._inner.send(request, **self._options)

    def refuse(self, status: int, content_type: str, body: bytes) -> Any:
        headers = {"content-type": content_type}
        return self.http.Response(status, headers=headers, content=body, request=self._request)


def _wrapped(inner: Any, compressor: _Compressor) -> Any:
    """Returns an HTTP client that rewrites requests and sends them by `inner`."""
    for base in type(inner).__mro__:
        root = base.__module__.partition(".")[0]
        if root in ("httpx", "httpx2") and base.__name__ in ("Client", "AsyncClient"):
            if base not in _classes:
                _classes[base] = _class(sys.modules[root], base)
            return _classes[base](inner, compressor)
    raise TypeError(f"expected a client of httpx, not {type(inner).__name__}")


_classes: dict[type[Any], type[Any]] = {}


def _class(http: ModuleType, base: type[Any]) -> type[Any]:
    """Makes the class of such clients. Several modules with the same interface may be installed."""

    class Compressing(base):  # type: ignore[misc]
        """Sends smaller requests. All its state is that of the client that it was made of."""

        def __init__(self, inner: Any, compressor: _Compressor) -> None:
            self.__dict__["_headroom"] = (inner, compressor)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.__dict__["_headroom"][0], name)

    if base.__name__ == "Client":

        def send(self: Any, request: Any, **options: Any) -> Any:
            inner, compressor = self.__dict__["_headroom"]
            if (api := api_of(request)) is None:
                return inner.send(request, **options)
            exchange = _begun(compressor, request, request.read(), api)
            response = answer(exchange, _Transport(http, inner, request, options, is_async=False))
            if not options.get("stream"):
                try:
                    response.read()
                except BaseException:
                    response.close()
                    raise
            return response

        members = {"send": send, **{name: _delegate(name) for name in ("close", "__enter__", "__exit__")}}
    else:

        async def asend(self: Any, request: Any, **options: Any) -> Any:
            inner, compressor = self.__dict__["_headroom"]
            if (api := api_of(request)) is None:
                return await inner.send(request, **options)
            body = await request.aread()
            host = _Transport(http, inner, request, options, is_async=True)
            host.is_quick = compressor.is_quick(body)
            response = await aanswer(_begun(compressor, request, body, api), host)
            if not options.get("stream"):
                try:
                    await response.aread()
                except BaseException:
                    await response.aclose()
                    raise
            return response

        members = {"send": asend, **{name: _delegate(name) for name in ("aclose", "__aenter__", "__aexit__")}}
    for name, member in members.items():
        setattr(Compressing, name, member)
    return Compressing


def _begun(compressor: _Compressor, request: Any, body: bytes, api: str) -> _native.Exchange:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return compressor.exchange(request.method, str(request.url), headers, body, api)


def _delegate(name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any) -> Any:
        return getattr(self.__dict__["_headroom"][0], name)(*args)

    return call
