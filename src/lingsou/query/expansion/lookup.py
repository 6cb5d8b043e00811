"""Which mined names the phrases of a query have. Immutable, so threads may share it."""

from collections.abc import Collection, Iterable, Sequence

from lingsou.core.plan import Expansion
from lingsou.query.bilingual import MAX_EXPANSIONS, whole_terms
from lingsou.query.expansion.table import MinedName
from lingsou.query.phrases import PhraseTable, longest_matches
from lingsou.query.tokens import NameTokeniser, Token, key_of, tokenise
from lingsou.text.segment import Segmenter

MOST_NAMES = 4
"""Of one phrase, those that weigh most."""


class NameLookup:
    """Finds mined names, and takes away what a merchandiser dropped.

    Args:
        names: the table.
        segmenter: the shop's.
        dropped: (phrase, name) pairs that nobody wants, of whatever source.
        sources: those that may speak; others are left out, those of the package's tables too.
    """

    def __init__(
        self,
        names: Iterable[MinedName],
        segmenter: Segmenter,
        dropped: Iterable[tuple[str, str]] = (),
        sources: Collection[str] = (),
    ):
        self._segmenter = segmenter
        self._sources = frozenset(sources)
        terms = NameTokeniser(segmenter)
        self._dropped = frozenset((key_of(terms(phrase)), self._name(name)) for phrase, name in dropped)
        self._table: PhraseTable[list[tuple[str, float, str]]] = PhraseTable()
        for each in sorted(names, key=lambda each: (-each.weight, each.name)):
            key, term = key_of(terms(each.phrase)), self._name(each.name)
            if key and term and each.source in self._sources and (key, term) not in self._dropped:
                of_key = self._table.setdefault(key, [])
                if len(of_key) < MOST_NAMES:
                    of_key.append((term, each.weight, each.source))
        self._table.freeze()

    def __len__(self) -> int:
        """How many phrases it knows."""
        return len(self._table)

    def expansions(
        self,
        raw: str,
        tokens: Sequence[Token],
        have: frozenset[str],
        borders: frozenset[int],
        blocked: frozenset[int],
        known: Sequence[Expansion] = (),
    ) -> tuple[Expansion, ...]:
        """The names that are `known` and wanted, and mined ones beside them: for the same words, or for other words.

        Where a longer or shorter piece with the same words has a known name already, that reading stays alone: what
        stands for a part must not stand for the whole.
        """
        found = {(each.of, each.term): each for each in known if self._is_wanted(each)}
        read = {each.of: frozenset(self._segmenter.terms(each.of)) for each in found.values()}
        for first, last, names in longest_matches(self._table, tokens, blocked):
            start, end = tokens[first].start, tokens[last - 1].end
            if tokens[first].han and not {start, end} <= borders:
                continue
            of = raw[start:end]
            own = frozenset(self._segmenter.terms(of))
            if any(other != of and own & terms for other, terms in read.items()):
                continue
            for term, weight, source in names:
                twin = found.get((of, term))
                if not have.issuperset(term.split(" ")) and (twin is None or twin.weight < weight):
                    found[of, term] = Expansion(term=term, weight=weight, source=source, of=of)
        ranked = sorted(found.values(), key=lambda each: (-each.weight, each.of, each.term))
        return tuple(ranked[:MAX_EXPANSIONS])

    def _is_wanted(self, known: Expansion) -> bool:
        if known.source not in self._sources or not self._dropped:
            return known.source in self._sources
        phrase = key_of([token.term for token in tokenise(known.of, self._segmenter)])
        return (phrase, known.term) not in self._dropped

    def _name(self, name: str) -> str:
        """The index terms of a name, as an expansion has them."""
        return " ".join(whole_terms(self._segmenter.terms(name)))
