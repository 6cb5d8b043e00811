import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from lingsou.core.errors import ConfigurationError
from lingsou.training.neural.vocabulary import pieces_to_keep, prune_tokenizer, vocabulary_fit
from tests.training.neural.conftest import SPECIAL, tiny_tokenizer

WHOLE = tiny_tokenizer()
SHOP = ("red dress", "black running shoe 42")


def cut(tokenizer: bytes, texts: tuple[str, ...]) -> list[tuple[list[str], list[tuple[int, int]]]]:
    found = Tokenizer.from_str(tokenizer.decode())
    return [(each.tokens, each.offsets) for each in found.encode_batch(list(texts))]


def ids(tokenizer: bytes, texts: tuple[str, ...]) -> set[int]:
    found = Tokenizer.from_str(tokenizer.decode())
    return {number for each in found.encode_batch(list(texts)) for number in each.ids}


def test_what_is_kept() -> None:
    """The pieces used, special ones, digits and signs, and every Latin letter; no Chinese: the shop has none."""
    kept = pieces_to_keep(WHOLE, ids(WHOLE, SHOP))
    pieces = [piece for piece, _ in orjson.loads(WHOLE)["model"]["vocab"]]
    names = {pieces[number] for number in kept}
    assert names >= {*SPECIAL, "<mask>", "▁red", "▁dress", "▁black", "▁running", "▁shoe", "4", "2", "7", ",", "q", "▁"}
    assert not names & {"▁blue", "▁nike", "红", "红色", "连衣裙"}
    assert kept == sorted(kept)
    chinese = pieces_to_keep(WHOLE, ids(WHOLE, ("红色",)))
    assert {"红色", "红", "裙", "小"} <= {pieces[number] for number in chinese}
    assert "q" not in {pieces[number] for number in chinese}


def test_ids_and_special_tokens_match() -> None:
    kept = pieces_to_keep(WHOLE, ids(WHOLE, SHOP))
    small, large = (Tokenizer.from_str(text.decode()) for text in (prune_tokenizer(WHOLE, kept), WHOLE))
    assert small.get_vocab_size() == len(kept)
    for place, number in enumerate(kept):
        assert small.id_to_token(place) == large.id_to_token(number)
    assert small.id_to_token(small.encode("red").ids[1]) == "▁red"
    assert small.encode("鼠<mask>").tokens == ["<s>", "▁", "鼠", "<mask>", "</s>"]
    assert small.encode("鼠<mask>").ids == [
        small.token_to_id(piece) for piece in ("<s>", "▁", "<unk>", "<mask>", "</s>")
    ]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text([*"abcdehkrs 4红黑色连衣裙鞋鼠!é"], max_size=30), min_size=1, max_size=4))
def test_a_shop_s_own_texts_are_cut_as_before(texts: list[str]) -> None:
    """Whatever they are, unknown characters too."""
    shop = (*texts, *SHOP)
    small = prune_tokenizer(WHOLE, pieces_to_keep(WHOLE, ids(WHOLE, shop)))
    assert cut(small, shop) == cut(WHOLE, shop)


def test_how_it_fits_what_comes_later() -> None:
    """`blue` falls into letters, `红` is unknown where no Chinese was seen: 1 of 5 + 1 tokens."""
    small = prune_tokenizer(WHOLE, pieces_to_keep(WHOLE, ids(WHOLE, SHOP)))
    whole, pruned = (vocabulary_fit(tokenizer, ["blue", "红"]) for tokenizer in (WHOLE, small))
    assert (whole.unknown, whole.tokens) == (0.0, 1.5)  # ▁blue; ▁ 红
    assert pruned.tokens == 3.5  # ▁ b l u e; ▁ <unk>
    assert pruned.unknown == pytest.approx(1 / 7)
    assert vocabulary_fit(WHOLE, []).tokens == 0


def word_piece() -> bytes:
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "red",
        "shoe",
        "##s",
        "##e",
        "blue",
        "##ish",
        "r",
        "b",
        "x",
        "红",
        "5",
    ]
    tokenizer = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    return str(tokenizer.to_str()).encode()


def test_word_pieces() -> None:
    whole = word_piece()
    shop = ("red shoes", "redish")
    kept = pieces_to_keep(whole, ids(whole, shop))
    small = prune_tokenizer(whole, kept)
    assert cut(small, shop) == cut(whole, shop)
    tokens = set(Tokenizer.from_str(small.decode()).get_vocab())
    assert tokens == {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "red", "shoe", "##s", "##e", "##ish", "r", "b", "x", "5"}
    (ending,) = (found.ids[-1] for found in [Tokenizer.from_str(small.decode()).encode("red")])
    assert Tokenizer.from_str(small.decode()).id_to_token(ending) == "[SEP]"
    assert vocabulary_fit(small, ["red 红"]).unknown == 0.5


def test_merges_cannot_be_cut_down() -> None:
    tokenizer = Tokenizer(models.BPE())
    with pytest.raises(ConfigurationError, match="BPE") as caught:
        pieces_to_keep(tokenizer.to_str().encode(), [])
    assert "whole" in str(caught.value.cure)
