"""Copies of typed messages with another text, for the native part."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any


def replace_text(value: Any, path: Sequence[str | int], old: str, new: str) -> Any:
    """Returns a copy of `value` in which the text at `path` is `new`. The path is that in what the value sends.

    Everything beside the path is the same object. Raises if the text there is not `old`: the object then sends something
    else than it holds, and cannot be made to send `new`.
    """
    if not path:
        if value != old:
            raise LookupError("the object sends another text than it holds")
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        changed: Any = copy.copy(value)
        changed[step] = replace_text(value[step], rest, old, new)
        return changed
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)
        items[int(step)] = replace_text(items[int(step)], rest, old, new)
        return items if isinstance(value, list) else tuple(items)
    name = _field(value, str(step))
    return value.model_copy(update={name: replace_text(getattr(value, name), rest, old, new)})


def _field(model: Any, key: str) -> str:
    """Returns the name of the field that is sent under this key."""
    fields: Mapping[str, Any] = type(model).model_fields
    for name, field in fields.items():
        if key == (field.serialization_alias or field.alias or name):
            return name
    if key in fields or key in (model.model_extra or ()):
        return key
    raise LookupError(f"no field is sent as {key}")
