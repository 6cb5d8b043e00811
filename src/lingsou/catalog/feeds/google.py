"""Google Merchant product data as XML: RSS 2.0 or Atom, attributes in the namespace `g:`.

Specification: https://support.google.com/merchants/answer/7052112. Rows have Google's own attribute names; a repeated
attribute is a list, one with parts (`product_detail`, `shipping`) a dict.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, iterparse

from lingsou.catalog.feeds.base import MAX_ROW_BYTES, OnBytes, Row, Rows, guarded
from lingsou.catalog.feeds.source import chunks, known_encoding, peek, transcoded
from lingsou.core.errors import FeedError

NAMESPACE = "{http://base.google.com/ns/1.0}"
MAX_DEPTH = 50
ITEMS = {"item", "entry", "{http://www.w3.org/2005/Atom}entry"}
LISTS = {
    "additional_image_link",
    "product_detail",
    "product_highlight",
    "product_type",
    "shipping",
    "excluded_destination",
}
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_NATIVE = {"utf-8", "ascii", "iso8859-1"}


@dataclass(frozen=True)
class GoogleMerchantFeed:
    """Rows are the `item` or `entry` elements, numbered from 1."""

    name: str = "google"
    now: datetime | None = None
    """the moment for which sale prices are judged; none means the present"""

    @guarded
    def rows(self, path: Path, *, encoding: str | None = None, on_bytes: OnBytes | None = None) -> Rows:
        """See `Feed.rows`. The XML declaration names the encoding; `encoding` overrides it."""
        now = self.now or datetime.now(UTC)
        source, name = _open(path, encoding, on_bytes)
        parser = DefusedXMLParser(encoding=name)  # type: ignore[no-untyped-call]
        open_elements: list[Element] = []
        inside, number = 0, 0
        try:
            for event, element in iterparse(source, ("start", "end"), parser):
                if event == "start":
                    open_elements.append(element)
                    if len(open_elements) > MAX_DEPTH:
                        raise FeedError(f"'{path.name}' nests elements {MAX_DEPTH} deep.", cure="Export it again.")
                    inside += element.tag in ITEMS
                    continue
                open_elements.pop()
                if element.tag in ITEMS:
                    inside -= 1
                    if not inside:
                        number += 1
                        yield number, _row(element, now)
                        source.since_item = 0
                if not inside and open_elements:
                    # The tree would grow with the file; what was read is dropped from its parent.
                    open_elements[-1].remove(element)
        except DefusedXmlException as error:
            raise FeedError(
                f"'{path.name}' declares XML entities, which are refused: they can be made to fill the memory.",
                cure="Export the feed without a DOCTYPE.",
            ) from error
        except ParseError as error:
            cure = "Export it again; if it is in another encoding than it declares, name it: --encoding gb18030."
            raise FeedError(f"'{path.name}' is not well-formed XML: {error}.", cure=cure) from error
        except (ValueError, LookupError) as error:
            raise FeedError(f"'{path.name}' cannot be read as XML: {error}.", cure="Name its --encoding.") from error
        if not number:
            raise FeedError(
                f"'{path.name}' is empty: it has no <item> or <entry>.", cure="Export it in Google Merchant form."
            )


class _Source:
    """What `iterparse` reads from; refuses an item that never ends."""

    def __init__(self, blocks: Iterator[bytes]):
        self.blocks = blocks
        self.rest = b""
        self.since_item = 0

    def read(self, size: int) -> bytes:
        if not self.rest:
            self.rest = next(self.blocks, b"")
        block, self.rest = self.rest[:size], self.rest[size:]
        self.since_item += len(block)
        if self.since_item > MAX_ROW_BYTES:
            raise FeedError(f"One item has more than {MAX_ROW_BYTES:,} bytes.", cure="Shorten it.")
        return block


def _open(path: Path, encoding: str | None, on_bytes: OnBytes | None) -> tuple[_Source, str | None]:
    """The bytes to parse and the encoding to tell the parser, which itself knows only a few."""
    head, rest = peek(chunks(path, on_bytes), 1024)
    blocks = chain((head,), rest)
    declared = _DECLARED.match(head)
    name = known_encoding(encoding or (declared.group(1).decode("ascii") if declared else None))
    if name in _NATIVE or (not encoding and name.startswith("utf-16")):
        return _Source(blocks), name if encoding else None
    return _Source(transcoded(blocks, name)), "utf-8"


def _row(item: Element, now: datetime) -> Row:
    row: Row = {}
    own: set[str] = set()
    for child in item:
        tag = str(child.tag)
        name = tag.rpartition("}")[2]
        merchant = tag.startswith(NAMESPACE)
        if name in own and not merchant:
            continue
        if merchant and name not in own:
            own.add(name)
            row.pop(name, None)  # the shop wrote <title> for readers and <g:title> for shoppers
        value = _value(child)
        if name not in row:
            row[name] = [value] if name in LISTS else value
        elif isinstance(row[name], list):
            row[name].append(value)
        else:
            row[name] = [row[name], value]
    if "sale_price" in row and not _on_sale(row.get("sale_price_effective_date"), now):
        del row["sale_price"]
    return row


def _value(element: Element) -> Any:
    if len(element):
        return {str(part.tag).rpartition("}")[2]: _value(part) for part in element}
    return (element.text or element.get("href") or "").strip()


def _on_sale(period: Any, now: datetime) -> bool:
    """Whether `begin/end` (ISO 8601) holds `now`; a period that cannot be read does not hide the price."""
    with suppress(ValueError, AttributeError):
        begin, end = (datetime.fromisoformat(part.strip()) for part in period.split("/"))
        return bool(_aware(begin) <= now < _aware(end))
    return True


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
