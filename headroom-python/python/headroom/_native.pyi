from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar, final

from typing_extensions import disjoint_base

__all__ = [
    "BlockReport",
    "CompressResult",
    "Draft",
    "Engine",
    "Exchange",
    "FolderStore",
    "MemoryStore",
    "RedisStore",
    "Report",
    "RequestResult",
    "Store",
    "TextResult",
    "__version__",
    "api_of_path",
    "retrieve_tool",
]

_Message = TypeVar("_Message")

__version__: str

@final
class Engine:
    def __new__(cls, max_body: int, cache_capacity: int) -> Engine: ...
    def draft(
        self,
        messages: list[_Message],
        model: str,
        tools: list[Any] | None,
        tool_choice: Any,
        api: str | None,
        store: Store,
        settings: tuple[str, str, str],
    ) -> Draft[_Message]: ...
    def request(
        self, body: bytes, api: str | None, store: Store, settings: tuple[str, str, str]
    ) -> RequestResult: ...
    def text(
        self,
        text: str,
        tool: str | None,
        arguments: str | None,
        query: str | None,
        model: str,
        store: Store,
        settings: tuple[str, str, str],
    ) -> TextResult: ...
    def exchange(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes,
        api: str | None,
        store: Store,
        settings: tuple[str, str, str],
    ) -> Exchange: ...
    @staticmethod
    def is_quick(bytes: int) -> bool: ...

@final
class Exchange:
    def prepare(self) -> tuple[Any, ...]: ...
    def poll(self) -> tuple[Any, ...]: ...
    def run_work(self) -> None: ...
    def head(self, status: int, headers: list[tuple[str, str]], is_readable: bool) -> None: ...
    def data(self, data: bytes) -> None: ...
    def told(self, what: str) -> None: ...

@final
class Draft(Generic[_Message]):
    @property
    def size(self) -> int: ...
    def run(self) -> CompressResult[_Message]: ...

@final
class CompressResult(Generic[_Message]):
    """The result of compressing messages."""

    @classmethod
    def __class_getitem__(cls, item: Any) -> Any:
        """Lets annotations name the type of the messages."""
    @property
    def messages(self) -> list[_Message]:
        """The messages to send: the given list if nothing changed, else a new one."""
    @property
    def tokens_before(self) -> int:
        """Tokens of the texts in the given messages, counted when first asked for."""
    @property
    def tokens_after(self) -> int:
        """Tokens of the texts in the resulting messages."""
    @property
    def tokens_saved(self) -> int:
        """Tokens that the edits saved."""
    @property
    def compression_ratio(self) -> float:
        """The share of the tokens that was saved: 0.0 is nothing."""
    @property
    def transforms_applied(self) -> list[str]:
        """The kinds of edits that were made, each once."""
    @property
    def reason(self) -> str | None:
        """Why nothing was edited, if nothing was."""
    @property
    def report(self) -> Report:
        """What the engine looked at and did."""
    @property
    def originals(self) -> list[str]:
        """Handles of the originals that the markers name. They are stored."""
    @property
    def store_failed(self) -> bool:
        """Whether the store failed, so that something may have been left in full."""
    @property
    def unreadable(self) -> dict[int, str]:
        """Messages that were passed on as they are because they could not be read, by their place in the list."""

@final
class RequestResult:
    """The result of compressing the body of a request."""

    @property
    def body(self) -> bytes:
        """The body to send: the given object if nothing changed."""
    @property
    def tokens_saved(self) -> int:
        """Tokens that the edits saved."""
    @property
    def reason(self) -> str | None:
        """Why nothing was edited, if nothing was."""
    @property
    def report(self) -> Report:
        """What the engine looked at and did."""
    @property
    def originals(self) -> list[str]:
        """Handles of the originals that the markers name. They are stored."""
    @property
    def store_failed(self) -> bool:
        """Whether the store failed, so that something may have been left in full."""

@final
class TextResult:
    """The result of compressing one piece of content."""

    @property
    def text(self) -> str:
        """The text to use: the given object if nothing changed."""
    @property
    def tokens_before(self) -> int:
        """Tokens of the given text."""
    @property
    def tokens_after(self) -> int:
        """Tokens of the resulting text."""
    @property
    def tokens_saved(self) -> int:
        """Tokens that the edits saved."""
    @property
    def report(self) -> BlockReport:
        """What was done, or why nothing was done."""
    @property
    def originals(self) -> list[str]:
        """Handles of the originals that the markers name. They are stored."""
    @property
    def store_failed(self) -> bool:
        """Whether the store failed, so that something may have been left in full."""

@final
class Report:
    """Describes what the engine looked at and did. Holds no content."""

    @property
    def api(self) -> str | None:
        """The wire format, if it was recognised."""
    @property
    def tier(self) -> str:
        """The tier that was allowed."""
    @property
    def retrieval(self) -> str:
        """How the model can retrieve elided content."""
    @property
    def tokenizer(self) -> str:
        """Name of the token counter."""
    @property
    def estimated(self) -> bool:
        """Whether the model's own tokenizer is not public and another is used for it."""
    @property
    def bytes_before(self) -> int:
        """Length of the original body, in bytes."""
    @property
    def bytes_after(self) -> int:
        """Length of the resulting body, in bytes."""
    @property
    def tokens_saved(self) -> int:
        """Tokens that the edits saved."""
    @property
    def reason(self) -> str | None:
        """Why nothing was edited, if nothing was."""
    @property
    def blocks(self) -> list[BlockReport]:
        """Every text of the tool results, in order."""
    @property
    def transforms(self) -> list[str]:
        """The kinds of edits that were made, each once."""

@final
class BlockReport:
    """Describes one text of a tool result. Holds no content."""

    @property
    def path(self) -> str:
        """Position of the text in the body, as a JSON path."""
    @property
    def tool(self) -> str | None:
        """The tool that returned the text, if it is known."""
    @property
    def kind(self) -> str:
        """The content kind of the text."""
    @property
    def bytes_before(self) -> int:
        """Length of the original text, in bytes of UTF-8."""
    @property
    def bytes_after(self) -> int:
        """Length of the resulting text, in bytes of UTF-8."""
    @property
    def tokens_before(self) -> int | None:
        """Tokens of the original text; `None` if no edit was considered and none were counted."""
    @property
    def tokens_after(self) -> int | None:
        """Tokens of the resulting text."""
    @property
    def reason(self) -> str | None:
        """Why the text is unchanged; `None` if it was edited."""
    @property
    def transforms(self) -> list[str]:
        """The edits that were made."""

@disjoint_base
class Store:
    """A store of originals. Cheap to share between engines and threads."""

    @property
    def is_quick(self) -> bool:
        """Whether a call returns without waiting for a disk or a network."""
    def put(self, text: str, *, tenant: str = "local") -> str:
        """Stores a text and returns its handle."""
    def get(self, handle: str, *, tenant: str = "local") -> str | None:
        """Returns the whole original, or `None` if this tenant has none with that handle."""
    def answer(self, arguments: str, tenant: str) -> str:
        """Answers a call of `headroom_retrieve`, given its arguments as a JSON object."""

@final
class MemoryStore(Store):
    """Stores originals in this process's memory."""

    def __new__(cls, *, capacity: int = 268435456, time_to_idle: float = 86400.0) -> MemoryStore: ...

@final
class FolderStore(Store):
    """Stores originals in a folder that all Headroom programs of a user share."""

    def __new__(
        cls,
        path: str | PathLike[str] | None = None,
        *,
        capacity: int = 2147483648,
        time_to_idle: float = 2592000.0,
    ) -> FolderStore: ...
    @property
    def path(self) -> Path:
        """The folder."""
    def find(self, handle: str) -> str | None:
        """Returns the whole original, whichever tenant stored it: also what the proxy elided."""

@final
class RedisStore(Store):
    """Stores originals on a Redis or Valkey server."""

    def __new__(
        cls,
        url: str,
        *,
        prefix: str = "headroom",
        time_to_idle: float = 604800.0,
        timeout: float = 1.0,
    ) -> RedisStore: ...

def retrieve_tool(api: str) -> str: ...
def api_of_path(path: str) -> str | None: ...
