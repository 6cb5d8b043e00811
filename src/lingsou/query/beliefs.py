"""Which category a shopper means: what the words say, and where the best hits are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lingsou.core.plan import CategoryBelief, Entity
from lingsou.query.vocabulary import CATEGORY_SEPARATOR
from lingsou.text.normalise import normalise

MAX_BELIEFS = 5
_NEIGHBOURS = 0.6
"""Share of the hits in the sum when there are both; words are right more often but name fewer categories."""

_LEARNED = 0.5
"""Share of a trained head in the sum, where the encoder has one."""

_UNSEEN = 0.5
"""Weight of all categories that no hit is in, as if half a best hit lay there."""


def category_beliefs(
    neighbours: Sequence[tuple[str, float]], lexical: Sequence[Entity], learned: Mapping[str, float] | None = None
) -> tuple[CategoryBelief, ...]:
    """A distribution over category paths, most likely first; it sums to at most 1.

    Args:
        neighbours: category path and score (at least 0) of the best hits, in any order and scale.
        lexical: entities of the query; those of kind `category` count, negated ones rule their categories out.
        learned: category path → probability, of a trained head.
    """
    unwanted = {v for entity in lexical if entity.negated and entity.kind == "category" for v in entity.values}
    from_hits = _of_hits(neighbours)
    from_words = _of_words([e for e in lexical if e.kind == "category" and not e.negated], list(from_hits))
    from_head = _handed_down(learned or {}, from_hits)
    share = _NEIGHBOURS if from_hits and from_words else 1.0 if from_hits else 0.0
    left = 1.0 - (_LEARNED if from_head and (from_hits or from_words) else 1.0 if from_head else 0.0)
    mass: dict[str, float] = defaultdict(float)
    sources: dict[str, list[str]] = defaultdict(list)
    for source, weight, found in (
        ("words", left * (1 - share), from_words),
        ("hits", left * share, from_hits),
        ("head", 1.0 - left, from_head),
    ):
        for path, probability in found.items():
            mass[path] += weight * probability
            sources[path].append(source)
    ranked = sorted(
        ((path, probability) for path, probability in mass.items() if not _is_in(path, unwanted) and probability > 0),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return tuple(
        # rounding down keeps the sum at most 1
        CategoryBelief(category=path, probability=int(probability * 10_000) / 10_000, source="+".join(sources[path]))
        for path, probability in ranked[:MAX_BELIEFS]
        if probability >= 0.0001
    )


class CategoryNames:
    """The categories of a catalogue, by what a trained head may call them: the path, or the name of any level."""

    def __init__(self, paths: Iterable[str]):
        self._paths = frozenset(paths)
        named: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._paths):
            named[normalise(path.rpartition(CATEGORY_SEPARATOR)[2])].append(path)
        self._named = {
            name: [path for path in found if _depth(path) == min(map(_depth, found))] for name, found in named.items()
        }

    def paths(self, chances: Mapping[str, float]) -> dict[str, float]:
        """The same distribution over paths. Of several of one name the highest count, evenly; unknown ones are out."""
        found: dict[str, float] = defaultdict(float)
        for label, chance in chances.items():
            meant = [label] if label in self._paths else self._named.get(normalise(label), [])
            for path in meant:
                found[path] += chance / len(meant)
        return dict(found)


def _depth(path: str) -> int:
    return path.count(CATEGORY_SEPARATOR)


def _handed_down(learned: Mapping[str, float], from_hits: Mapping[str, float]) -> dict[str, float]:
    """A wide category hands its part to its leaves among the hits, as these share the hits."""
    mass: dict[str, float] = defaultdict(float)
    for path, probability in learned.items():
        below = {leaf: share for leaf, share in from_hits.items() if _is_in(leaf, {path})}
        total = sum(below.values())
        for leaf, share in below.items():
            mass[leaf] += probability * share / total
        if not below:
            mass[path] += probability
    return mass


def _of_hits(neighbours: Sequence[tuple[str, float]]) -> dict[str, float]:
    best = max((score for _, score in neighbours), default=0.0)
    if best <= 0:
        return {}
    mass: dict[str, float] = defaultdict(float)
    for path, score in neighbours:
        if path and score > 0:
            mass[path] += (score / best) ** 2
    total = sum(mass.values()) + _UNSEEN
    return {path: weight / total for path, weight in mass.items()}


def _of_words(entities: Sequence[Entity], paths: Sequence[str]) -> dict[str, float]:
    """Each entity spreads its confidence over its categories; one above others hands its part down to them."""
    mass: dict[str, float] = defaultdict(float)
    named = sorted({value for entity in entities for value in entity.values})
    known = sorted({*named, *paths})
    for entity in entities:
        leaves = [leaf for value in entity.values for leaf in _leaves(value, known)]
        for leaf in leaves:
            mass[leaf] += entity.confidence / len(leaves)
    total = sum(mass.values())
    sure = max((entity.confidence for entity in entities), default=0.0)
    return {path: weight / total * sure for path, weight in mass.items()} if total else {}


def _leaves(path: str, known: Sequence[str]) -> list[str]:
    below = [other for other in known if other.startswith(path + CATEGORY_SEPARATOR)]
    return [one for one in below if not any(o.startswith(one + CATEGORY_SEPARATOR) for o in below)] or [path]


def _is_in(path: str, unwanted: set[str]) -> bool:
    return any(path == one or path.startswith(one + CATEGORY_SEPARATOR) for one in unwanted)
