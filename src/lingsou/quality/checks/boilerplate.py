"""Check `boilerplate`: the same sentence in the descriptions of a large part of the shop."""

from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import excerpt
from lingsou.quality.frequent import Frequent
from lingsou.quality.tally import Problem, Tally

MIN_ROWS = 100
_SHARE = 0.05
_NOTED = 20
_LONG = 40
"""Bytes of a sentence that hardly repeats by itself; Chinese, of three bytes a character, says as much in fewer."""

_SAME = Problem(
    "info",
    "one sentence stands in many descriptions",
    "Move it to the page of terms; in every description it drowns the words that tell products apart.",
    0.8,
)
# Sentences fall apart as bytes, at C speed: one byte that ends a sentence, or the three of 。！？；.
_ENDS = bytes.maketrans(b".!?;<>", b"\n" * 6)
_ENDS_HAN = tuple(end.encode() for end in "。！？；")


class BoilerplateCheck:
    """Counts the long sentences of descriptions by their hashes.

    Memory: at most about 20 MB; beyond 200,000 different sentences, rare ones are forgotten.
    """

    id: ClassVar[str] = "boilerplate"
    severity: ClassVar[Severity] = "info"
    cost: ClassVar[str] = (
        "What every description says makes products alike to search and similarity, and hides what sets them apart."
    )

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._descriptions = 0
        self._counts = Frequent()
        self._shown: dict[int, str] = {}

    def observe(self, row: int, product: Product) -> None:
        """Count each long sentence once."""
        text = product.description
        if not text:
            return
        self._descriptions += 1
        if len(text) * 3 < _LONG:
            return
        coded = text.encode(errors="replace").translate(_ENDS)
        if not text.isascii():
            for end in _ENDS_HAN:
                coded = coded.replace(end, b"\n")
        add = self._counts.add
        # No set: its order is another one in every process, and with it the examples.
        for sentence in dict.fromkeys(each for each in coded.split(b"\n") if len(each) >= _LONG):
            key = hash(sentence)
            if add(key) == _NOTED:
                self._shown[key] = excerpt(sentence.decode(errors="replace").strip(), 0, 60)

    def finish(self) -> list[Finding]:
        """Report sentences of at least one description in twenty."""
        least = max(_NOTED, _SHARE * self._descriptions)
        if self._descriptions >= MIN_ROWS:
            for key, count in self._counts.at_least(int(least)):
                if key in self._shown:
                    evidence = f"{count:,} of {self._descriptions:,}: {self._shown[key]}"
                    self._tally.add(_SAME, "description", evidence)
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()
