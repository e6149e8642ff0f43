"""What the schema refuses, in one plain sentence: `FILE: path.to.key: reason`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from elec_meter.errors import MeterError

from .base import FORMS
from .schema import MeterConfig
from .shape import Maybe, Scalar, Shape, Table, shape_at, table_of

LONGEST: Final = 300
"""Characters of a reason; what somebody wrote into a document may be much longer."""

_KINDS: Final = {
    "object": "a table",
    "array": "a list",
    "str": "a text",
    "int": "a whole number",
    "float": "a decimal number",
    "decimal": "a decimal number",
    "bool": "true or false",
    "datetime": "a date with a time and a zone",
    "date": "a date without a time",
    "time": "a time of day",
    "null": "nothing",
}
_EXPECTED: Final = re.compile(
    r"Expected `(?P<wanted>\w+)(?: \| null)?`"
    r"(?P<is_long> of length)?(?: (?P<sign>[<>]=) (?P<bound>-?\d+)| (?P<exact>\d+))?"
    r"(?: matching regex (?P<form>'.*'))?(?:, got `(?P<got>\w+)`)?(?: of length \d+)?",
    re.DOTALL,
)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_MISSING: Final = re.compile(r"Object missing required field `(?P<key>.*)`")
_NO_CHOICE: Final = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)


@contextmanager
def refusing(
    source: str, form: str, kind: type[MeterError], whole: type[msgspec.Struct] = MeterConfig
) -> Iterator[None]:
    """Read a text in here: whatever it is refused for becomes one plain sentence.

    Args:
        source: what to call it: a file's name or the like.
        form: `TOML` or `JSON`.
        kind: the error that is raised.
        whole: what is read.
    """
    try:
        yield
    except msgspec.ValidationError as error:
        raise kind(refusal(source, error, whole)) from None
    except RecursionError:
        raise kind(f"{source} is nested too deeply") from None
    except (tomllib.TOMLDecodeError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise kind(one_line(f"{source} is not {form}: {error}")) from None
    except ValueError:
        raise kind(f"{source} has a number that is too long") from None


def refusal(
    source: str, error: msgspec.ValidationError, whole: type[msgspec.Struct] = MeterConfig
) -> str:
    """The sentence of an error of msgspec; the source is a file's name or the like."""
    text, mark, path = str(error).rpartition(" - at `$")
    if not mark:
        text, path = path, ""
    where = path.removesuffix("`").removeprefix(".")
    return one_line(
        ": ".join(part for part in (source, where, _reason(text, where, whole)) if part)
    )


def one_line(text: str) -> str:
    """The text without line ends or other invisible characters, and not endless."""
    shown = "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."


def _reason(text: str, path: str, whole: type[msgspec.Struct]) -> str:
    if (match := _UNKNOWN.fullmatch(text)) is not None:
        return f"there is no key {match['key']!r}{_suggestion(match['key'], path, whole)}"
    if (match := _MISSING.fullmatch(text)) is not None:
        return f"there must be a key {match['key']!r}"
    if (match := _NO_CHOICE.fullmatch(text)) is not None:
        shape = _inner(shape_at(path, whole))
        choices = shape.choices if isinstance(shape, Scalar) else ()
        return f"{match['value']} is none of {', '.join(map(repr, choices))}"
    if (match := _EXPECTED.fullmatch(text)) is not None:
        return _expected(match)
    if text == "Invalid decimal string":
        return "this must be a decimal number"
    if text == "Invalid RFC3339 encoded datetime":
        return "this must be a date with a time and a zone, such as 2026-04-01T00:00:00Z"
    return text.replace("`", "'")


def _expected(match: re.Match[str]) -> str:
    form = next((words for pattern, words in FORMS.items() if match["form"] == repr(pattern)), None)
    if form is not None:
        return f"this must be {form}"
    sentence = f"expected {_KINDS.get(match['wanted'], match['wanted'])}"
    bound = f"exactly {match['exact']}" if match["exact"] else match["bound"] or ""
    if bound:
        most = {"<=": "at most ", ">=": "at least "}.get(match["sign"] or "", "")
        what = {"str": " characters", "array": " elements"} if match["is_long"] else {}
        sentence += f" of {most}{bound}{what.get(match['wanted'], '')}"
    if match["got"] is not None:
        sentence += f", got {_KINDS.get(match['got'], match['got'])}"
    return sentence


def _suggestion(key: str, path: str, whole: type[msgspec.Struct]) -> str:
    shape = _inner(shape_at(path, whole)) if path else table_of(whole)
    names = [field.name for field in shape.fields] if isinstance(shape, Table) else []
    close = get_close_matches(key[:40], names, 1)
    return f"; is it {close[0]!r}?" if close else ""


def _inner(shape: Shape | None) -> Any:
    return shape.inner if isinstance(shape, Maybe) else shape
