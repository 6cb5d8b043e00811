"""A model small enough to be trained in a test: 2 layers of 32, and pieces for a handful of words in two languages."""

from collections.abc import Iterator

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from lingsou.training.neural.base import Base
from lingsou.training.neural.text_model import TextModel

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LETTERS = "▁abcdefghijklmnopqrstuvwxyz0123456789:,.-红黑白蓝色连衣裙运动鞋手机壳苹果华为耐克男女童小米的"
WORDS = (
    "▁query", "▁passage", "▁red", "▁black", "▁white", "▁blue", "▁dress", "▁shoe", "▁phone", "▁case", "▁apple", "▁nike",
    "▁women", "▁men", "▁small", "▁large", "▁running", "▁leather", "▁cheap", "▁good", "▁bad",
    "红色", "黑色", "连衣裙", "运动鞋", "手机壳", "苹果", "华为", "耐克", "男鞋", "色连",
)  # fmt: skip


def tiny_tokenizer() -> bytes:
    """A Unigram `tokenizer.json` of the shape of XLM-R's: pieces above, single characters, `<s> … </s>`, `<mask>`."""
    pieces = [(text, 0.0) for text in SPECIAL]
    pieces += [(text, -10.0) for text in LETTERS]
    pieces += [(text, -8.0) for text in WORDS]
    pieces += [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.add_special_tokens([*SPECIAL, "<mask>"])
    return str(tokenizer.to_str()).encode()


def make_tiny_base(seed: int = 0) -> Base:
    """A random encoder, always the same for one seed."""
    tokenizer = tiny_tokenizer()
    config = BertConfig(
        vocab_size=Tokenizer.from_str(tokenizer.decode()).get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,  # far enough apart to tell texts from each other untrained
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BertModel(config, add_pooling_layer=False)
        model.train(mode=False)
    return Base("tiny", model, tokenizer, "query: ", "passage: ", licence="none", published="tiny")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny_base() -> Base:
    return make_tiny_base()


@pytest.fixture
def tiny_model(tiny_base: Base) -> TextModel:
    return TextModel(tiny_base)
