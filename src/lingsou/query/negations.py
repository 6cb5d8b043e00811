"""What the shopper does not want: negated entities, and hard exclusions where the catalogue knows what is meant."""

import re
from collections.abc import Sequence

from lingsou.core.plan import Constraint, Entity
from lingsou.query.entities import entity
from lingsou.query.lexicon import CatalogLexicon, Match
from lingsou.query.places import Piece, overlaps, trimmed
from lingsou.query.tokens import Token
from lingsou.text.negation import Negation, find_negations

_AFTER = re.compile(r"\s?(?:以外|之外|除外|外(?=$|[\s,，的])|都行|都可以?|就行|就好|即可)?\s?(?:的|款)?")
_FILLER = frozenset(
    re.findall(r"\S+", "的 色 款 系 式 那 种 这 any the a an colour color coloured colored one ones made of in")
)
_PARTIAL = 0.6
_MOST_READINGS = 3


def negations(
    raw: str, tokens: Sequence[Token], lexicon: CatalogLexicon, taken: Sequence[Piece]
) -> tuple[list[Constraint], list[Entity], list[Piece]]:
    """Exclusions, negated entities, and the pieces (cue and phrase) that leave the text.

    `不要黑色跑步鞋` excludes black and still asks for running shoes: a product word that ends the phrase after an
    attribute is what the shopper wants. A phrase that the catalogue knows only in part excludes nothing.
    """
    constraints: list[Constraint] = []
    entities: list[Entity] = []
    cut: list[Piece] = []
    for negation in find_negations(raw):
        if overlaps(taken, negation.cue_start, negation.end):
            continue
        inside = [number for number, token in enumerate(tokens) if negation.start <= token.start < negation.end]
        outside = frozenset(range(len(tokens))) - frozenset(inside)
        matches = lexicon.find(tokens, outside)
        head = _wanted_head(matches)
        after = _AFTER.match(raw, negation.end)
        end = tokens[head.first].start if head else after.end() if after else negation.end
        cut.append(trimmed(raw, negation.cue_start, end))
        unwanted = matches[:-1] if head else matches
        covered = {number for match in matches for number in range(match.first, match.last)}
        whole = all(number in covered or tokens[number].term in _FILLER for number in inside)
        for match in unwanted:
            made = _negated(raw, negation, tokens, match, whole=whole)
            entities += made
            if whole and made and match.meanings[0].source != "head-word":
                constraints.append(_exclusion(made[0]))
    return constraints, entities, cut


def _wanted_head(matches: Sequence[Match]) -> Match | None:
    if len(matches) < 2:
        return None
    last = matches[-1]
    names_product = any(meaning.is_product for meaning in last.meanings)
    return last if names_product and all(m.meanings[0].kind != "category" for m in matches[:-1]) else None


def _negated(raw: str, negation: Negation, tokens: Sequence[Token], match: Match, *, whole: bool) -> list[Entity]:
    start, end = tokens[match.first].start, tokens[match.last - 1].end
    total = sum(meaning.count for meaning in match.meanings) or 1
    sure = 1.0 if whole else _PARTIAL
    return [
        entity(raw, start, end, meaning, round(meaning.weight * (meaning.count / total) ** 0.5 * sure, 4), negated=True)
        for meaning in match.meanings[:_MOST_READINGS]
    ]


def _exclusion(unwanted: Entity) -> Constraint:
    return Constraint(
        start=unwanted.start,
        end=unwanted.end,
        surface=unwanted.surface,
        field=unwanted.field,
        condition={"not": list(unwanted.values)},
        hard=True,
        source="negation",
        confidence=unwanted.confidence,
    )
