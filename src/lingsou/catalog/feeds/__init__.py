"""Catalogue feeds: file formats that yield rows. Each is one module; names resolve through `core.plugins`."""

from lingsou.catalog.feeds.base import MAX_ROW_BYTES, Feed, Row, RowProblem, Rows
from lingsou.catalog.feeds.choose import feed_name, open_feed

__all__ = ["MAX_ROW_BYTES", "Feed", "Row", "RowProblem", "Rows", "feed_name", "open_feed"]
