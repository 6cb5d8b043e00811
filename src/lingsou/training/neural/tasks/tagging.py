"""Tagging: spans of characters (brand, product, model …) found as BIO tags of tokens.

The tokens are the encoder's own pieces, so that the forward pass of a search gives the tags too. A piece may lie
across the border of a span; it then belongs to the span that has most of its characters, at least half, and the span
found is as wide as its pieces. Such spans cannot be found exactly: `reachable` in every evaluation is the share of
those that can, by the encoder alone. (On Chinese product titles 98.9 % can with the pieces of XLM-R. Cutting the text
into single characters would reach all of them, but feeds the encoder what it was not pretrained on and costs a search a
second forward pass.) With `characters` a CRF over characters and words goes beside it, which can cut a piece.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lingsou.core.errors import InputError
from lingsou.encoders.manifest import HeadManifest
from lingsou.evaluation.label_metrics import Counts, span_counts
from lingsou.models.character_crf import CharacterCrf, Together
from lingsou.models.tagger import Chain, best_path, bio_chain, bio_tags, tagged_spans
from lingsou.training.characters import fit_characters
from lingsou.training.examples import Rows, Span, Splits, TagSet
from lingsou.training.neural.crf import LinearChainCRF
from lingsou.training.neural.tasks.aligned import AlignedTexts, align
from lingsou.training.neural.tasks.options import choose
from lingsou.training.neural.tasks.reports import by_slice, evaluating, worst
from lingsou.training.neural.tasks.task import Evaluation, ExportedHead, Part
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.tokens import by_length, pad_to_longest
from lingsou.training.recipe import TaskSpec

_BATCH = 64
_SHARES = tuple(round(0.1 * step, 1) for step in range(3, 11))
_Spans = set[tuple[int, int, str]]
Offsets = NDArray[np.int32]


class TagHead(nn.Linear):
    """Logits of tags for each token, and the CRF over them where there is one."""

    def __init__(self, hidden: int, tags: int, crf: LinearChainCRF | None):
        super().__init__(hidden, tags)
        self.crf = crf


class TaggingTask:
    """Texts are read as queries. The best path keeps to BIO with and without the CRF.

    Losses: `cross-entropy` of the tokens; with `crf` the negative log-likelihood of the path, a token.

    Metrics: `f1`, `precision`, `recall` of spans, right where borders and kind agree; `reachable`.

    Raises:
        InputError: no span in the training rows, or one that lies outside its text or overlaps the one before.
        ConfigurationError: an unknown loss or metric.
    """

    def __init__(self, name: str, spec: TaskSpec, splits: Splits[TagSet], model: TextModel):
        self.name = name
        self.rows = len(splits.train)
        self.metric = choose(name, "metric", spec.metric, ("f1", "precision", "recall"))
        choose(name, "loss", spec.loss, ("log-likelihood",) if spec.crf else ("cross-entropy",))
        self.kinds = splits.train.names
        if not self.kinds:
            raise InputError(
                f"Task '{name}': the {self.rows:,} training rows name no span.",
                field=f"tasks.{name}.data",
                cure="Check the column of tags.",
            )
        self.tags = bio_tags(self.kinds)
        self._spec = spec
        self._characters: CharacterCrf | None = None
        self.share = 1.0
        """Of the encoder beside the CRF over characters."""
        self._with_crf = spec.crf
        self._rules = bio_chain(self.tags)
        self._sets = {"train": splits.train, "validation": splits.validation, "test": splits.test}
        for examples in self._sets.values():
            _check(name, examples)
        self._texts = {
            part: align(model.cutter, examples.texts, prefix=model.base.query_prefix, max_tokens=spec.max_tokens)
            for part, examples in self._sets.items()
        }
        self._tags = {part: self._tag(part) for part in self._sets}

    def head(self, hidden: int) -> nn.Module:
        """A linear layer over each token's state, and the CRF."""
        return TagHead(hidden, len(self.tags), LinearChainCRF(self._rules) if self._with_crf else None)

    def epoch(self, rng: np.random.Generator, batch: int) -> list[Rows]:
        """Texts of like length together."""
        return by_length(rng.permutation(self.rows), self._texts["train"].table.lengths, batch, rng)

    def loss(self, model: TextModel, head: nn.Module, rows: Rows) -> Tensor:
        """The mean loss of a token."""
        logits, mask = self._logits(model, head, self._texts["train"], rows)
        tags = pad_to_longest([self._tags["train"][row] for row in rows], 0).ids.to(model.device)
        return self._losses(head, logits, tags, mask).sum() / mask.sum().clamp(min=1)

    def evaluate(self, model: TextModel, head: nn.Module, part: Part) -> Evaluation:
        """Measure; the kinds are slices too."""
        examples, texts = self._sets[part], self._texts[part]
        found: list[_Spans] = [set() for _ in examples.texts]
        losses = np.zeros(len(examples))
        order = np.argsort(texts.table.lengths, kind="stable")
        with evaluating(model, head):
            chain, together = self.chain(head), self.together(head)
            for first in range(0, len(order), _BATCH):
                rows = order[first : first + _BATCH]
                logits, mask = self._logits(model, head, texts, rows)
                tags = pad_to_longest([self._tags[part][row] for row in rows], 0).ids.to(model.device)
                losses[rows] = self._losses(head, logits, tags, mask).cpu().numpy()
                scores = logits.double().cpu().numpy()
                for place, row in enumerate(rows.tolist()):
                    own = scores[place, : len(texts.places[row])]
                    if together is None:
                        found[row] = self._spans(best_path(own, chain), part, row)
                    else:
                        found[row] = together.spans(examples.texts[row], own, texts.offsets[row])
        expected = self._expected(part)
        reached = [self._spans(tags, part, row) & expected[row] for row, tags in enumerate(self._tags[part])]

        def measure(rows: Sequence[int] | Rows, kind: str | None = None) -> dict[str, float]:
            wanted, given = ([_only(spans[row], kind) for row in rows] for spans in (expected, found))
            counts = span_counts(wanted, given)
            possible = sum(len(_only(reached[row], kind)) for row in rows)
            return {**_values(counts), "reachable": possible / int(counts.expected) if counts.expected else 1.0}

        every = range(len(examples))
        kinds = {f"kind: {kind}": measure(every, kind) for kind in self.kinds}
        return Evaluation(
            measure(every),
            len(examples),
            {**kinds, **by_slice(examples, measure)},
            worst=worst(
                losses,
                lambda row: (
                    examples.texts[row],
                    _describe(examples.texts[row], expected[row]),
                    _describe(examples.texts[row], found[row]),
                ),
            ),
        )

    def calibrate(self, model: TextModel, head: nn.Module) -> float:
        """Fit the CRF over characters, if the recipe asks for it; the encoder's share that is best on validation.

        To be called once the weights are final; evaluations and the export are of both together from then on.

        Raises:
            MissingExtraError: python-crfsuite is not installed.
        """
        if not self._spec.characters:
            return self.share
        self._characters = fit_characters(self._sets["train"], self.tags)
        texts, expected = self._sets["validation"].texts, self._expected("validation")
        scores = list(self.scores(model, head, "validation"))

        def f1(share: float) -> float:
            together = self.together(head, share)
            assert together is not None
            found = [together.spans(text, *own) for text, own in zip(texts, scores, strict=True)]
            return float(span_counts(expected, found).f1)

        self.share = max(_SHARES, key=f1)
        return self.share

    def together(self, head: nn.Module, share: float | None = None) -> Together | None:
        """Both CRFs in one lattice, once `calibrate` fitted the one over characters; `share` instead of its own."""
        if self._characters is None:
            return None
        return Together(self._characters, self.share if share is None else share, self.tags, self.chain(head))

    def take_characters(self, other: "TaggingTask") -> None:
        """Tag with the CRF over characters that another task fitted."""
        self._characters, self.share = other._characters, other.share

    def chain(self, head: nn.Module) -> Chain:
        """What a path of tags gains beside its tokens: the rules of BIO, and what the CRF learned."""
        return head.crf.chain() + self._rules if isinstance(head.crf, LinearChainCRF) else self._rules

    def scores(self, model: TextModel, head: nn.Module, part: Part) -> Iterator[tuple[NDArray[np.float64], Offsets]]:
        """For each text of a part the logits `[tokens, k]` of its own tokens, and their places `[tokens, 2]` in it."""
        texts = self._texts[part]
        with evaluating(model, head):
            for row, places in enumerate(texts.places):
                logits, _ = self._logits(model, head, texts, np.array([row]))
                yield logits[0, : len(places)].double().cpu().numpy(), texts.offsets[row]

    def export(self, head: nn.Module) -> ExportedHead:
        """Linear over the token states; serving adds the rules of BIO to the CRF's scores."""
        assert isinstance(head, TagHead)
        manifest = HeadManifest(
            kind="tags",
            output=f"head.{self.name}",
            labels=self.tags,
            role=self._spec.role,
            meanings=self._spec.meanings,
            share=self.share,
        )
        characters = {} if self._characters is None else self._characters.arrays()
        learned = {} if head.crf is None else head.crf.learned()
        return ExportedHead(manifest, "states", head.weight.detach(), head.bias.detach(), learned, characters)

    def _expected(self, part: str) -> list[_Spans]:
        return [{(span.start, span.end, span.kind) for span in row} for row in self._sets[part].spans]

    def _tag(self, part: str) -> list[NDArray[np.int32]]:
        """The tags of each text's own tokens."""
        examples, texts = self._sets[part], self._texts[part]
        numbers = {tag: number for number, tag in enumerate(self.tags)}
        found = []
        for text, spans, offsets in zip(examples.texts, examples.spans, texts.offsets, strict=True):
            owners = _owners(text, spans, offsets)
            tags = np.zeros(len(owners), np.int32)
            for place, owner in enumerate(owners):
                if owner >= 0:
                    begins = not place or owners[place - 1] != owner
                    # A kind that training did not know is no tag of ours: its spans are missed.
                    tags[place] = numbers.get(f"{'B' if begins else 'I'}-{spans[owner].kind}", 0)
            found.append(tags)
        return found

    def _logits(self, model: TextModel, head: nn.Module, texts: AlignedTexts, rows: Rows) -> tuple[Tensor, Tensor]:
        """Of the texts' own tokens, moved to the front: `[batch, own, k]`, and their mask `[batch, own]`."""
        places = pad_to_longest([texts.places[row] for row in rows], 0).to(model.device)
        states = model(texts.table.batch(rows).to(model.device))
        own = states.gather(1, places.ids.unsqueeze(2).expand(-1, -1, states.shape[2]))
        return head(own), places.mask

    def _losses(self, head: nn.Module, logits: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood of each text, `[batch]`."""
        if not logits.shape[1]:
            return logits.sum((1, 2))
        if isinstance(head.crf, LinearChainCRF):
            some = mask[:, :1]  # a text without tokens has no path
            return (
                -head.crf.log_likelihood(logits, tags, torch.cat([torch.ones_like(some), mask[:, 1:]], 1)) * some[:, 0]
            )
        each = functional.cross_entropy(logits.transpose(1, 2), tags, reduction="none")
        return (each * mask).sum(1)

    def _spans(self, path: NDArray[np.integer], part: str, row: int) -> _Spans:
        offsets, text = self._texts[part].offsets[row], self._sets[part].texts[row]
        return {(span.start, span.end, span.kind) for span in tagged_spans(path, self.tags, offsets, text)}


def _check(name: str, examples: TagSet) -> None:
    for row, (text, spans) in enumerate(zip(examples.texts, examples.spans, strict=True)):
        end = 0
        for span in spans:
            if not end <= span.start < span.end <= len(text):
                raise InputError(
                    f"Task '{name}': the span {span.start}–{span.end} ({span.kind}) overlaps another one, is out of "
                    f"order or lies outside its text of {len(text)} characters.",
                    row=row,
                    cure="Spans count characters, the end is not part of them; see docs/training.md.",
                )
            end = span.end


def _owners(text: str, spans: Sequence[Span], offsets: NDArray[np.int32]) -> list[int]:
    """The span that each token belongs to, −1 for none: the one with most of its characters, and at least half."""
    owner = np.full(len(text), -1, np.int64)
    for number, span in enumerate(spans):
        owner[span.start : span.end] = number
    found = []
    for start, end in offsets.tolist():
        words = text[start:end]
        if words.strip():  # pieces carry the space before a word; white space alone counts as itself
            start += len(words) - len(words.lstrip())
        covered = owner[start:end]
        counts = np.bincount(covered[covered >= 0], minlength=1)
        best = int(counts.argmax())
        found.append(best if 2 * counts[best] >= end - start else -1)
    return found


def _only(spans: _Spans, kind: str | None) -> _Spans:
    return spans if kind is None else {span for span in spans if span[2] == kind}


def _values(counts: Counts) -> dict[str, float]:
    return {"f1": float(counts.f1), "precision": float(counts.precision), "recall": float(counts.recall)}


def _describe(text: str, spans: _Spans) -> str:
    return ", ".join(f"{text[start:end]} ({kind})" for start, end, kind in sorted(spans)) or "none"
