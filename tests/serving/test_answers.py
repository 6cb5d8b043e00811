"""The bytes of an answer are the model's own JSON."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from lingsou.catalog.rows import decode, encode
from lingsou.core.frozen import assembled
from lingsou.core.plan import Constraint, QueryPlan
from lingsou.core.types import Attribute, Explanation, Facet, FacetCount, Hit, Product, SearchResponse, StageTime
from lingsou.serving.answers import json_response

NAME = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(str.strip)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
VALUE = st.booleans() | st.integers(-(2**53), 2**53) | NUMBER | NAME | st.lists(NAME, max_size=3).map(tuple)
ATTRIBUTE = st.builds(Attribute, value=VALUE, unit=st.none() | NAME)
MOMENT = st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PRODUCT = st.builds(
    Product,
    id=NAME,
    title=NAME,
    brand=st.just("") | NAME,
    category=st.lists(NAME, max_size=2).map(tuple),
    price=st.none() | st.decimals(0, 10**6, places=2) | st.just(Decimal("0.1234")),
    stock=st.none() | st.integers(0, 99),
    rating=st.none() | st.floats(0, 5),
    created_at=MOMENT,
    attributes=st.dictionaries(NAME, ATTRIBUTE, max_size=3),
)
EXPLANATION = st.recursive(
    st.builds(Explanation, name=NAME, value=st.none() | NUMBER),
    lambda children: st.builds(Explanation, name=NAME, children=st.lists(children, max_size=2).map(tuple)),
    max_leaves=4,
)


def plan(text: str) -> QueryPlan:
    limit = Constraint(
        start=0,
        end=1,
        surface="x",
        field="price",
        condition={"lte": 50, "gte": None},
        hard=True,
        source="s",
        confidence=1,
    )
    return QueryPlan(raw=text, language="zh", text=text, tokens=(text,), constraints=(limit,))


@given(st.lists(st.tuples(PRODUCT, NUMBER, st.none() | EXPLANATION), max_size=3), NAME)
def test_fields_without_a_value_left_out_and_all_else_kept(
    found: list[tuple[Product, float, Explanation | None]], text: str
) -> None:
    hits = []
    for product, score, explanation in found:
        stored = encode(product, "CNY")
        read = decode(stored.id, stored.document, stored.volatile)  # as the store hands it out
        values = {"id": read.id, "score": score, "product": read, "variants": 1, "highlights": {"title": text}}
        hits.append(assembled(Hit, {**values, "explanation": explanation}))
    counted = assembled(FacetCount, {"value": None, "gte": None, "lt": 0.5, "count": 3})
    answer = SearchResponse(
        query_id="q",
        total=len(hits),
        hits=tuple(hits),
        facets=(Facet(field="price", values=(counted,)),),
        page=1,
        page_size=20,
        plan=plan(text),
        took_ms=1.5,
        stages=(StageTime(stage="fetch", ms=0.1),),
    )
    expected = json.loads(orjson.dumps(answer.model_dump(mode="json", exclude_none=True)))
    response = json_response(answer)
    assert json.loads(bytes(response.body)) == expected
    assert response.headers["content-type"] == "application/json"


@given(PRODUCT)
def test_an_assembled_model_is_the_validated_one(product: Product) -> None:
    made = assembled(Product, dict(product.__dict__))
    assert made == product
    assert (hash(type(made)), made.model_dump(), made.model_copy(update={"stock": 1}).stock) == (
        hash(Product),
        product.model_dump(),
        1,
    )
