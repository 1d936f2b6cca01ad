"""JSON bodies of requests, bounded before anything is built from them.

A byte of JSON can become a hundred bytes of objects, and decoding holds Python's global lock. So depth and
number of values are counted on the bytes first, and large bodies are decoded row by row, in a thread.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import msgspec

from ...common.errors import FieldError, Invalid, TooLarge

#: how deep lists and objects of a body may lie in each other
DEEPEST_JSON_LEVELS = 64
_SCANNED_BYTES = 64 * 1024
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")  # as signed bytes: 1 and -1
_BYTE = re.compile(r"\(byte (\d+)\)$")
_NUMBER_WORD = re.compile(rb"(?:NaN|Infinity|nan|inf)\b")
_LONE_SURROGATE = re.compile(
    rb"\\u([dD][89abAB][0-9a-fA-F]{2})(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(\xed[\xa0-\xbf][\x80-\xbf])"
)
_AT = re.compile(r" - at `(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def field_error(error: msgspec.ValidationError) -> FieldError:
    """What msgspec says of a body, with the place apart from the message."""
    text = str(error)
    match = _AT.search(text)
    if match is None:
        return {"loc": [], "msg": text}
    loc: list[str | int] = [
        name or (int(index) if index.isdigit() else index)
        for name, index in _STEP.findall(match["path"])
    ]
    return {"loc": loc, "msg": text[: match.start()]}


def refuse_deep(body: bytes) -> None:
    """Refuse a JSON body whose lists and objects lie deeper in each other than 64 levels.

    Decoders and encoders of JSON recurse, here, in the database and in the kernel. One linear pass over
    the bytes, before anything is built; brackets in strings do not count.

    Raises
    ------
    Invalid
    """
    if body.count(b"[") + body.count(b"{") <= DEEPEST_JSON_LEVELS:
        return
    depth = 0
    for piece in outside_strings(body):
        brackets = piece.translate(_BRACKETS, _NO_BRACKETS)
        if _deeper_than(DEEPEST_JSON_LEVELS - depth, brackets):
            raise Invalid(
                f"The body is nested deeper than {DEEPEST_JSON_LEVELS} levels of lists and objects."
            )
        depth += 2 * brackets.count(b"[") - len(brackets)


def outside_strings(body: bytes) -> Iterator[bytes]:
    """Yield what stands outside of the strings of a JSON body, piece by piece, without decoding it.

    Pieces are small, so that other threads have their turn between them.
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    in_string = 0
    for start in range(0, len(body), _SCANNED_BYTES):
        parts = body[start : start + _SCANNED_BYTES].split(b'"')
        yield b"".join(parts[in_string::2])
        in_string = (in_string + len(parts) - 1) % 2


def _deeper_than(levels: int, brackets: bytes) -> bool:
    """Whether these brackets, `[` and `]` alone, open more than `levels` of them within each other."""
    rest = brackets
    for removed in range(4):  # a level at a time: most bodies are flat, and this is the quicker way
        if removed + rest.count(b"[") <= levels:
            return False
        rest = rest.replace(b"[]", b"")
    steps = array("b", brackets.translate(_STEPS))
    return max(accumulate(steps), default=0) > levels


def decode_body(body: bytes, kind: Any) -> Any:
    """A JSON body as `kind`.

    Raises
    ------
    Invalid
        When it is not JSON, too deep, or not of that shape; `NaN` and `Infinity` are not JSON.
    """
    refuse_deep(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        fault = field_error(error)
        where = ".".join(str(step) for step in fault["loc"])
        raise Invalid(
            f"{where}: {fault['msg']}" if where else fault["msg"], errors=[fault]
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"The body is not JSON: {why_not_json(body, error)}") from None


def why_not_json(body: bytes, error: Exception) -> str:
    """Return what is wrong with a body that msgspec could not decode, in words that say the remedy."""
    text = str(error)
    at = _BYTE.search(text)
    if at is not None:
        begin = int(at[1])
        word = _NUMBER_WORD.match(body, begin)
        if word is not None:
            sign = "-" if body[begin - 1 : begin] == b"-" else ""
            return f"{sign}{word[0].decode()} is not JSON: send null."
    if isinstance(error, UnicodeDecodeError) or "truncated" in text or "surrogate" in text:
        lone = _LONE_SURROGATE.search(body.replace(b"\\\\", b""))
        if lone is not None:
            raw = lone[3]
            half = ord(raw.decode("utf-8", "surrogatepass")) if raw else int(lone[1] or lone[2], 16)
            return f"\\u{half:04x} is a lone surrogate: half of a pair, and no character."
    return "a text is not UTF-8." if isinstance(error, UnicodeDecodeError) else text


def refuse_many(body: bytes | memoryview, most: int, what: str = "The body") -> None:
    """Refuse JSON with more than `most` commas outside of texts, which is how many values it holds at least.

    Nothing is built for it.

    Raises
    ------
    TooLarge
    """
    content = bytes(body)
    if content.count(b",") <= most:
        return
    count = sum(piece.count(b",") for piece in outside_strings(content))
    if count > most:
        raise TooLarge(
            f"{what} has {count:,} values, and at most {most:,} are taken at once. Send fewer rows."
        )


def decode(body: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[Any], hint: str) -> Any:
    """Return a body as the decoder's type.

    Raises
    ------
    Invalid
        When it is not JSON of that type; the message begins with `hint`.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        fault = field_error(error)
        where = ".".join(str(step) for step in fault["loc"])
        said = f"{where}: {fault['msg']}" if where else fault["msg"]
        raise Invalid(f"{hint}: {said}", errors=[fault]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        said = why_not_json(bytes(body), error)
        raise Invalid(f"{hint}: {said}", errors=[{"loc": [], "msg": said}]) from None


_any = msgspec.json.Decoder()


def decode_each(items: Sequence[msgspec.Raw], hint: str) -> Iterator[Any]:
    """Yield the values of a list that was decoded no further than to its items."""
    for item in items:
        yield decode(item, _any, hint)
