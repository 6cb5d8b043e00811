"""Tagged texts: a character or word and its tag on each line, a blank line between records."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lingsou.catalog.feeds import RowProblem
from lingsou.core.errors import ConfigurationError
from lingsou.text.normalise import has_han
from lingsou.training.data.rejects import Tally
from lingsou.training.data.table import UnusableError
from lingsou.training.data.texts import numbered_lines
from lingsou.training.examples import Span, TagSet
from lingsou.training.recipe import DataSpec

OUTSIDE = "O"
_TAG = re.compile(r"([BIESMLU])[-_](\S+)")
_INNER, _LAST, _LONE = "IM", "EL", "SU"
_CLOSED = _LAST + _LONE + "M"
"""Prefixes of the schemes that also mark where a span ends."""


@dataclass(frozen=True)
class _Line:
    number: int
    token: str
    tag: str


def read(path: Path, spec: DataSpec, tally: Tally) -> TagSet:
    """The records of a file, tagged as BIO or, where any tag says that a span ends, as BIEOS, BMES or BILOU.

    Token and tag stand first and last on a line, between them spaces or tabs. Tokens are joined without spaces where
    the file's are single characters or Chinese, else with one. Records that break the rules of their scheme are left
    out and counted, with the number of the line.

    Raises:
        FeedError: the file cannot be read, or is not UTF-8.
        InputError: it is empty, or more than a tenth of its records cannot be used.
        ConfigurationError: `columns` names any: there are none.
    """
    if spec.columns:
        raise ConfigurationError(
            "Files of tags have no named columns.", field="data.columns", cure="Remove columns from the recipe."
        )
    records: list[list[_Line]] = []
    for lines in _records(path):
        try:
            records.append([_parsed(number, line) for number, line in lines])
        except _MalformedError as error:
            tally.reject(error.row, error.kind, error.reason, field="tag", cure=error.cure)
    closed = any(line.tag[0] in _CLOSED for record in records for line in record)
    spaced = _spaced(records)
    texts: list[str] = []
    spans: list[tuple[Span, ...]] = []
    for record in records:
        text, places = _joined([line.token for line in record], spaced)
        try:
            found = tuple(
                Span(places[first][0], places[last][1], kind) for first, last, kind in _decoded(record, closed)
            )
        except _MalformedError as error:
            tally.reject(error.row, error.kind, error.reason, field="tag", cure=error.cure)
        else:
            texts.append(text)
            spans.append(found)
            tally.take()
    tally.close()
    return TagSet(tuple(texts), tuple(spans))


class _MalformedError(UnusableError):
    def __init__(self, row: int, kind: str, reason: str, cure: str):
        super().__init__("tag", kind, f"line {row}: {reason}", cure)
        self.row = row


def _records(path: Path) -> Iterator[list[tuple[int, str]]]:
    record: list[tuple[int, str]] = []
    for number, line in numbered_lines(path):
        text = "\ufffd" if isinstance(line, RowProblem) else line.rstrip("\r")
        if text.strip():
            record.append((number, text))
        elif record:
            yield record
            record = []
    if record:
        yield record


def _parsed(number: int, line: str) -> _Line:
    """`睡 B-HC`; a token that is a space itself leaves the tag alone on its line, after white space."""
    parts = line.split()
    tag = parts[-1]
    if len(parts) < 2 and not line[0].isspace():
        raise _MalformedError(
            number, "a line without a tag", f"{line[:40]!r} is not a token and its tag", "Write each line as: token TAG"
        )
    if tag != OUTSIDE and not _TAG.fullmatch(tag):
        raise _MalformedError(
            number,
            "an unknown tag",
            f"{tag[:40]!r} is not a tag",
            "Use O, B-kind and I-kind; or B, I, E, S; or B, M, E, S.",
        )
    return _Line(number, parts[0] if len(parts) > 1 else " ", tag)


def _decoded(record: Sequence[_Line], closed: bool) -> Iterator[tuple[int, int, str]]:
    """(first, last, kind) of the spans, as places in the record.

    Raises:
        _MalformedError: a span goes on that did not begin, or in a scheme that marks ends, does not end.
    """
    begun, kind = -1, ""
    for place, line in enumerate(record):
        match = _TAG.fullmatch(line.tag)
        prefix, of = match.groups() if match else (OUTSIDE, "")
        goes_on = prefix in _INNER + _LAST
        if goes_on and (begun < 0 or of != kind):
            reason = f"{line.tag} goes on with what did not begin"
            raise _MalformedError(line.number, "a span without a beginning", reason, f"Begin it with B-{of}.")
        if begun >= 0 and not goes_on:
            if closed:
                reason = f"{line.tag} comes before the end of '{kind}'"
                raise _MalformedError(line.number, "a span without an end", reason, "Mark its last token with E.")
            yield begun, place - 1, kind
            begun = -1
        if prefix in _LONE:
            yield place, place, of
        elif prefix in _LAST:
            yield begun, place, kind
            begun = -1
        elif prefix == "B":
            begun, kind = place, of
    if begun >= 0:
        if closed:
            number = record[-1].number
            reason = f"the record ends within '{kind}'"
            raise _MalformedError(number, "a span without an end", reason, "Mark its last token with E.")
        yield begun, len(record) - 1, kind


def _spaced(records: Sequence[Sequence[_Line]]) -> bool:
    """Whether the file is of words with spaces between: more of them than Chinese tokens."""
    tokens = [line.token for record in records for line in record]
    words = sum(len(token) > 1 and not has_han(token) for token in tokens)
    return words > sum(map(has_han, tokens))


def _joined(tokens: Sequence[str], spaced: bool) -> tuple[str, list[tuple[int, int]]]:
    """The text, and the characters that each token is.

    Two Latin words stay apart in Chinese text too: joined they would be another word.
    """
    text = ""
    places: list[tuple[int, int]] = []
    before = ""
    for token in tokens:
        if text and (spaced or (_is_word(before) and _is_word(token))):
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
        before = token
    return text, places


def _is_word(token: str) -> bool:
    return len(token) > 1 and token.isascii() and token.isalnum()
