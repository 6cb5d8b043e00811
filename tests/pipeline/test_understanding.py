"""Plans in the pipeline: limits become filters, nothing left is relaxed and said, wishes only reorder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lingsou.catalog.store import Store
from lingsou.core.database import sqlite_url
from lingsou.core.plan import CategoryBelief, Entity, QueryPlan
from lingsou.core.settings import CorrectionUse, SearchSettings
from lingsou.core.types import Explanation, Product, SearchRequest
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding, boosts_of, vocabulary_of
from lingsou.query.expansion import MinedName, ShopNames
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.filters import FieldKind
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[SearchPipeline]:
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    understanding = Understanding(engine, SEGMENTER, "CNY")
    understanding.refresh()
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        store.upsert(tiny_catalogue())
        yield SearchPipeline(store, engine, SEGMENTER, understanding=understanding)


def ids(pipeline: SearchPipeline, q: str, **more: object) -> list[str]:
    return [hit.id for hit in pipeline.search(SearchRequest(q=q, **more)).hits]


def test_a_price_range_is_a_filter(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="T恤 55元到70元", collapse=False))
    assert [hit.id for hit in answer.hits] == ["t1"]
    assert answer.plan is not None
    assert answer.plan.text.strip() == "T恤"
    assert not answer.notices


def test_only_a_price_browses_within_it(pipeline: SearchPipeline) -> None:
    assert set(ids(pipeline, "100元以下", collapse=False)) == {"t1", "t2", "t3", "c2", "x-100"}


def test_what_is_not_wanted_is_left_out(pipeline: SearchPipeline) -> None:
    assert ids(pipeline, "不要黑色的跑步鞋", collapse=False) == ["s2", "s3"]


def test_a_limit_that_leaves_nothing_is_relaxed_and_said(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="跑步鞋 10元以下"))
    assert answer.hits
    assert "10元以下" in answer.notices[0]
    english = pipeline.search(SearchRequest(q="running shoes under $1"))
    assert english.hits
    assert all("Nothing fits" in notice for notice in english.notices)


def test_the_shoppers_own_filters_are_never_relaxed(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="跑步鞋 10元以下", filters={"brand": "Nobody"}))
    assert (answer.total, answer.notices) == (0, ())


def test_understanding_can_be_switched_off(pipeline: SearchPipeline) -> None:
    answer = pipeline.search(SearchRequest(q="T恤 55元到70元", understand=False))
    assert answer.plan is None
    assert answer.total > 1 or answer.hits[0].variants > 1


def test_a_named_brand_is_preferred_and_explained(pipeline: SearchPipeline) -> None:
    hit = pipeline.search(SearchRequest(q="orbit laptop", explain=True)).hits[0]
    assert hit.product.brand == "Orbit"
    assert hit.explanation is not None
    names = [child.name for child in hit.explanation.children[0].children]
    assert "boost" in names


def test_a_chinese_query_finds_an_english_product_by_its_words(pipeline: SearchPipeline) -> None:
    """`s3` is described in English alone, and there is no encoder; by its own words the Chinese one comes first."""
    answer = pipeline.search(SearchRequest(q="跑步鞋", explain=True))
    assert [hit.id for hit in answer.hits] == ["s1", "s3"]
    assert answer.hits[1].explanation is not None
    said = list(words(answer.hits[1].explanation))
    assert any(line.startswith("run shoe bilingual: stands for 跑步鞋") for line in said)


def words(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.name} {explanation.detail}"
    for child in explanation.children:
        yield from words(child)


def test_the_category_comes_from_words_and_best_matches(pipeline: SearchPipeline) -> None:
    """No category is called `wool`; what the word finds says that it is knitwear."""
    answer = pipeline.search(SearchRequest(q="wool", explain=True))
    assert answer.plan is not None
    assert answer.plan.categories[0].category == "Clothing > Knitwear"
    assert answer.plan.categories[0].probability > 0.5
    assert answer.hits[0].explanation is not None
    assert any("likely category: Clothing > Knitwear" in line for line in words(answer.hits[0].explanation))


def test_a_refused_category_is_not_believed(pipeline: SearchPipeline) -> None:
    asked, refused = (pipeline.search(SearchRequest(q=q)).plan for q in ("云栖 T-shirts", "云栖 不要T-shirts"))
    assert asked is not None
    assert refused is not None
    assert asked.categories[0].category == "Clothing > T-shirts"
    assert all(belief.category != "Clothing > T-shirts" for belief in refused.categories)


def test_a_plan_by_words_alone_has_categories_too(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    understanding = Understanding(engine, SEGMENTER, "CNY")
    assert understanding.understand("wool") is None
    understanding.refresh()
    plan = understanding.understand("wool")
    assert plan is not None
    assert [belief.category for belief in plan.categories] == ["Clothing > Knitwear"]


@pytest.fixture
def correcting(tmp_path: Path) -> Iterator[SearchPipeline]:
    """With what correction learns from: titles, here those of the tiny catalogue a few times over."""
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    titles = [product.title for product in tiny_catalogue()] * 10
    understanding = Understanding(engine, SEGMENTER, "CNY", titles=lambda: titles)
    understanding.refresh()
    with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
        store.upsert(tiny_catalogue())
        yield SearchPipeline(store, engine, SEGMENTER, understanding=understanding)


def test_a_misspelt_query_is_corrected_and_the_original_is_kept(correcting: SearchPipeline) -> None:
    answer = correcting.search(SearchRequest(q="runing shoes under 2000"))
    assert answer.plan is not None
    assert (answer.plan.raw, answer.plan.corrected) == ("runing shoes under 2000", "running shoes under 2000")
    assert answer.plan.text == "running shoes"
    (limit,) = answer.plan.constraints
    assert answer.plan.read[limit.start : limit.end] == limit.surface
    right = correcting.search(SearchRequest(q="running shoes under 2000"))
    assert [hit.id for hit in answer.hits] == [hit.id for hit in right.hits]
    assert right.plan is not None
    assert (right.plan.corrected, right.plan.corrections) == ("", ())


def test_words_are_searched_as_they_are_spelt_if_asked(correcting: SearchPipeline) -> None:
    answer = correcting.search(SearchRequest(q="runing shoes", correct=False))
    assert answer.plan is not None
    assert (answer.plan.corrected, answer.plan.corrections) == ("", ())
    plan = correcting.understand("runing shoes", correct=False)
    assert plan is not None
    assert plan.read == "runing shoes"


def entity(kind: str, field: str, value: str, start: int, surface: str, confidence: float = 0.9) -> Entity:
    return Entity.model_validate(
        {"kind": kind, "field": field, "values": (value,), "source": "catalogue", "confidence": confidence}
        | {"start": start, "end": start + len(surface), "surface": surface}
    )


FIELDS: dict[str, FieldKind] = dict.fromkeys(("category", "attributes.colour", "attributes.made_for"), "keyword")


def planned(raw: str, *entities: Entity, **more: object) -> list[tuple[float, str]]:
    plan = QueryPlan.model_validate(
        {"raw": raw, "language": "en", "text": raw, "tokens": (), "entities": entities} | more
    )
    return [(round(boost.weight, 4), boost.reason) for boost in boosts_of(plan, FIELDS)]


def test_one_wish_for_each_piece_of_the_query() -> None:
    """`black` is a colour or something that the product is made for; only the surer reading counts."""
    colour = entity("attribute", "attributes.colour", "Black", 0, "black")
    other = entity("attribute", "attributes.made_for", "Black", 0, "black", 0.6)
    assert planned("black", other, colour) == [(0.027, "attributes.colour: black")]


def test_a_product_word_weighs_more_than_a_property_and_all_together_most() -> None:
    bag = entity("category", "category", "Bags", 6, "bag")
    colour = entity("attribute", "attributes.colour", "Black", 0, "black")
    assert planned("black bag", colour, bag) == [
        (0.027, "attributes.colour: black"),
        (0.054, "category: bag"),
        (0.4, "all of attributes.colour: black, category: bag"),
    ]


@pytest.mark.parametrize("raw", ["laptop sleeve", "laptop bag"])
def test_a_product_word_before_another_is_no_wish(raw: str) -> None:
    """A sleeve is none of this catalogue's words, a bag is; either way no laptop is wanted."""
    laptop = entity("category", "category", "Laptops", 0, "laptop")
    bag = entity("category", "category", "Bags", 7, "bag")
    assert "category: laptop" not in [reason for _, reason in planned(raw, laptop, *([bag] if "bag" in raw else []))]
    assert planned("laptop for work", laptop) == [(0.054, "category: laptop")]


def test_a_category_that_is_not_sure_lifts_nothing() -> None:
    for probability, expected in ((0.49, []), (0.6, [(0.06, "likely category: Bags (0.60)")])):
        assert planned("thing", categories=(CategoryBelief(category="Bags", probability=probability),)) == expected


def test_units_are_read_off_the_labels(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path, "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    vocabulary = vocabulary_of(engine.contents())
    screen = vocabulary.numbers["attributes.screen"]
    assert (screen.count, dict(screen.units), screen.low, screen.high) == (3, {"inch": 3}, 14, 17.3)
    assert vocabulary.fields["brand"]["Orbit"] == 2


def test_names_that_were_mined_widen_a_search_at_the_next_refresh_and_can_be_dropped(tmp_path: Path) -> None:
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes([Product(id="1", title="grey davenport"), Product(id="2", title="grey chesterfield")]))
    files = tmp_path / "mined_names.tsv", tmp_path / "dropped_names.tsv"
    understanding = Understanding(engine, SEGMENTER, "CNY", names=ShopNames(*files, SEGMENTER, ("searches",)))
    understanding.refresh()

    def found() -> dict[str, str]:
        with Store.open(sqlite_url(tmp_path / "store.sqlite3")) as store:
            store.upsert([Product(id="1", title="grey davenport"), Product(id="2", title="grey chesterfield")])
            pipeline = SearchPipeline(store, engine, SEGMENTER, understanding=understanding)
            hits = pipeline.search(SearchRequest(q="davenport", explain=True)).hits
            return {hit.id: str(hit.explanation) for hit in hits}

    assert list(found()) == ["1"]
    writer = ShopNames(*files, SEGMENTER, ())
    writer.replace([MinedName(phrase="davenport", name="chesterfield", weight=0.5, source="searches", evidence=4)])
    assert list(found()) == ["1"]
    understanding.refresh()
    assert list(found()) == ["1", "2"]
    assert "searches: stands for davenport, worth 0.5 of it" in found()["2"]
    (expansion,) = understanding.plan("davenport").expansions  # type: ignore[union-attr]
    assert (expansion.of, expansion.term, expansion.source) == ("davenport", "chesterfield", "searches")
    writer.drop("davenport", "chesterfield")
    understanding.refresh()
    assert list(found()) == ["1"]
    files[0].write_text("no table\n", encoding="utf-8")
    understanding.refresh()  # is logged, and fails nothing


@pytest.mark.parametrize(
    ("use", "corrected", "suggested"), [("apply", "headphones", ""), ("offer", "", "headphones"), ("never", "", "")]
)
def test_what_becomes_of_a_sure_correction_is_a_setting(
    tmp_path: Path, use: CorrectionUse, corrected: str, suggested: str
) -> None:
    titles = ["wireless headphones black"] * 40 + ["grey sofa"] * 40
    products = [Product(id=str(n), title=title) for n, title in enumerate(titles)]
    engine = EmbeddedEngine(tmp_path / "index", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(products))
    understanding = Understanding(engine, SEGMENTER, "CNY", titles=lambda: titles, correct=use)
    understanding.refresh()
    plan = understanding.plan("haedphones")
    assert plan is not None
    assert (plan.corrected, plan.suggested) == (corrected, suggested)
    assert all(each.applied == (use == "apply") for each in plan.corrections)


def test_a_plan_is_made_once_until_the_catalogue_changes(pipeline: SearchPipeline, tmp_path: Path) -> None:
    """The very same plan comes back for the same words; other spelling of them, or a new catalogue, makes it anew."""
    understanding = pipeline._understanding
    assert understanding is not None
    first = understanding.plan("黑色 跑步鞋")
    assert understanding.plan("  黑色 跑步鞋 ") is first
    assert understanding.plan("黑色  跑步鞋") is not first
    assert understanding.plan("黑色 跑步鞋", correct=False) == first
    engine = EmbeddedEngine(tmp_path / "other", "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes(tiny_catalogue()))
    again = Understanding(engine, SEGMENTER, "CNY")
    again.refresh()
    before = again.plan("Lumora shoes")
    engine.apply(as_changes([Product(id="new", title="Lumora shoes", brand="Lumora")], first=1_000))
    assert again.plan("Lumora shoes") is before
    again.refresh(at_once=True)
    after = again.plan("Lumora shoes")
    assert after is not None
    assert [entity.values for entity in after.entities if entity.field == "brand"] == [("Lumora",)]


def test_many_are_understood_as_one_is(pipeline: SearchPipeline) -> None:
    queries = ["黑色跑步鞋", " ", "running shoes under $60"]
    assert pipeline.understand_all(queries) == [pipeline.understand(q) for q in queries]
    assert pipeline.without("understanding").understand_all(queries) == [None] * 3


def test_width_and_case_cost_nothing(pipeline: SearchPipeline) -> None:
    """Full width and capitals are read as the plain words are: terms, limits, and the values of names."""
    wide = {place: place + 0xFEE0 for place in range(0x21, 0x7F)}

    def read(q: str) -> tuple[object, ...]:
        plan = pipeline.understand(q)
        assert plan is not None
        limits = [(each.field, each.condition, each.hard) for each in plan.constraints]
        names = [(each.start, each.end, each.field, each.values, each.negated) for each in plan.entities]
        return plan.tokens, limits, names, plan.categories, {(each.term, each.weight) for each in plan.expansions}

    queries = ("black running shoes under 300", "kestrel trail running shoes", "黑色t恤 50元到100元", "power bank")
    for q in queries:
        assert read(q)[0]
        assert read(q.translate(wide)) == read(q.upper()) == read(q), q
