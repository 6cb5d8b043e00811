"""Spans: aligned with tokens, learned with and without the CRF, measured as worked by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lingsou.core.errors import ConfigurationError, InputError
from lingsou.core.manifests import ModelManifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.models.tagger import Chain, best_path, bio_chain, tagged_spans
from lingsou.pipeline.tagging import Tagger
from lingsou.training.examples import Span, Splits, TagSet
from lingsou.training.neural.export import export_encoder
from lingsou.training.neural.tasks.tagging import TaggingTask, TagHead
from lingsou.training.neural.text_model import TextModel
from tests.training.neural.tasks.learning import learn, same_batches, spec

BRANDS, PRODUCTS = ("耐克", "苹果", "华为", "小米", "nike", "apple"), ("手机壳", "连衣裙", "运动鞋", "shoe")


def tagged(text: str, **kinds: str) -> tuple[str, tuple[Span, ...]]:
    """The text, and where the words that are named lie in it."""
    spans = [Span(text.index(word), text.index(word) + len(word), kind) for kind, word in kinds.items()]
    return text, tuple(sorted(spans, key=lambda span: span.start))


def set_of(*rows: tuple[str, tuple[Span, ...]]) -> TagSet:
    return TagSet(tuple(text for text, _ in rows), tuple(spans for _, spans in rows))


ROWS = [
    tagged(f"{brand} {'红色' if number % 2 else 'good'} {product}", brand=brand, product=product)
    for number, (brand, product) in enumerate((b, p) for b in BRANDS for p in PRODUCTS)
][:20]


def task_of(model: TextModel, train: TagSet, held: TagSet | None = None, **changes: object) -> TaggingTask:
    held = held or train
    return TaggingTask("entities", spec("tags", **changes), Splits(train, held, held), model)


def head_of(task: TaggingTask, model: TextModel) -> TagHead:
    head = task.head(model.hidden)
    assert isinstance(head, TagHead)
    return head


@pytest.mark.parametrize("crf", [False, True])
def test_spans_are_learned(tiny_model: TextModel, crf: bool) -> None:
    task = task_of(tiny_model, set_of(*ROWS), crf=crf)
    learned = learn(task, tiny_model, steps=60, rate=5e-3)
    assert learned.losses[-1] < 0.2 * learned.losses[0]
    found = task.evaluate(tiny_model, learned.head, "test")
    assert found.values == {"f1": 1.0, "precision": 1.0, "recall": 1.0, "reachable": 1.0}
    assert found.slices["kind: brand"]["f1"] == 1.0
    assert found.worst[0].expected == found.worst[0].found


def test_the_seed_decides_the_batches(tiny_model: TextModel) -> None:
    same_batches(task_of(tiny_model, set_of(*ROWS)))


def tags_of(task: TaggingTask, row: int) -> list[str]:
    return [task.tags[number] for number in task._tags["train"][row]]


def test_tags_follow_the_pieces(tiny_model: TextModel) -> None:
    """The piece of the space in front of a Chinese word is outside; in front of an English one it is part of it."""
    task = task_of(
        tiny_model, set_of(tagged("good 华为 nike 手机壳", brand="华为", product="手机壳"), tagged("连", x="连"))
    )
    # ▁good ▁ 华为 ▁nike ▁ 手机壳
    assert tags_of(task, 0) == ["O", "O", "B-brand", "O", "O", "B-product"]
    assert tags_of(task, 1) == ["B-x"]


def test_neighbours_begin_anew_and_a_space_inside_goes_on(tiny_model: TextModel) -> None:
    rows = set_of(
        ("华为苹果", (Span(0, 2, "brand"), Span(2, 4, "brand"))),
        ("红色 连衣裙", (Span(0, 6, "product"),)),
    )
    task = task_of(tiny_model, rows)
    assert tags_of(task, 0) == ["B-brand", "B-brand"]
    assert tags_of(task, 1) == ["B-product", "I-product", "I-product"]


def test_a_piece_across_a_border_belongs_to_whom_it_covers_by_half(tiny_model: TextModel) -> None:
    """`手机壳` is one piece: a span of `壳` has a third of it and is lost, one of `手机` has two and becomes three."""
    rows = set_of(("手机壳", (Span(2, 3, "x"),)), ("手机壳", (Span(0, 2, "x"),)), ("手机壳", (Span(0, 3, "x"),)))
    task = task_of(tiny_model, rows)
    assert [tags_of(task, row) for row in range(3)] == [["O"], ["B-x"], ["B-x"]]
    found = task.evaluate(tiny_model, task.head(tiny_model.hidden), "test")
    assert found.values["reachable"] == pytest.approx(1 / 3)


def test_a_cut_text_loses_the_spans_behind_the_cut(tiny_model: TextModel) -> None:
    """Eight tokens: <s> ▁query : ▁ 红色 红色 红色 </s>."""
    rows = set_of(("红色红色红色华为", (Span(2, 4, "x"), Span(6, 8, "x"))))
    task = task_of(tiny_model, rows, max_tokens=8)
    assert tags_of(task, 0) == ["O", "B-x", "O"]
    assert task.evaluate(tiny_model, task.head(tiny_model.hidden), "test").values["reachable"] == 0.5


def test_figures_by_hand(tiny_model: TextModel) -> None:
    """A head that calls each token the beginning of a brand.

    `华为手机壳` has two pieces and two spans: the brand is right, the product is not. `红色` has none. Found 3, right
    1, expected 2: precision 1/3, recall 1/2, F1 2/5; of brands alone 1/3, 1, 1/2.
    """
    train = set_of(*ROWS)
    held = set_of(tagged("华为手机壳", brand="华为", product="手机壳"), ("红色", ()))
    task = task_of(tiny_model, train, held)
    head = head_of(task, tiny_model)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([0.0, 9.0, 0.0, 0.0, 0.0]))
    found = task.evaluate(tiny_model, head, "validation")
    assert found.values == pytest.approx({"f1": 0.4, "precision": 1 / 3, "recall": 0.5, "reachable": 1.0})
    assert found.slices["kind: brand"] == pytest.approx(
        {"f1": 0.5, "precision": 1 / 3, "recall": 1.0, "reachable": 1.0}
    )
    assert found.slices["kind: product"]["f1"] == 0.0
    first = found.worst[0]  # one of its two tokens is off by 9, in `红色` the only one
    assert (first.text, first.expected) == ("华为手机壳", "华为 (brand), 手机壳 (product)")
    assert first.found == "华为 (brand), 手机壳 (brand)"


def test_a_text_without_tokens_is_no_trouble(tiny_model: TextModel) -> None:
    rows = set_of(("", ()), *ROWS[:3])
    for crf in (False, True):
        task = task_of(tiny_model, rows, crf=crf)
        head = task.head(tiny_model.hidden)
        assert task.loss(tiny_model, head, np.arange(4)).isfinite()
        assert task.loss(tiny_model, head, np.array([0])).item() == 0.0
        assert task.evaluate(tiny_model, head, "test").rows == 4


@pytest.mark.parametrize("crf", [False, True])
def test_what_is_exported_gives_the_same_spans(tiny_model: TextModel, crf: bool) -> None:
    """As serving does it: states of the text's own tokens, a linear layer, the best path, spans; in NumPy."""
    train = set_of(*ROWS)
    task = task_of(tiny_model, train, crf=crf)
    learned = learn(task, tiny_model, steps=8)
    exported = task.export(learned.head)
    assert (exported.over, exported.manifest.kind) == ("states", "tags")
    assert exported.manifest.labels == ("O", "B-brand", "I-brand", "B-product", "I-product")
    chain = bio_chain(exported.manifest.labels)
    if crf:
        chain = chain + Chain(*(exported.crf[name].numpy() for name in ("start", "end", "transitions")))
    right = found = 0
    for text, expected in zip(train.texts, train.spans, strict=True):
        encoding = tiny_model.cutter.encode([text], prefix="query: ", max_tokens=32)[0]
        with torch.no_grad():
            states = tiny_model(tiny_model.queries([text], 32).batch(np.array([0])))[0].numpy()
        offsets = np.clip(np.array(encoding.offsets) - len("query: "), 0, len(text))
        own = offsets[:, 1] > offsets[:, 0]
        logits = states[own] @ exported.weight.numpy().T + exported.bias.numpy()
        spans = tagged_spans(best_path(logits, chain), exported.manifest.labels, offsets[own], text)
        right += len({(s.start, s.end, s.kind) for s in spans} & {(s.start, s.end, s.kind) for s in expected})
        found += len(spans)
    values = task.evaluate(tiny_model, learned.head, "test").values
    assert values["precision"] == pytest.approx(right / found)
    assert values["recall"] == pytest.approx(right / 40)


def test_what_cannot_be_learned_is_refused(tiny_model: TextModel) -> None:
    with pytest.raises(InputError, match="name no span"):
        task_of(tiny_model, set_of(("红色", ())))
    for spans in ((Span(0, 3, "x"),), (Span(1, 1, "x"),), (Span(0, 2, "x"), Span(1, 2, "x"))):
        with pytest.raises(InputError, match=r"row 0.*overlaps"):
            task_of(tiny_model, set_of(("红色", spans)))
    with pytest.raises(ConfigurationError, match="no loss 'crf'"):
        task_of(tiny_model, set_of(*ROWS), loss="crf")


def test_scores_are_those_of_the_evaluation(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, set_of(*ROWS), crf=True)
    learned = learn(task, tiny_model, steps=60, rate=5e-3)
    chain = task.chain(learned.head)
    for (logits, offsets), (text, spans) in zip(task.scores(tiny_model, learned.head, "test"), ROWS, strict=True):
        path = best_path(logits, chain)
        found = [Span(each.start, each.end, each.kind) for each in tagged_spans(path, task.tags, offsets, text)]
        assert tuple(found) == spans


def test_the_export_says_what_tags_mean(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, set_of(*ROWS), role="entities", meanings={"brand": "attributes.maker"})
    manifest = task.export(head_of(task, tiny_model)).manifest
    assert (manifest.role, manifest.meanings) == ("entities", {"brand": "attributes.maker"})


def test_characters_tag_beside_the_encoder(tiny_model: TextModel) -> None:
    """The encoder learns next to nothing in two steps; the CRF over characters knows the training texts by heart."""
    pytest.importorskip("pycrfsuite")
    task = task_of(tiny_model, set_of(*ROWS), crf=True, characters=True)
    learned = learn(task, tiny_model, steps=2, rate=1e-4)
    assert task.evaluate(tiny_model, learned.head, "test").values["f1"] < 0.5
    assert task.together(learned.head) is None
    share = task.calibrate(tiny_model, learned.head)
    assert task.evaluate(tiny_model, learned.head, "test").values["f1"] > 0.9
    head = task.export(learned.head)
    assert head.manifest.share == share < 1
    assert set(head.characters) == {"keys", "scores", "start", "end", "transitions"}


def test_what_was_trained_is_what_is_served(tiny_model: TextModel, tmp_path: Path) -> None:
    """Recipe → head → artefact → plan: the same spans, with their meanings, in one forward pass and without any."""
    pytest.importorskip("pycrfsuite")
    meanings = {"product": "product", "brand": "brand"}
    task = task_of(tiny_model, set_of(*ROWS), crf=True, characters=True, meanings=meanings)
    learned = learn(task, tiny_model, steps=60, rate=5e-3)
    task.calibrate(tiny_model, learned.head)
    about = ModelManifest(task="text-encoder")
    export_encoder(tiny_model, [task.export(learned.head)], tmp_path / "a", name="a", about=about, precision="fp32")
    encoder = OnnxEncoder.open(tmp_path / "a")
    tagger = Tagger.of(encoder, "entities", encoder.heads["entities"])
    for (text, spans), outputs in zip(ROWS, encoder.encode_heads([text for text, _ in ROWS]), strict=True):
        for given in (outputs, None):
            found = [(each.start, each.end, each.meaning) for each in tagger.spans(text, given)]
            assert found == [(span.start, span.end, span.kind) for span in spans]


def test_without_characters_nothing_is_calibrated(tiny_model: TextModel) -> None:
    task = task_of(tiny_model, set_of(*ROWS), crf=True)
    assert task.calibrate(tiny_model, head_of(task, tiny_model)) == 1.0
