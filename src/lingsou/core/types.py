"""The types that cross package borders; nobody passes loose dicts.

Models are frozen and refuse unknown keys. Money is `Decimal` in the product's own currency; times are
timezone-aware UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lingsou.core.frozen import Frozen as Frozen
from lingsou.core.plan import QueryPlan

MAX_ID_LENGTH = 256
MAX_QUERY_LENGTH = 512


def _as_utc(value: datetime) -> datetime:
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the years 1 to 9999 in UTC") from error


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a NUL character, which databases refuse")
    return value


def _rid_of_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


def _one_as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Instant = Annotated[datetime, AfterValidator(_as_utc)]
"""A moment; a naive one is taken as UTC."""

Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH), AfterValidator(_without_nul)]
"""An external id: any non-empty string of at most 256 characters without NUL, which databases refuse."""

AttributeName = Annotated[str, BeforeValidator(_rid_of_nul), Field(min_length=1, max_length=100)]
"""Without NUL: names of attributes are the names of fields, by which databases are asked."""

Price = Annotated[Decimal, Field(ge=0, lt=10**12, max_digits=16, decimal_places=4)]
"""An amount of money: at least 0, at most four decimal places."""

Names = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=512)], ...], BeforeValidator(_one_as_tuple)]
"""Several short strings; a single one may be given bare."""

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
AttributeValue = bool | Whole | Finite | str | tuple[str, ...]


class Attribute(Frozen):
    """One property of a product, such as colour = black or diagonal = 17 inch."""

    value: AttributeValue
    unit: str | None = Field(None, max_length=32, description="as the feed wrote it, e.g. `inch`, `W`, `ml`")


def _as_attribute(value: Any) -> Any:
    return value if isinstance(value, Mapping | Attribute) else {"value": value}


class Product(Frozen):
    """One sellable thing as the shop's feed describes it. Only `id` and `title` are required."""

    id: Id = Field(description="the shop's own id; unique")
    title: str = Field(min_length=1, max_length=2_000)
    short_description: str = Field("", max_length=10_000, description="a sentence or two, shown in lists")
    description: str = Field("", max_length=200_000)
    brand: str = Field("", max_length=200)
    category: Names = Field((), description="path of names, root first: `('Electronics', 'Audio', 'Headphones')`")
    price: Price | None = Field(None, description="current price in `currency`")
    currency: str = Field("", pattern=r"^([A-Z]{3})?$", description="ISO 4217 code, e.g. `CNY`")
    sku: str = Field("", max_length=100, description="the shop's stock-keeping unit")
    mpn: str = Field("", max_length=100, description="the manufacturer's part or model number")
    ean: Names = Field((), description="EAN, GTIN, UPC or ISBN codes, digits as printed")
    attributes: Mapping[AttributeName, Annotated[Attribute, BeforeValidator(_as_attribute)]] = Field(
        default_factory=dict, description="name → value, with unit where there is one"
    )
    images: Names = Field((), description="URLs or paths, the main one first")
    tags: Names = Field(())
    language: str = Field("", max_length=16, description="BCP 47 tag; empty means: detect from the text")
    stock: int | None = Field(None, ge=0, le=2**31 - 1, description="units on hand; none means: not tracked")
    rating: float | None = Field(None, ge=0, le=5, description="mean review score, 0 to 5")
    review_count: int | None = Field(None, ge=0, le=2**31 - 1)
    sales: int | None = Field(None, ge=0, le=2**31 - 1, description="units sold; the window is the shop's choice")
    created_at: Instant | None = None
    updated_at: Instant | None = None
    group_id: str = Field("", max_length=MAX_ID_LENGTH, description="variants of one product share it; empty: none")


VOLATILE_FIELDS = ("price", "stock", "rating", "review_count", "sales")
"""Fields that change often and touch no text: a change of these re-tokenises and re-encodes nothing."""


class ProductPatch(Frozen):
    """New values of the volatile fields of one product. Fields left out stay; `null` clears."""

    id: Id
    price: Price | None = None
    stock: int | None = Field(None, ge=0, le=2**31 - 1)
    rating: float | None = Field(None, ge=0, le=5)
    review_count: int | None = Field(None, ge=0, le=2**31 - 1)
    sales: int | None = Field(None, ge=0, le=2**31 - 1)

    @model_validator(mode="after")
    def _has_a_field(self) -> "ProductPatch":
        if len(self.model_fields_set) < 2:
            raise ValueError(f"a partial update needs at least one of {', '.join(VOLATILE_FIELDS)}")
        return self

    def values(self) -> dict[str, Any]:
        """The fields that this patch sets, by name."""
        return {name: getattr(self, name) for name in VOLATILE_FIELDS if name in self.model_fields_set}


class Change(BaseModel):
    """One entry of the change log, as the indexer reads it. The log is compacted: the latest per product."""

    model_config = ConfigDict(frozen=True)

    sequence: int = Field(description="position in the change log; grows with every committed change")
    content_sequence: int = Field(description="position of the last change beyond `VOLATILE_FIELDS`; names the content")
    number: int = Field(description="dense internal id of the product, for good")
    id: str
    product: Product | None = Field(description="the product as it is now; none when deleted")


class Context(Frozen):
    """Who asks, when and where; everything optional."""

    user_id: str | None = Field(None, max_length=256)
    session_id: str | None = Field(None, max_length=256)
    time: Instant | None = None
    locale: str | None = Field(None, max_length=35, description="BCP 47 tag of the shopper's interface")
    location: str | None = Field(None, max_length=200)
    device: str | None = Field(None, max_length=100)
    page: str | None = Field(None, max_length=500)
    segments: tuple[Annotated[str, Field(min_length=1, max_length=50)], ...] = Field(
        (), max_length=50, description="groups that the shop counts the shopper among, such as `vip`; rules may ask"
    )
    personalise: bool = Field(True, description="consent to personalised order")


class FacetRange(Frozen):
    """A half-open range `[gte, lt)` of a number facet; a missing bound is open."""

    gte: float | None = None
    lt: float | None = None


class FacetRequest(Frozen):
    """Which field to count, how many values, and for numbers in which ranges."""

    field: str = Field(min_length=1, max_length=120)
    size: int = Field(10, ge=1, le=1_000, description="values returned, most frequent first")
    ranges: tuple[FacetRange, ...] = Field((), max_length=100, description="none for numbers: quartile-like ranges")


def _as_facet(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


Sort = Literal["relevance", "price", "-price", "newest", "sales", "rating"]


class SearchRequest(Frozen):
    """What `/v1/search` accepts. An empty `q` browses."""

    q: str = Field("", max_length=MAX_QUERY_LENGTH)
    filters: Mapping[str, Any] = Field(default_factory=dict, description="filter grammar of docs/http.md")
    facets: tuple[Annotated[FacetRequest, BeforeValidator(_as_facet)], ...] = Field((), max_length=50)
    sort: Sort = Field("relevance", description="`-price` is dearest first")
    page: int = Field(1, ge=1, le=10**9)
    page_size: int = Field(20, ge=1, le=200)
    collapse: bool = Field(True, description="show one product of each variant group")
    explain: bool = False
    understand: bool = Field(True, description="false: take the words as they stand, without limits read from them")
    correct: bool = Field(True, description="false: take the words as they are spelt; without `understand` they are")
    context: Context = Context()


class FacetCount(Frozen):
    """One value or range of a facet. Filtering by it returns exactly `count` results."""

    value: str | None = Field(None, description="for keyword fields")
    gte: float | None = None
    lt: float | None = None
    count: int


class Facet(Frozen):
    """Counts of one field over the match set after filters."""

    field: str
    values: tuple[FacetCount, ...]
    other: int = Field(0, description="distinct values that exist but were not returned")


class Explanation(Frozen):
    """One node of the tree from the shopper's words to the position of a result."""

    name: str
    value: float | None = None
    detail: str = ""
    children: tuple["Explanation", ...] = ()


class Hit(Frozen):
    """One result."""

    id: str
    score: float
    product: Product
    variants: int = Field(1, description="matching products of the same group, this one included")
    highlights: Mapping[str, str] = Field(default_factory=dict, description="field → HTML-safe text with `<em>`")
    explanation: Explanation | None = None
    propensity: float | None = Field(
        None, description="the chance with which exploration put it where it stands; none: it stands there by rank"
    )


class RankRequest(Frozen):
    """What `/v1/rank` accepts: products that the caller brings, to be ordered for a query."""

    q: str = Field(min_length=1, max_length=MAX_QUERY_LENGTH)
    ids: tuple[Id, ...] = Field(min_length=1, max_length=1_000, description="products to rank; repeats count once")
    explain: bool = False
    understand: bool = Field(True, description="false: take the words as they stand")
    context: Context = Context()


class RankedItem(Frozen):
    """One product of the caller's list."""

    id: str
    score: float
    explanation: Explanation | None = None


class RankResponse(Frozen):
    """What `/v1/rank` returns."""

    items: tuple[RankedItem, ...] = Field(description="best first; equal scores in the caller's order")
    unknown: tuple[str, ...] = Field((), description="ids that the index does not hold")
    ranker: str | None = Field(None, description="version of the model; none: by words and meaning alone")
    reranker: str | None = Field(None, description="version of the model that read the first of them; none: not read")
    took_ms: float


RecommendKind = Literal["for-you", "session", "similar", "bought-together", "trending", "replenish"]


class AppliedRule(Frozen):
    """A merchandising rule that took part in an answer."""

    id: str
    name: str
    did: tuple[str, ...] = Field(description="what it asked of the search, in plain words")


class RecommendRequest(Frozen):
    """What `/v1/recommend` accepts."""

    kind: RecommendKind = "for-you"
    n: int = Field(12, ge=1, le=200)
    items: tuple[Id, ...] = Field(
        (), max_length=100, description="what it is about: the product shown, those in the cart, the latest clicks"
    )
    filters: Mapping[str, Any] = Field(default_factory=dict, description="as in a search")
    exclude: tuple[Id, ...] = Field((), max_length=1_000, description="products that must not come")
    context: Context = Context()
    explain: bool = Field(False, description="say why each product is there")


class Recommendation(Frozen):
    """One recommended product."""

    id: str
    score: float
    product: Product
    because: str | None = Field(None, description="id of the product in the shopper's history that spoke most for it")
    reason: str | None = Field(None, description="why, in the language of the interface")


class RecommendResponse(Frozen):
    """What `/v1/recommend` returns."""

    query_id: str = Field(description="to send with the events that follow, as for a search")
    kind: RecommendKind
    source: str = Field(description="what answered; `sales` where nothing was trained yet")
    items: tuple[Recommendation, ...] = Field(description="best first")
    model: str | None = Field(None, description="version of the recommender; none: there is none")
    notices: tuple[str, ...] = Field((), description="what had to be done otherwise, in plain words")
    rules: tuple[AppliedRule, ...] = Field((), description="merchandising rules that took part, strongest first")
    took_ms: float


class Interest(Frozen):
    """One thing a shopper cares about, and how much."""

    name: str
    weight: float = Field(gt=0, le=1, description="share of all that the shopper did; later actions weigh more")


class PriceBand(Frozen):
    """What a shopper's products cost, in one currency."""

    low: float = Field(ge=0, description="the tenth percentile, by weight")
    median: float = Field(ge=0)
    high: float = Field(ge=0, description="the ninetieth percentile")
    currency: str = Field(description="ISO 4217; of several the one that weighs most")


class ShopperProfile(Frozen):
    """What is known of one shopper, from the event log alone."""

    user_id: str | None = None
    session_id: str | None = None
    events: int = Field(ge=0, description="deliberate actions it rests on")
    categories: tuple[Interest, ...] = Field((), description="paths joined by ` > `, strongest first")
    brands: tuple[Interest, ...] = ()
    price_band: PriceBand | None = Field(None, description="none: no action on a product with a price")
    sizes: tuple[Interest, ...] = ()
    recent: tuple[str, ...] = Field((), description="ids of the latest products, the last one first, each once")
    will_buy: float | None = Field(None, ge=0, le=1, description="chance of a purchase later in this session")
    will_leave: float | None = Field(None, ge=0, le=1, description="chance that the latest event was the last one")
    model: str | None = Field(None, description="version of the recommender that told the two chances")
    notices: tuple[str, ...] = Field((), description="what is missing, in plain words")


class StageTime(Frozen):
    """What one stage of the pipeline took, and whether it had to fall back."""

    stage: str
    ms: float
    fallback: str | None = None


class Banner(Frozen):
    """What a merchandising rule shows beside the results."""

    rule: str = Field(description="id of the rule")
    text: str
    url: str | None = None
    image: str | None = None


class SearchResponse(Frozen):
    """What `/v1/search` returns."""

    query_id: str
    total: int = Field(description="results in the match set after filters, variants collapsed")
    total_is_exact: bool = Field(True, description="false: totals and facet counts are estimates, as a rule too low")
    hits: tuple[Hit, ...]
    facets: tuple[Facet, ...] = ()
    page: int
    page_size: int
    plan: QueryPlan | None = Field(None, description="what was understood; none when nothing was to be understood")
    notices: tuple[str, ...] = Field((), description="what was relaxed or left out, in plain words")
    redirect: str | None = Field(None, description="where a rule would send the shopper instead of showing results")
    banners: tuple[Banner, ...] = ()
    rules: tuple[AppliedRule, ...] = Field((), description="merchandising rules that took part, strongest first")
    took_ms: float
    stages: tuple[StageTime, ...] = ()
