"""Why a value is refused: its key, what was given, and what is allowed, read from the struct's own bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

SHOWN = 60  # characters of a value
WORDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def join(names: Iterable[str]) -> str:
    """Names as a list to read."""
    return ", ".join(sorted(names))


def explain(value: Any, kind: Any, key: str) -> str:
    """What is wrong with `value`, which does not convert to `kind`; `key` is where it stands ("" for the top)."""
    return _fault(value, kind, key) or f"{key} = {value!r}: not allowed"


def _fault(value: Any, kind: Any, key: str) -> str | None:
    """The first thing wrong at or below `key`; None when all is well."""
    try:
        msgspec.convert(value, kind)
        return None
    except msgspec.ValidationError:
        pass
    for inner_value, inner_kind, inner_key in _parts(value, kind, key):
        if found := _fault(inner_value, inner_kind, inner_key):
            return found
    struct = _struct(kind)
    if struct is not None and isinstance(value, Mapping):
        return _keys(value, struct, key)
    return f"{key} = {_shown(value)}: allowed: {allowed(kind)}"


def _parts(value: Any, kind: Any, key: str) -> list[tuple[Any, Any, str]]:
    """What `value` is made of, each with its own kind and key."""
    struct, origin = _struct(kind), get_origin(kind)
    if struct is not None and isinstance(value, Mapping):
        fields = msgspec.structs.fields(struct)
        return [(value[f.encode_name], f.type, _under(key, f.encode_name)) for f in fields if f.encode_name in value]
    if origin is dict and isinstance(value, Mapping):
        name_kind, item_kind = get_args(kind)
        return [(k, name_kind, _under(key, k)) for k in value] + [
            (v, item_kind, _under(key, k)) for k, v in value.items()
        ]
    if origin in (tuple, list) and isinstance(value, list):
        return [(v, get_args(kind)[0], f"{key}[{i}]") for i, v in enumerate(value)]
    return []


def _keys(value: Mapping[str, Any], struct: type[msgspec.Struct], key: str) -> str | None:
    """An unknown or a missing key."""
    fields = msgspec.structs.fields(struct)
    known = [f.encode_name for f in fields]
    for given in value:
        if given not in known:
            near = get_close_matches(given, known, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            return f"{_under(key, given)} = {_shown(value[given])}: unknown key{hint}; allowed: {join(known)}"
    for field in fields:
        if field.required and field.encode_name not in value:
            return f"{_under(key, field.encode_name)}: this key is missing; allowed: {allowed(field.type)}"
    return None


def allowed(kind: Any) -> str:
    """What a kind of value takes, in words."""
    origin = get_origin(kind)
    if origin is Annotated:
        base, *metas = get_args(kind)
        limits = [_limits(m) for m in metas if isinstance(m, msgspec.Meta)]
        return " ".join([allowed(base), *filter(None, limits)])
    if origin is Literal:
        return ", ".join(str(choice) for choice in get_args(kind))
    if origin in (Union, UnionType):
        return " or ".join(allowed(k) for k in get_args(kind) if k is not type(None))
    if _struct(kind) is not None or origin is dict:
        return "a table"
    return WORDS.get(kind, "a list" if origin in (tuple, list) else "something else")


def _limits(meta: msgspec.Meta) -> str:
    if meta.pattern:
        return "of a to z, 0 to 9, _ and -, beginning with a letter, 32 at most"
    low = meta.ge if meta.ge is not None else meta.gt
    high = meta.le if meta.le is not None else meta.lt
    if low is None or high is None:
        return "that is not empty" if meta.min_length else ""
    return f"from {low:g} to {'below ' if meta.le is None else ''}{high:g}"


def _shown(value: Any) -> str:
    """The value as given, or the beginning of it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _struct(kind: Any) -> type[msgspec.Struct] | None:
    """The struct in `kind`, alone or beside None."""
    if get_origin(kind) in (Union, UnionType):
        found = [_struct(k) for k in get_args(kind)]
        return next((k for k in found if k), None)
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key else str(name)
