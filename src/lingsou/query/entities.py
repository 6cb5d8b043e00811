"""Matches of the lexicon as entities, with ambiguity kept: each reading has its own confidence."""

from collections.abc import Sequence

from lingsou.core.plan import Entity
from lingsou.query.lexicon import CatalogLexicon, Match, Meaning
from lingsou.query.tokens import Token

_MOST_READINGS = 4
_LEAST_CONFIDENCE = 0.08
_OFF_BORDER = 0.5
_ORDINARY, _SUPPORTED, _RIVALLED = 0.7, 1.0, 0.5


def entities_of(
    raw: str, tokens: Sequence[Token], matches: Sequence[Match], borders: frozenset[int], lexicon: CatalogLexicon
) -> list[Entity]:
    """Every reading of every match.

    A reading's confidence is what its source is worth, times the root of its share of the products behind all
    readings. A brand that is an ordinary word too is believed when a product word follows it (`apple watch`),
    less when it stands alone, and least when a brand that means nothing else was named.
    """
    ordinary = [lexicon.is_ordinary(tokens, match.first, match.last) for match in matches]
    certain_brand = any(
        match.meanings[0].kind == "brand" and not common for match, common in zip(matches, ordinary, strict=True)
    )
    found: list[Entity] = []
    for number, match in enumerate(matches):
        first, last = tokens[match.first], tokens[match.last - 1]
        start, end = first.start, last.end
        sure = 1.0 if _on_borders(first, last, borders) else _OFF_BORDER
        if first.han and match.last - match.first == 1 and sure < 1:
            continue  # one character inside a longer word names nothing
        following = matches[number + 1] if number + 1 < len(matches) else None
        adjacent = following is not None and following.first == match.last
        product_follows = adjacent and following is not None and _is_product(following)
        total = sum(meaning.count for meaning in match.meanings) or 1
        for meaning in match.meanings[:_MOST_READINGS]:
            context = 1.0
            if ordinary[number] and _has_brand(match):
                context = _context(meaning, product_follows=product_follows, rivalled=certain_brand)
            confidence = round(meaning.weight * (meaning.count / total) ** 0.5 * sure * context, 4)
            if confidence >= _LEAST_CONFIDENCE:
                found.append(entity(raw, start, end, meaning, confidence))
    return found


def entity(raw: str, start: int, end: int, meaning: Meaning, confidence: float, *, negated: bool = False) -> Entity:
    """An entity over `raw[start:end]`."""
    surface = raw[start:end]
    source = meaning.source
    if source == "catalogue" and meaning.kind != "category" and surface not in meaning.values:
        source = "case-folded"
    return Entity(
        start=start,
        end=end,
        surface=surface,
        kind=meaning.kind,
        field=meaning.field,
        values=meaning.values,
        negated=negated,
        source=source,
        confidence=confidence,
    )


def _on_borders(first: Token, last: Token, borders: frozenset[int]) -> bool:
    return (not first.han or first.start in borders) and (not last.han or last.end in borders)


def _has_brand(match: Match) -> bool:
    return any(meaning.kind == "brand" for meaning in match.meanings)


def _is_product(match: Match) -> bool:
    return any(meaning.is_product for meaning in match.meanings)


def _context(meaning: Meaning, *, product_follows: bool, rivalled: bool) -> float:
    if meaning.kind == "brand":
        if rivalled:
            return _RIVALLED
        return _SUPPORTED if product_follows else _ORDINARY
    return _ORDINARY if product_follows and not rivalled else 1.0
