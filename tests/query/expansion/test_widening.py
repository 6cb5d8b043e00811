"""Mined names only widen: nothing that was found is lost, and no name outranks the words in its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.settings import SearchSettings
from lingsou.core.types import Product
from lingsou.query import CatalogLexicon, Understander, Vocabulary
from lingsou.query.expansion import MINED_SOURCES, MinedName, NameLookup
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
LEXICON = CatalogLexicon(Vocabulary({}), SEGMENTER)
WORDS = ("davenport", "chesterfield", "settee", "amber", "birch", "cedar", "dune")
phrase = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True).map(" ".join)
rows = st.builds(
    MinedName,
    phrase=phrase,
    name=phrase,
    weight=st.floats(0.01, 0.99),
    source=st.sampled_from(MINED_SOURCES),
    evidence=st.just(3),
)


@settings(max_examples=40)
@given(
    mined=st.lists(rows, max_size=6),
    name=st.lists(st.sampled_from(WORDS[1:3]), min_size=1, max_size=2, unique=True).map(" ".join),
    weight=st.floats(0.01, 0.99),
    around=st.lists(st.sampled_from(WORDS[3:]), max_size=4),
    others=st.lists(phrase, min_size=1, max_size=15),
    asked=st.sampled_from(["davenport", "davenport amber", "elm davenport birch"]),
)
def test_mined_names_only_widen_and_never_outrank_the_words(
    tmp_path_factory: pytest.TempPathFactory,
    mined: list[MinedName],
    name: str,
    weight: float,
    around: list[str],
    others: list[str],
    asked: str,
) -> None:
    """Two products that differ in nothing but the name of the thing; any other names beside it."""
    titles = {
        "word": " ".join(["davenport"] * len(name.split()) + around),
        "name": " ".join([name, *around]),
    } | {f"other {n}": title for n, title in enumerate(others)}
    engine = EmbeddedEngine(tmp_path_factory.mktemp("index"), "s", SEGMENTER, SearchSettings())
    engine.apply(as_changes([Product(id=id_, title=title) for id_, title in titles.items()]))
    own = MinedName(phrase="davenport", name=name, weight=weight, source="searches", evidence=3)
    found = scores(engine, asked, [own])
    assert "word" in found or "name" not in found
    assert found.get("word", 0.0) >= found.get("name", 0.0) - 1e-6
    plain = scores(engine, asked, [])
    assert plain.keys() <= scores(engine, asked, [own, *mined]).keys()


def scores(engine: EmbeddedEngine, asked: str, names: list[MinedName]) -> dict[str, float]:
    lookup = NameLookup(names, SEGMENTER, (), MINED_SOURCES)
    plan = Understander(LEXICON, SEGMENTER, names=lambda: lookup).understand(asked)
    found = engine.search(EngineQuery(text=plan.text, expansions=plan.expansions, limit=100)).candidates
    return dict(zip(found.ids, found.scores.tolist(), strict=True))
