"""Names of one thing in both languages, from the package's tables, by token phrase."""

from collections.abc import Iterator, Sequence

from lingsou.core.plan import Expansion
from lingsou.query.phrases import PhraseTable, longest_matches
from lingsou.query.tables import Concept, concepts
from lingsou.query.tokens import NameTokeniser, Token, key_of
from lingsou.text.normalise import has_han
from lingsou.text.segment import Segmenter

MAX_EXPANSIONS = 24
_FIRST_WEIGHT, _OTHER_WEIGHT = 0.6, 0.4
_OTHERS = 2
"""Translations beside the usual one that are used: later names of a line are rarer words."""


class Bilingual:
    """The tables of names, tokenised as the shop's own names are."""

    def __init__(self, segmenter: Segmenter):
        self._segmenter = segmenter
        self._concepts = concepts()
        self._table: PhraseTable[list[Concept]] = PhraseTable()
        self._keys: list[tuple[str, ...]] = []
        terms = NameTokeniser(segmenter)
        for concept in self._concepts:
            keys = tuple(dict.fromkeys(key_of(terms(name)) for name in concept.names))
            self._keys.append(keys)
            for key in keys:
                self._table.setdefault(key, []).append(concept)
        self._table.freeze()
        self._broader: dict[int, int] = {
            narrower: concept.number for concept in self._concepts for narrower in concept.narrower
        }

    def knows(self, key: str) -> bool:
        """Whether a token phrase is a name in the tables: an ordinary word."""
        return self._table.get(key) is not None

    def other_names(self, key: str) -> Iterator[tuple[str, str]]:
        """What else a value may be called: names of the same thing (`bilingual`), and of broader ones (`family`).

        A value whose own name means several things (`notebook`) is `ambiguous` under the names of each.
        """
        found = self._table.get(key) or ()
        for concept in found:
            for name in self._keys[concept.number]:
                yield name, "bilingual" if len(found) == 1 else "ambiguous"
            broader = self._broader.get(concept.number)
            while broader is not None:
                for name in self._keys[broader]:
                    yield name, "family"
                broader = self._broader.get(broader)

    def expansions(
        self,
        raw: str,
        tokens: Sequence[Token],
        have: frozenset[str],
        borders: frozenset[int],
        blocked: frozenset[int],
    ) -> tuple[Expansion, ...]:
        """Other names of the tokens' things, in either language; names that the query has already are left out."""
        found_names: dict[tuple[str, str], tuple[float, str]] = {}
        for first, last, found in longest_matches(self._table, tokens, blocked):
            start, end = tokens[first].start, tokens[last - 1].end
            if tokens[first].han and not {start, end} <= borders:
                continue
            for concept in found:
                for term, weight, source in self._names(concept, any(token.han for token in tokens[first:last])):
                    name = raw[start:end], term
                    weight = round(weight / len(found), 4)
                    if not have.issuperset(term.split(" ")) and weight > found_names.get(name, (0.0,))[0]:
                        found_names[name] = weight, source
        ranked = sorted(found_names.items(), key=lambda pair: (-pair[1][0], pair[0]))
        return tuple(
            Expansion(term=term, weight=weight, source=source, of=of)
            for (of, term), (weight, source) in ranked[:MAX_EXPANSIONS]
        )

    def _names(self, concept: Concept, chinese: bool) -> Iterator[tuple[str, float, str]]:
        """(index terms, weight, source) of a thing that was asked for in one language."""
        own, other = (concept.zh, concept.en) if chinese else (concept.en, concept.zh)
        for source, names in (("bilingual", other), ("synonym", own)):
            for rank, name in enumerate(names[: 1 + _OTHERS]):
                if not (source == "bilingual" and chinese and has_han(name)):
                    weight = _FIRST_WEIGHT if source == "bilingual" and not rank else _OTHER_WEIGHT
                    yield " ".join(whole_terms(self._segmenter.terms(name))), weight, source


def whole_terms(found: Sequence[str]) -> list[str]:
    """Terms without the parts of longer ones: `笔记本电脑` says more than `笔记` beside it."""
    whole = [term for term in dict.fromkeys(found) if not any(term != other and term in other for other in found)]
    return [term for term in whole if len(term) > 1] or whole
