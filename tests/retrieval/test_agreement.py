"""Our BM25 against the library `bm25s` on the same terms."""

from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.core.settings import FieldWeights, SearchSettings
from lingsou.core.types import Product
from lingsou.retrieval.engine import EngineQuery
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes
from lingsou.text.segment import Segmenter

SEGMENTER = Segmenter()
WORDS = ["shoe", "red", "lamp", "desk", "充电宝", "男士", "kite"]
titles = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=2, max_size=25)


@settings(max_examples=60, deadline=None)
@given(
    titles=titles,
    query=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True),
    weight=st.integers(1, 3),
    k1=st.sampled_from([0.9, 1.2, 2.0]),
    b=st.sampled_from([0.0, 0.4, 0.75, 1.0]),
)
def test_scores_are_those_of_bm25s(
    tmp_path_factory: pytest.TempPathFactory, titles: list[str], query: list[str], weight: int, k1: float, b: float
) -> None:
    """A field of weight w counts as if it were repeated w times; Lucene's form leaves the factor k1 + 1 out."""
    folder: Path = tmp_path_factory.mktemp("index")
    weights = FieldWeights(
        title=weight, brand=1, short_description=0, identifiers=0, category=0, attributes=0, description=0
    )
    engine = EmbeddedEngine(folder, "s", SEGMENTER, SearchSettings(weights=weights, k1=k1, b=b, coverage=0))
    engine.apply(as_changes([Product(id=f"p{n}", title=title, brand="lamp") for n, title in enumerate(titles)]))
    corpus = [SEGMENTER.terms(title) * weight + ["lamp"] for title in titles]
    library = bm25s.BM25(method="lucene", k1=k1, b=b)  # type: ignore[no-untyped-call]
    library.index(corpus, show_progress=False)
    terms = [term for text in query for term in SEGMENTER.terms(text) if term in library.vocab_dict]
    expected = library.get_scores(terms) * (k1 + 1) if terms else np.zeros(len(titles))
    found = engine.search(EngineQuery(text=" ".join(query), limit=100)).candidates
    scores = dict(zip((int(number) - 1 for number in found.numbers), found.legs["lexical"].tolist(), strict=True))
    assert scores == pytest.approx({n: score for n, score in enumerate(expected.tolist()) if score > 0}, rel=1e-4)
    ours = sorted(scores, key=lambda n: (-round(scores[n], 4), n))
    theirs = sorted(scores, key=lambda n: (-round(float(expected[n]), 4), n))
    assert ours == theirs
