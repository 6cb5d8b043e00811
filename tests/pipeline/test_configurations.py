"""Configurations in words and files, and the one that needs another view of the index."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lingsou.core.errors import InputError
from lingsou.core.settings import SearchSettings
from lingsou.core.types import Product, SearchRequest
from lingsou.pipeline.configurations import CONFIGURATIONS, Configuration, described
from lingsou.pipeline.search import SearchPipeline
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter


def test_names_words_and_files(tmp_path: Path) -> None:
    assert described("words-only") is CONFIGURATIONS["words-only"]
    assert described("lexical_weight=0.3, rules=none") == Configuration(
        name="lexical_weight=0.3, rules=none", rules="none", lexical_weight=0.3
    )
    words = described("words-only,understand=true")
    assert (words.understand, words.meaning, words.ranking) == (True, False, False)
    assert not described("ranking=off").ranking
    file = tmp_path / "bold.toml"
    file.write_text('understand = false\nrules = "draft"\n', encoding="utf-8")
    assert described(str(file)) == Configuration(name="bold", understand=False, rules="draft")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing-such", "no configuration 'nothing-such'"),
        ("lexical_weight=heavy", "wrong at 'lexical_weight'"),
        ("lexical_weight=9", "wrong at 'lexical_weight'"),
        ("live,colour=red", "wrong at 'colour'"),
        ("rules=", "wrong at 'rules'"),
        ("missing.toml", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        described(text)
    assert caught.value.cure


def test_another_weight_of_words_scores_as_an_engine_of_that_weight(tmp_path: Path) -> None:
    segmenter, products = Segmenter(), {product.id: product for product in tiny_catalogue()}

    class Products:
        def get(self, ids: Sequence[str]) -> dict[str, Product]:
            return {each: products[each] for each in ids}

    def scores(pipeline: SearchPipeline) -> list[float]:
        return [hit.score for hit in pipeline.search(SearchRequest(q="跑步鞋 黑色")).hits]

    light, heavy = (
        EmbeddedEngine(tmp_path / str(weight), "s", segmenter, SearchSettings(lexical_weight=weight))
        for weight in (0.4, 0.8)
    )
    for engine in (light, heavy):
        engine.apply(as_changes(tiny_catalogue()))
    lighter, heavier = (SearchPipeline(Products(), engine, segmenter) for engine in (light, heavy))
    assert scores(lighter.over(light.weighing(0.8))) == scores(heavier) != scores(lighter)
