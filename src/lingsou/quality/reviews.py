"""Reviews that are copied, made by a template, or come in bursts.

Sources: Broder, "On the Resemblance and Containment of Documents" (1997), for near-equal texts: sets of shingles, told
by their least hashes; Jindal and Liu, "Opinion Spam and Analysis" (WSDM 2008), for copies as what betrays spam.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from lingsou.quality.check import Finding
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem
from lingsou.text.normalise import has_han, normalise

CHECK = "reviews"
SHINGLE_HAN, SHINGLE = 3, 6
"""Characters of a shingle, in Chinese and in other text."""
MIN_SHINGLES = 12
"""Shorter texts, such as "very good", are written by many people independently."""
SAME, TEMPLATE = 0.8, 0.5
"""Resemblance (Jaccard, of shingles) from which texts are copies; from which they follow one template."""
MIN_TEMPLATE = 5
BURST, BURST_TIMES = 10, 10.0
"""Reviews of a product in one day, and how many times its usual day that must be."""
MANY_A_DAY = 20
_DAY = 86_400.0
_HASHES, _BANDS = 64, 16
_PRIME = (1 << 61) - 1
_SHOWN = 3

_COPIED = Problem(
    "warning", "a review that copies another", "See whether both are genuine; show one, and count one.", 0.9
)
_OWN = Problem("info", "a shopper's review on several products", "Count it once where ratings are averaged.", 0.8)
_TEMPLATE = Problem("info", "reviews that follow one template", "See who wrote them, and whether they bought.", 0.6)
_BURST = Problem(
    "warning", "many reviews of one product in a day", "See whether an action of the shop explains it.", 0.6
)
_WRITER = Problem(
    "warning", "many reviews by one shopper in a day", "See whether the shopper bought the products.", 0.8
)


@dataclass(frozen=True)
class Review:
    """One review."""

    id: str
    product_id: str
    text: str
    user_id: str = ""
    time: datetime | None = None
    row: int | None = None
    """Of its file, from 1: that of its findings."""


def review_findings(reviews: Iterable[Review]) -> list[Finding]:
    """What is wrong with reviews: copies, templates, bursts. A finding's evidence names the review.

    Time grows with the number of reviews, but for groups of the same text. Memory: about 600 bytes and the text each.
    """
    rows = list(reviews)
    return [*_copies(rows), *_bursts(rows), *_writers(rows)]


def near_equal(texts: Sequence[str], least: float = SAME) -> list[list[int]]:
    """Groups of at least two texts that resemble each other by `least` or more, positions ascending in each.

    64 least hashes in 16 bands of 4 find pairs of resemblance 0.8 with a chance of 0.9998, and of 0.5 with 0.64; the
    resemblance itself is then computed. A text joins the group of the first that it resembles. Texts with fewer than
    12 shingles belong to no group.
    """
    groups: list[list[int]] = []
    shingles: dict[int, NDArray[np.uint64]] = {}
    bands: dict[tuple[int, bytes], list[int]] = {}
    rng = np.random.default_rng(0)
    scale = rng.integers(1, 2**32, _HASHES, np.uint64) | np.uint64(1)
    shift = rng.integers(0, 2**63, _HASHES, np.uint64)
    for place, text in enumerate(texts):
        own = _shingles(text)
        if len(own) < MIN_SHINGLES:
            continue
        least_hashes = ((own[:, None] * scale + shift) >> np.uint64(16)).min(axis=0)
        keys = [(band, part.tobytes()) for band, part in enumerate(least_hashes.reshape(_BANDS, -1))]
        candidates = {group for key in keys for group in bands.get(key, ())}
        for group in sorted(candidates):
            if resemblance(own, shingles[group]) >= least:
                groups[group].append(place)
                break
        else:
            shingles[len(groups)] = own
            for key in keys:
                bands.setdefault(key, []).append(len(groups))
            groups.append([place])
    return [group for group in groups if len(group) > 1]


def resemblance(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> float:
    """Jaccard coefficient of two ascending sets of shingles."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / max(len(left) + len(right) - shared, 1)


def _shingles(text: str) -> NDArray[np.uint64]:
    """Hashes of all overlapping runs of letters and digits, each once, ascending."""
    bare = "".join(filter(str.isalnum, normalise(text)))
    size = SHINGLE_HAN if has_han(bare) else SHINGLE
    codes = np.frombuffer(bare.encode("utf-32-le", "replace"), np.uint32).astype(np.uint64)
    if len(codes) < size:
        return np.empty(0, np.uint64)
    number = np.zeros(len(codes) - size + 1, np.uint64)
    for step in range(size):
        number = (number ^ codes[step : len(codes) - size + 1 + step]) * np.uint64(0x9E3779B97F4A7C15)
        number ^= number >> np.uint64(29)
    return np.unique(number)


def _copies(rows: Sequence[Review]) -> Iterator[Finding]:
    texts = [row.text for row in rows]
    copied: set[int] = set()
    for group in near_equal(texts):
        first = rows[group[0]]
        copied.update(group)
        for place in group[1:]:
            row = rows[place]
            same_writer = bool(row.user_id) and row.user_id == first.user_id
            problem = _OWN if same_writer and row.product_id != first.product_id else _COPIED
            evidence = f"review {row.id} says what {first.id} says: {excerpt(row.text, 0, 40)}"
            yield _finding(problem, row, evidence)
    rest = [place for place in range(len(rows)) if place not in copied]
    for group in near_equal([texts[place] for place in rest], TEMPLATE):
        if len(group) >= MIN_TEMPLATE:
            named = ", ".join(rows[rest[place]].id for place in group[:_SHOWN])
            first = rows[rest[group[0]]]
            evidence = f"{len(group):,} reviews ({named}, …): {excerpt(first.text, 0, 40)}"
            yield _finding(_TEMPLATE, first, evidence)


def _bursts(rows: Sequence[Review]) -> Iterator[Finding]:
    """A day with ten reviews or more, and ten times what the product has on its other days."""
    by_product: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.time is not None:
            by_product[row.product_id].append(place)
    for places in by_product.values():
        days = _days(rows, places)
        number, place = _busiest(days, places)
        span = max(days) - min(days)
        usual = (len(places) - number) / span if span else 0.0
        if number >= BURST and span and number >= BURST_TIMES * usual:
            evidence = f"{number:,} on {rows[place].time:%Y-%m-%d}, {usual:.2g} on its other days"
            yield _finding(_BURST, rows[place], evidence)


def _writers(rows: Sequence[Review]) -> Iterator[Finding]:
    by_user: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.time is not None and row.user_id:
            by_user[row.user_id].append(place)
    for user, places in by_user.items():
        if len(places) >= MANY_A_DAY:
            number, place = _busiest(_days(rows, places), places)
            if number >= MANY_A_DAY:
                name = hashlib.blake2b(user.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
                evidence = f"{number:,} by shopper {name} on {rows[place].time:%Y-%m-%d}"
                yield _finding(_WRITER, rows[place], evidence)


def _days(rows: Sequence[Review], places: Sequence[int]) -> list[int]:
    return [int(time.timestamp() // _DAY) for place in places if (time := rows[place].time) is not None]


def _busiest(days: Sequence[int], places: Sequence[int]) -> tuple[int, int]:
    """How many came on the day with most, and the first of them."""
    _, first, counts = np.unique(days, return_index=True, return_counts=True)
    most = int(counts.argmax())
    return int(counts[most]), places[int(first[most])]


def _finding(problem: Problem, review: Review, evidence: str) -> Finding:
    return Finding(
        check=CHECK,
        severity=problem.severity,
        problem=problem.text,
        product_id=review.product_id,
        row=review.row,
        field="text",
        evidence=evidence,
        repair=problem.repair,
        confidence=problem.confidence,
    )
