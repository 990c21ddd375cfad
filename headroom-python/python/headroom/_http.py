"""Requests of httpx and of what has its interface."""

from __future__ import annotations

from typing import Any

from . import _native

Headers = list[tuple[str, "str | None"]]

# A signature or digest that covers the body: other bytes would be refused.
_DIGESTS = ("x-amz-content-sha256", "content-digest", "repr-digest", "digest", "content-md5", "signature-input")


def api_of(request: Any) -> str | None:
    """Returns the API of a request whose body may be rewritten."""
    headers = request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_ours = (
        request.method == "POST"
        and kind == "application/json"
        and "content-encoding" not in headers
        and not headers.get("authorization", "").startswith("AWS4-")
        and not any(name in headers for name in _DIGESTS)
    )
    return _native.api_of_path(request.url.path) if is_ours else None


def with_body(kind: type[Any], request: Any, body: bytes, changes: Headers | None = None) -> Any:
    """Returns a request like this one with another body and headers. `kind` is the class of requests."""
    gone = {b"content-length", b"transfer-encoding", *(name.lower().encode() for name, _ in changes or ())}
    headers = [(name, value) for name, value in request.headers.raw if name.lower() not in gone]
    headers += [(name.encode(), value.encode()) for name, value in changes or () if value is not None]
    return kind(request.method, request.url, headers=headers, content=body, extensions=request.extensions)
