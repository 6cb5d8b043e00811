"""From a shopper's words to a `QueryPlan`: what is a limit, what is unwanted, what the catalogue knows by name."""

import re
from collections.abc import Callable

from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.core.types import MAX_QUERY_LENGTH
from lingsou.query.beliefs import category_beliefs
from lingsou.query.correction import Correctors, corrected
from lingsou.query.entities import entities_of, entity
from lingsou.query.expansion import NameLookup
from lingsou.query.explicit import Asked, FieldNames
from lingsou.query.lexicon import CatalogLexicon
from lingsou.query.measures import MeasureFinder
from lingsou.query.models import model_numbers
from lingsou.query.negations import negations
from lingsou.query.places import Piece, overlaps, without
from lingsou.query.prices import price_constraints
from lingsou.query.tokens import segment_borders, tokenise
from lingsou.text.language import detect
from lingsou.text.segment import Segmenter

_BROKEN = re.compile("[\ud800-\udfff\0]")
_CATEGORY_CONFIDENCE = 0.3
"""From here on a category entity says which number attributes a measure can mean."""


class Understander:
    """Understands queries over one catalogue. Holds no state between queries; threads may share it.

    Args:
        lexicon: the catalogue's names.
        segmenter: the shop's, for index terms.
        currency: ISO code of the shop's prices; limits in another currency are left out. Empty: take any.
        correctors: what corrects misspelt words; none: every query is read as it stands.
        names: other names that were mined from the shop; none: those of the package's tables alone.
    """

    def __init__(
        self,
        lexicon: CatalogLexicon,
        segmenter: Segmenter,
        currency: str = "",
        correctors: Correctors | None = None,
        names: Callable[[], NameLookup] | None = None,
    ):
        self._lexicon = lexicon
        self._correctors = correctors
        self._names = names
        self._segmenter = segmenter
        self._currency = currency
        self._field_names = FieldNames(lexicon)
        self._measures = MeasureFinder(lexicon.vocabulary)

    @property
    def lexicon(self) -> CatalogLexicon:
        """The catalogue's names."""
        return self._lexicon

    def understand(self, text: str, *, correct: bool = True) -> QueryPlan:
        """The plan of a query; its first `MAX_QUERY_LENGTH` characters are read. Never raises on a string.

        Spans are into `plan.read`. `plan.raw` is `text` without white space at its ends; characters that no text can
        hold (lone surrogates, NUL) become U+FFFD there. With `correct` false the words are taken as they are spelt.
        """
        typed = _BROKEN.sub("\ufffd", text.strip()[:MAX_QUERY_LENGTH]).strip()
        corrections = self._correctors.correct(typed) if correct and self._correctors else ()
        raw = corrected(typed, [each for each in corrections if each.applied])
        meant = corrected(typed, corrections)
        tokens = tokenise(raw, self._segmenter)
        borders = segment_borders(raw, self._segmenter)
        asked, unknown = self._field_names.find(raw, tokens)
        ordered = [(one.start, one.end) for one in asked]

        prices, price_cut, money = price_constraints(raw, self._currency, has_price=self._lexicon.vocabulary.has_price)
        prices = [price for price in prices if not overlaps(ordered, price.start, price.end)]
        price_cut = [piece for piece in price_cut if not overlaps(ordered, *piece)]
        exclusions, unwanted, negation_cut = negations(raw, tokens, self._lexicon, [*ordered, *money])

        closed: list[Piece] = [*ordered, *unknown, *price_cut, *negation_cut]
        blocked = frozenset(n for n, token in enumerate(tokens) if overlaps(closed, token.start, token.end))
        matches = self._lexicon.find(tokens, blocked)
        wanted = entities_of(raw, tokens, matches, borders, self._lexicon)
        ordered_entities, ordered_constraints = _as_ordered(raw, asked)

        named = [*ordered_entities, *wanted]
        categories = [value for e in named if _tells_category(e) for value in e.values]
        measured, sizes, comparison_cut, measure_places = self._measures.find(raw, [*closed, *money], categories)
        wanted = [e for e in wanted if not any(_is_inside(e, size) for size in sizes)]
        names = [(e.start, e.end) for e in wanted]
        models = [m for m in model_numbers(raw, [*closed, *measure_places]) if not _is_within(m, names)]
        wanted = [e for e in wanted if not any(_is_inside(e, model) for model in models)]

        left = without(raw, [*closed, *comparison_cut])
        terms = tuple(self._segmenter.terms(left))
        have = frozenset(terms)
        expansions = self._lexicon.bilingual.expansions(raw, tokens, have, borders, blocked)
        if self._names is not None:
            expansions = self._names().expansions(raw, tokens, have, borders, blocked, expansions)
        entities = sorted(
            (*ordered_entities, *unwanted, *wanted, *sizes, *models),
            key=lambda e: (e.start, e.end, -e.confidence, e.field),
        )
        constraints = sorted(
            (*ordered_constraints, *prices, *exclusions, *measured), key=lambda c: (c.start, c.end, c.field)
        )
        return QueryPlan(
            raw=typed,
            corrected=raw if raw != typed else "",
            suggested=meant if meant != raw else "",
            corrections=corrections,
            language=detect(raw),
            text=left,
            tokens=terms,
            entities=tuple(entities),
            constraints=tuple(constraints),
            categories=category_beliefs((), entities),
            expansions=expansions,
        )


def _tells_category(found: Entity) -> bool:
    return found.kind == "category" and found.confidence >= _CATEGORY_CONFIDENCE


def _is_inside(found: Entity, other: Entity) -> bool:
    return other.start <= found.start and found.end <= other.end


def _is_within(found: Entity, pieces: list[Piece]) -> bool:
    return any(start <= found.start and found.end <= end for start, end in pieces)


def _as_ordered(raw: str, asked: list[Asked]) -> tuple[list[Entity], list[Constraint]]:
    entities: list[Entity] = []
    constraints: list[Constraint] = []
    for one in asked:
        entities += [
            entity(raw, *place, meaning, 1.0, negated=one.negated).model_copy(update={"source": "field-syntax"})
            for meaning, place in zip(one.meanings, one.places, strict=True)
        ]
        constraints.append(
            Constraint(
                start=one.start,
                end=one.end,
                surface=raw[one.start : one.end],
                field=one.meanings[0].field,
                condition={"not" if one.negated else "any_of": list(one.values)},
                hard=True,
                source="field-syntax",
                confidence=1.0,
            )
        )
    return entities, constraints
