"""What a shopper looks at, as it stands in the address: words, filters, order, page."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import starmap
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from lingsou.core.types import MAX_QUERY_LENGTH, FacetRequest, SearchRequest, Sort

PAGE_SIZE = 24
SORTS: tuple[Sort, ...] = get_args(Sort)
_FILTER_FIELD = re.compile(r"brand|category|tags|attributes\..{1,100}")
_MOST_FILTERS = 50
_MOST_PAGES = 10_000


@dataclass(frozen=True)
class Browse:
    """One view of the shop. Its address is all that the pages remember: every state is a link."""

    q: str = ""
    chosen: tuple[tuple[str, str], ...] = ()
    """(field, value) of each filter, as fields and values are called in the API."""
    low: Decimal | None = None
    high: Decimal | None = None
    in_stock: bool = False
    sort: Sort = "relevance"
    page: int = 1
    literal: bool = False
    """Take the words as they stand, without limits read from them."""
    as_spelt: bool = False
    """Take the words as they are spelt."""

    @classmethod
    def of(cls, params: QueryParams) -> "Browse":
        """From an address; what makes no sense in it is left out."""
        pairs = [(name, value) for name, value in params.multi_items() if value and _FILTER_FIELD.fullmatch(name)]
        page = params.get("page", "1")
        return cls(
            q=params.get("q", "").replace("\0", " ").strip()[:MAX_QUERY_LENGTH],
            chosen=tuple(dict.fromkeys(pairs))[:_MOST_FILTERS],
            low=_amount(params.get("min", "")),
            high=_amount(params.get("max", "")),
            in_stock=params.get("in_stock") == "1",
            sort=next((sort for sort in SORTS if sort == params.get("sort")), "relevance"),
            page=min(max(int(page), 1), _MOST_PAGES) if page.isdecimal() and len(page) < 9 else 1,
            literal=params.get("literal") == "1",
            as_spelt=params.get("as_spelt") == "1",
        )

    @property
    def filtered(self) -> bool:
        """Whether anything but the words narrows the view."""
        return bool(self.chosen or self.low is not None or self.high is not None or self.in_stock)

    def values(self, field: str) -> tuple[str, ...]:
        """The chosen values of a field."""
        return tuple(value for name, value in self.chosen if name == field)

    def fields(self) -> tuple[str, ...]:
        """The fields that are filtered by value or price."""
        priced = ("price",) if self.low is not None or self.high is not None else ()
        return (*dict.fromkeys(name for name, _ in self.chosen), *priced)

    def but(self, **changes: Any) -> "Browse":
        """The same view changed, on its first page unless the page is what changes."""
        return replace(self, **({"page": 1} | changes))

    def with_value(self, field: str, value: str) -> "Browse":
        """Filtered by this value too; of categories there is one at a time."""
        rest = tuple(pair for pair in self.chosen if field != "category" or pair[0] != field)
        return self.but(chosen=(*rest, (field, value)))

    def without_value(self, field: str, value: str) -> "Browse":
        """No longer filtered by this value."""
        return self.but(chosen=tuple(pair for pair in self.chosen if pair != (field, value)))

    def unfiltered(self) -> "Browse":
        """The words alone."""
        return self.but(chosen=(), low=None, high=None, in_stock=False)

    def pairs(self, *without: str) -> list[tuple[str, str]]:
        """Names and values of the address, for links and hidden form fields; `without` leaves names out."""
        plain: list[tuple[str, Any]] = [("q", self.q), *self.chosen, ("min", self.low), ("max", self.high)]
        plain += [("in_stock", "1" if self.in_stock else ""), ("literal", "1" if self.literal else "")]
        plain.append(("as_spelt", "1" if self.as_spelt else ""))
        plain += [("sort", "" if self.sort == "relevance" else self.sort), ("page", self.page if self.page > 1 else "")]
        return [(name, str(value)) for name, value in plain if value not in ("", None) and name not in without]

    @property
    def url(self) -> str:
        """The address of the view."""
        pairs = self.pairs()
        return f"/search?{'&'.join(starmap(_encoded, pairs))}" if pairs else "/search"

    def filters(self, without: str | None = None) -> dict[str, Any]:
        """The filter object for the API; `without` leaves one field out, to count what else could be chosen."""
        found: dict[str, Any] = {}
        for field, value in self.chosen:
            if field != without:
                found.setdefault(field, []).append(value)
        ends = {"gte": self.low, "lte": self.high}
        bounds = {name: float(bound) for name, bound in ends.items() if bound is not None}
        if bounds and without != "price":
            found["price"] = bounds
        if self.in_stock:
            found["not"] = {"stock": {"lte": 0}}  # a product whose stock is not tracked can be had
        return found

    def request(self, facets: Iterable[FacetRequest] = (), **changes: Any) -> SearchRequest:
        """The search behind the view."""
        return SearchRequest(
            **{
                "q": self.q,
                "filters": self.filters(),
                "facets": tuple(facets),
                "sort": self.sort,
                "page": self.page,
                "page_size": PAGE_SIZE,
                "understand": not self.literal,
                "correct": not self.as_spelt,
                **changes,
            }
        )


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**12 and len(text) < 30 else None


@lru_cache(4_096)
def _encoded(name: str, value: str) -> str:
    """One pair of an address. A page has more than a hundred links, which differ in one pair each."""
    return urlencode([(name, value)])
