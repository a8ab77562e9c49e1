"""Strict JSON in, plain JSON out.

Stricter than the standard library where a lenient reader would let two programs understand one body
differently (RFC 8259, section 4 and 9): no duplicate keys, no NaN, no NUL, no lone surrogates (no database
stores them), nesting to 20.
"""

import json
import re

import orjson

from .errors import MalformedJSON

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def dumps(value) -> bytes:
    """JSON as it goes on the wire: compact, in UTF-8."""
    return orjson.dumps(value)


def loads(raw: bytes):
    """The value in `raw`, or MalformedJSON."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedJSON() from error
    _check(value, depth=0)
    return value


def _unique(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(name):
    raise ValueError(name)


def _check(value, depth):
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise MalformedJSON()
    elif isinstance(value, list | dict):
        if depth >= MAX_DEPTH:
            raise MalformedJSON()
        if isinstance(value, dict):
            for key in value:
                _check(key, depth + 1)
            value = value.values()
        for inner in value:
            _check(inner, depth + 1)
