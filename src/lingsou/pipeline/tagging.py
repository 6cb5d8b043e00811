"""A trained tagger at work: an encoder's head, the CRF over characters beside it, and what their tags mean."""

from collections.abc import Sequence
from dataclasses import dataclass

from lingsou.encoders import HeadedEncoder, HeadOutputs
from lingsou.encoders.manifest import HeadManifest
from lingsou.models.character_crf import CharacterCrf, Together
from lingsou.models.tagger import Chain, TaggedSpan, best_path, bio_chain, piece_probabilities, tagged_spans
from lingsou.query.tagged import Tagged, meaning_of


@dataclass(frozen=True)
class Tagger:
    """Finds spans with their meanings and probabilities."""

    name: str
    head: HeadManifest
    chain: Chain
    """Of the encoder's tokens, with the rules of BIO."""
    together: Together | None

    @classmethod
    def of(cls, encoder: HeadedEncoder, name: str, head: HeadManifest) -> "Tagger":
        """The tagger of a head.

        Raises:
            InputError: its CRF over characters is not whole.
        """
        chain = bio_chain(head.labels)
        if learned := encoder.transitions(name):
            chain = chain + Chain(learned["start"], learned["end"], learned["transitions"])
        arrays = encoder.characters(name)
        together = Together(CharacterCrf.load(arrays), head.share, head.labels, chain) if arrays else None
        return cls(name, head, chain, together)

    def spans(self, text: str, outputs: HeadOutputs | None) -> list[Tagged]:
        """What is named in a text; without the encoder's outputs, as far as the CRF over characters knows."""
        found = []
        for span, chance in self._likely(text, outputs):
            meaning = self.head.meanings.get(span.kind, meaning_of(span.kind))
            if meaning:
                found.append(Tagged(span.start, span.end, meaning, chance))
        return found

    def _likely(self, text: str, outputs: HeadOutputs | None) -> Sequence[tuple[TaggedSpan, float]]:
        if self.together is not None:
            tokens, offsets = (None, None) if outputs is None else (outputs.logits[self.name], outputs.offsets)
            return self.together.likely(text, tokens, offsets)
        if outputs is None:
            return []
        logits, chain = outputs.logits[self.name], self.chain
        path = best_path(logits, chain)
        found = tagged_spans(path, self.head.labels, outputs.offsets, text)
        pieces = [(span.first, span.last) for span in found]
        return list(zip(found, piece_probabilities(logits, chain, path, pieces), strict=True))
