"""Mining of a made-up shop: which source finds what, bounds, and the same names every time."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.text.segment import Segmenter
from lingsou.training.expansions import MiningSettings, mine
from lingsou.training.expansions.mining import MOST_PRODUCTS, sample
from lingsou.training.expansions.searches import Asked

SEGMENTER = Segmenter()
ALIKE = {"davenport": 1, "settee": 1, "divan": 2, "daybed": 2, "crimson": 3, "scarlet": 3}


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Words of one number are near each other, all others far apart."""
    vectors = []
    for text in texts:
        random = np.random.default_rng(ALIKE.get(text) or zlib.crc32(text.encode()))
        own = random.normal(size=64)
        vectors.append(own + np.random.default_rng(zlib.crc32(text.encode())).normal(0, 0.2, 64))
    found = np.asarray(vectors, np.float32)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def shop() -> list[Product]:
    """40 seats, half called one thing and half another, in two colours; and 300 other things."""
    seats = [
        Product.model_validate(
            {
                "id": f"s{n}",
                "title": f"{('davenport', 'settee')[n % 2]} {('crimson', 'scarlet')[n // 20]} for room {n}",
                "category": ("Home", "Seats"),
                "attributes": {"colour": ("crimson", "scarlet")[n // 20]},
            }
        )
        for n in range(40)
    ]
    beds = [
        Product(id=f"b{n}", title="divan / daybed" if n % 2 else "daybed", category=("Home", "Beds")) for n in range(20)
    ]
    letters = "bcdfghjklm"
    rest = [
        Product(
            id=f"x{n}", title=f"gadget{letters[n % 10]}zz {letters[n // 10 % 10]}yy", category=("Other", str(n % 7))
        )
        for n in range(400)
    ]
    return [*seats, *beds, *rest]


def test_catalogue_and_encoder_tell_names_and_colours_are_none() -> None:
    done: list[tuple[int, int]] = []
    found = mine(shop(), SEGMENTER, encode=encode, progress=lambda *at: done.append(at))
    names = {(each.phrase, each.name): each for each in found.names}
    assert names["davenport", "settee"].source == "encoder"
    assert names["settee", "davenport"].evidence == 20
    assert ("crimson", "scarlet") not in names
    assert names["divan", "daybed"].source == "catalogue"
    assert all(0 < each.weight < 1 for each in found.names)
    assert done
    assert done[-1][0] == done[-1][1]
    assert mine(shop(), SEGMENTER, encode=encode) == found
    assert sum(found.counts.values()) == len(found.names)


def test_cells_of_vectors_stand_in_where_there_are_no_categories() -> None:
    """Where the two names lie in different cells, they are not one thing."""
    plain = [product.model_copy(update={"category": ()}) for product in shop()]
    near = encode(["davenport" if "davenport" in p.title or "settee" in p.title else p.title for p in plain])
    apart = encode([p.title.split()[0] + "x" for p in plain])
    settings = MiningSettings(cells=12)

    def names(vectors: NDArray[np.float32]) -> set[tuple[str, str]]:
        found = mine(plain, SEGMENTER, encode=encode, vectors=lambda _: vectors, settings=settings)
        return {(each.phrase, each.name) for each in found.names}

    assert ("davenport", "settee") in names(near)
    assert ("davenport", "settee") not in names(apart)


def test_the_log_tells_names_without_an_encoder() -> None:
    rows = [(f"a{n}", "davenport", f"v{n}", n * 10**8) for n in range(4)]
    rows += [(f"b{n}", "settee", f"v{n}", n * 10**8 + 9_000) for n in range(4)]
    rows += [(f"c{n}{m}", f"{'thing' if m else 'item'} {chr(97 + n)}", f"w{n}", 10**10 + n * 10**8 + m)
             for n in range(20) for m in range(2)]  # fmt: skip
    asked = Asked(
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        np.array([row[3] for row in rows], np.int64),
    )
    clicks = [(f"b{n}", "p1", f"v{n}") for n in range(4)] + [(f"c{n}1", "p2", f"w{n}") for n in range(20)]
    found = mine([], SEGMENTER, asked=asked, clicks=clicks)
    assert [(each.phrase, each.name, each.source, each.evidence) for each in found.names] == [
        ("davenport", "settee", "searches", 4)
    ]


def test_a_large_catalogue_is_sampled_evenly() -> None:
    batch = [Product(id=str(n), title="x") for n in range(7_000)]
    found = sample([batch] * 9, 63_000)
    assert 0.7 * MOST_PRODUCTS < len(found) <= MOST_PRODUCTS
    assert sample([batch], 7_000) == batch
    assert sample([], 0) == []


def test_titles_without_words_tell_nothing() -> None:
    assert mine([Product(id="1", title="007 – 42")], SEGMENTER, encode=encode).names == ()
