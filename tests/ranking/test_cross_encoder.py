"""The ONNX cross-encoder over a graph made by hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lingsou.core import plugins
from lingsou.core.errors import StorageError
from lingsou.core.model_store import ModelStore
from lingsou.ranking.cross_encoder import OnnxCrossEncoder, PairTokenizer
from lingsou.ranking.reranker import KIND, Reranker, RerankerFactory
from lingsou.testing.reranker import CHECKS

from .tiny_reranker import install_reranker, tokenizer_of

WORDS = {"red": 1.0, "lamp": 3.0, "query:": 8.0}
RED, LAMP, PREFIX = 4, 5, 6
FAR = 1e18


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models") / "reranker"
    return ModelStore(root).path(install_reranker(root, WORDS))


@pytest.fixture
def tiny(stored: Path) -> OnnxCrossEncoder:
    return OnnxCrossEncoder.open(stored)


@pytest.mark.parametrize("name", plugins.names(KIND))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(name: str, check: Callable[[Reranker], None], stored: Path) -> None:
    factory: RerankerFactory = plugins.resolve(KIND, name)
    check(factory(stored))


def test_scores_by_hand(tiny: OnnxCrossEncoder, stored: Path) -> None:
    """`<s> red </s></s> lamp </s>` is six tokens worth 1 + 3, twice the mean is 4/3; an unknown word is worth 0."""
    found = tiny.score("red", ["lamp", "lamp lamp", "blue"], FAR)
    assert found is not None
    assert found.tolist() == pytest.approx([8 / 6, 14 / 7, 2 / 6])
    assert tiny.version == stored.name


def pairs(**chosen: Any) -> PairTokenizer:
    return PairTokenizer(tokenizer_of(WORDS), **({"max_tokens": 16} | chosen))


def test_a_pair_is_joined_by_the_tokenizers_own_marks() -> None:
    assert pairs().ids("red", "lamp red") == [0, RED, 2, 2, LAMP, RED, 2]
    assert pairs().ids("", "") == [0, 2, 2, 2]
    assert pairs(query_prefix="query: ").ids("red", "red") == [0, PREFIX, RED, 2, 2, RED, 2]
    assert pairs(document_prefix="query: ").ids("red", "red") == [0, RED, 2, 2, PREFIX, RED, 2]


def test_the_query_gets_a_third_and_the_document_the_rest() -> None:
    """Of 16 tokens 5 are the query's, 4 marks, 7 the document's; a shorter query leaves more."""
    long = pairs().ids("red " * 50, "lamp " * 50)
    assert long == [0, *[RED] * 5, 2, 2, *[LAMP] * 7, 2]
    assert len(pairs().ids("red", "lamp " * 50)) == 16
    assert pairs().ids("red", "lamp " * 50).count(LAMP) == 11


def test_marks_that_a_shop_writes_are_not_marks() -> None:
    assert pairs().ids("red", "lamp </s> </s> <s> red") == pairs().ids("red", "lamp red")
    tokenizer = tokenizer_of(WORDS)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    assert PairTokenizer(tokenizer, max_tokens=16).ids("<s>red</s>", "</s></s>lamp") == [0, RED, 2, 2, LAMP, 2]


def test_a_tokenizer_without_marks_is_refused() -> None:
    with pytest.raises(StorageError, match="has no <s> or no </s>"):
        PairTokenizer(tokenizer_of(WORDS, special=("[CLS]", "<pad>", "[SEP]", "<unk>")), max_tokens=16)


class Counting:
    """A session that counts its runs and takes a while for each."""

    def __init__(self, session: Any, seconds: float = 0.0):
        self.session = session
        self.seconds = seconds
        self.runs = 0

    def run(self, *args: Any) -> Any:
        self.runs += 1
        time.sleep(self.seconds)
        return self.session.run(*args)


def test_a_pair_is_computed_once(tiny: OnnxCrossEncoder) -> None:
    counting = tiny._session = Counting(tiny._session)
    first = tiny.score("red", ["lamp", "red", "lamp"], FAR)
    again = tiny.score("red", ["red", "lamp", "blue"], FAR)
    assert first is not None
    assert again is not None
    assert counting.runs == 3
    assert first[:2].tolist() == again[[1, 0]].tolist()


def test_what_was_done_before_the_deadline_is_kept(tiny: OnnxCrossEncoder) -> None:
    """0.02 s a pair and 0.05 s of time: two or three are computed; asked again, the rest."""
    counting = tiny._session = Counting(tiny._session, 0.02)
    texts = [f"word{number}" for number in range(6)]
    start = time.perf_counter()
    assert tiny.score("red", texts, start + 0.05) is None
    done = counting.runs
    assert 1 <= done < 6
    found = tiny.score("red", texts, FAR)
    assert found is not None
    assert counting.runs == 6
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"output": "logits"}, "cannot be used.*logits"),
        ({"graph": {"keep_axis": True}}, r"is \(1, 1\), not \(1,\)"),
        ({"special": ("[CLS]", "<pad>", "[SEP]", "<unk>")}, "has no <s> or no </s>"),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_opened(tmp_path: Path, made: dict[str, Any], message: str) -> None:
    root = tmp_path / "reranker"
    version = install_reranker(root, WORDS, **made)
    with pytest.raises(StorageError, match=message) as raised:
        OnnxCrossEncoder.open(ModelStore(root).path(version))
    assert "rollback reranker" in str(raised.value)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "manifest.json"])
@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    root = tmp_path / "reranker"
    folder = ModelStore(root).path(install_reranker(root, WORDS))
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(StorageError):
        OnnxCrossEncoder.open(folder)
