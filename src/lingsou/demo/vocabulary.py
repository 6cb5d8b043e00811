"""The words the demo shop is made of, read from `data/`.

`catalogue-*.txt` hold one block a leaf category: a line `[key] English > path | 中文 > 路径`, then lines
`name: value`, then one line `* 词, 同义词 = word, synonym` for each type of product, whose own `name: value` lines
replace those of the leaf (a `point` is added instead, a `point!` drops the leaf's). The names:

- `title` the family of title patterns, `brands` and `colours` the pools drawn from, `shape` the picture,
  `price` the band in CNY, `sizes` the scheme of sizes, `model` the letters of model numbers, `axis` a slot that
  variants differ in, `audience` for whom, `weight` how much more of it than of others the shop has;
- `spec: name!+~ unit | values | title` a measure: `!` shown in titles, `+` raises the price, `~` variants differ in it;
- `point: 中文 = English` a sentence of the description;
- anything else is a slot of terms, `中文=English; …`, and becomes an attribute of that name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import NamedTuple

_SETTINGS = {
    "title",
    "brands",
    "colours",
    "shape",
    "price",
    "sizes",
    "model",
    "axis",
    "audience",
    "spec",
    "point",
    "weight",
}
_UNIT_TITLES = {"inch": ("{}英寸", "{}-Inch")}


class Term(NamedTuple):
    """A word or phrase in both languages; index 0 is Chinese, 1 English."""

    zh: str
    en: str


class Brand(NamedTuple):
    """An invented brand; `zh` is empty when it has only a Latin name. `tier` multiplies prices."""

    zh: str
    latin: str
    tier: float

    @property
    def name(self) -> str:
        """What stands in `Product.brand`, the same in every language: `岚朵 Landuo`."""
        return f"{self.zh} {self.latin}" if self.zh else self.latin


class Colour(NamedTuple):
    """A shade with its family (`navy` is a `blue`) and drawing colour."""

    key: str
    family: str
    term: Term
    hex: str


class Audience(NamedTuple):
    """For whom: the attribute values, the forms Chinese titles use, and English `men's` and `men`."""

    key: str
    term: Term
    zh_titles: tuple[str, ...]
    whose: str
    who: str


class Spec(NamedTuple):
    """A measured attribute; `titles` are the formats in which it appears in titles."""

    name: str
    unit: Term
    values: tuple[float, ...]
    titles: Term
    in_title: bool
    raises_price: bool
    varies: bool


@dataclass(frozen=True, eq=False)
class Kind:
    """One type of product in one leaf category, everything resolved. Prices in CNY."""

    leaf: str
    nouns: tuple[tuple[str, ...], tuple[str, ...]]
    family: str
    brands: tuple[Brand, ...]
    colours: tuple[Colour, ...]
    audiences: tuple[Audience, ...]
    sizes: str
    shape: str
    price: tuple[float, float]
    model: str
    axes: tuple[str, ...]
    slots: Mapping[str, tuple[Term, ...]]
    specs: tuple[Spec, ...]
    points: tuple[Term, ...]
    weight: int

    @property
    def term(self) -> Term:
        """The first name in each language, the value of the attribute `type`."""
        return Term(self.nouns[0][0], self.nouns[1][0])


@dataclass(frozen=True)
class Leaf:
    """A leaf category: its canonical (English) path, the Chinese names of that path, and its types."""

    key: str
    path: tuple[str, ...]
    path_zh: tuple[str, ...]
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Every table of the shop."""

    leaves: Mapping[str, Leaf]
    brands: Mapping[str, tuple[Brand, ...]]
    colours: tuple[Colour, ...]
    audiences: Mapping[str, Audience]
    series: tuple[Term, ...]
    labels: Mapping[str, Term]
    kinds: tuple[Kind, ...] = field(default=())


def read_data(name: str) -> str:
    """The text of one file in the package's `data` folder."""
    return (resources.files("lingsou.demo") / "data" / name).read_text(encoding="utf-8")


def table(name: str) -> Iterator[dict[str, str]]:
    """Rows of a tab-separated file with a header line, as column → text."""
    head, *lines = read_data(name).splitlines()
    columns = head.split("\t")
    for line in lines:
        if line:
            yield dict(zip(columns, line.split("\t"), strict=True))


def category_names() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Canonical category path (every prefix too) → the same path in Chinese."""
    return {
        leaf.path[:depth]: leaf.path_zh[:depth]
        for leaf in vocabulary().leaves.values()
        for depth in range(1, len(leaf.path) + 1)
    }


@cache
def vocabulary() -> Vocabulary:
    """Read all tables; cached for the life of the process."""
    brands: dict[str, list[Brand]] = {}
    for row in table("brands.tsv"):
        brands.setdefault(row["pool"], []).append(Brand(row["zh"], row["latin"], float(row["tier"])))
    palettes: dict[str, list[Colour]] = {}
    colours = []
    for row in table("colours.tsv"):
        colour = Colour(row["key"], row["family"], Term(row["zh"], row["en"]), row["hex"])
        colours.append(colour)
        for palette in row["palettes"].split():
            palettes.setdefault(palette, []).append(colour)
    audiences = {
        row["key"]: Audience(
            row["key"], Term(row["zh"], row["en"]), tuple(row["zh_title"].split(",")), row["en_whose"], row["en_for"]
        )
        for row in table("audiences.tsv")
    }
    leaves: dict[str, Leaf] = {}
    for part in ("fashion", "digital", "living", "family", "outdoors"):
        for leaf in _leaves(read_data(f"catalogue-{part}.txt"), brands, palettes, audiences):
            leaves[leaf.key] = leaf
    return Vocabulary(
        leaves=leaves,
        brands={pool: tuple(each) for pool, each in brands.items()},
        colours=tuple(colours),
        audiences=audiences,
        series=tuple(Term(row["zh"], row["en"]) for row in table("series.tsv")),
        labels={row["key"]: Term(row["zh"], row["en"]) for row in table("labels.tsv")},
        kinds=tuple(kind for leaf in leaves.values() for kind in leaf.kinds),
    )


def _leaves(
    text: str,
    brands: Mapping[str, list[Brand]],
    palettes: Mapping[str, list[Colour]],
    audiences: Mapping[str, Audience],
) -> Iterator[Leaf]:
    for block in text.split("\n[")[1:]:
        head, *lines = block.strip().splitlines()
        key, names = head.split("] ", 1)
        path, path_zh = (tuple(each.split(" > ")) for each in names.split(" | "))
        shared: list[str] = []
        kinds: list[tuple[str, list[str]]] = []
        for line in lines:
            if line.startswith("* "):
                kinds.append((line[2:], []))
            elif line:
                (kinds[-1][1] if kinds else shared).append(line)
        yield Leaf(
            key, path, path_zh, tuple(_kind(key, noun, shared, own, brands, palettes, audiences) for noun, own in kinds)
        )


def _kind(
    leaf: str,
    nouns: str,
    shared: list[str],
    own: list[str],
    brands: Mapping[str, list[Brand]],
    palettes: Mapping[str, list[Colour]],
    audiences: Mapping[str, Audience],
) -> Kind:
    settings: dict[str, str] = {}
    specs: dict[str, list[str]] = {"shared": [], "own": []}
    points: list[str] = []
    own_points: list[str] = []
    for origin, lines in (("shared", shared), ("own", own)):
        for line in lines:
            name, _, value = line.partition(":")
            value = value.strip()
            if name == "spec":
                specs[origin].append(value)
            elif name == "point":
                points.append(value)
            elif name == "point!":
                own_points.append(value)
            else:
                settings[name] = value
    low, high = settings["price"].split()
    chinese, english = nouns.split(" = ")
    return Kind(
        leaf=leaf,
        nouns=(tuple(chinese.split(", ")), tuple(english.split(", "))),
        family=settings["title"],
        brands=tuple(brand for pool in settings["brands"].split() for brand in brands[pool]),
        colours=tuple(dict.fromkeys(c for palette in settings.get("colours", "").split() for c in palettes[palette])),
        audiences=tuple(audiences[each] for each in settings.get("audience", "").split()),
        sizes=settings.get("sizes", ""),
        shape=settings["shape"],
        price=(float(low), float(high)),
        model=settings.get("model", ""),
        axes=tuple(settings.get("axis", "").split()),
        slots={
            name: tuple(_term(pair) for pair in value.split(";"))
            for name, value in settings.items()
            if name not in _SETTINGS
        },
        specs=tuple(_spec(text) for text in specs["own"] or specs["shared"]),
        points=tuple(_term(text) for text in own_points or points),
        weight=int(settings.get("weight", 1)),
    )


def _term(text: str, separator: str = "=") -> Term:
    zh, found, en = text.partition(separator)
    return Term(zh.strip(), en.strip() if found else zh.strip())


def _spec(text: str) -> Spec:
    measure, values, *formats = (part.strip() for part in text.split("|"))
    name, _, unit_text = measure.partition(" ")
    unit = Term("", "") if unit_text.strip() == "-" else _term(unit_text)
    bare = name.rstrip("!+~")
    flags = name[len(bare) :]
    titles = _term(formats[0], "/") if formats else Term(*_UNIT_TITLES.get(unit.en, ("{}" + unit.zh, "{} " + unit.en)))
    return Spec(
        bare, unit, tuple(float(value) for value in values.split()), titles, "!" in flags, "+" in flags, "~" in flags
    )
