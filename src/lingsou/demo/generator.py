"""The products of the demo shop, streamed: the same seed gives the same products everywhere."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from lingsou.core.types import Attribute, Product
from lingsou.demo.text import Draft, texts_of
from lingsou.demo.vocabulary import Audience, Colour, Kind, Spec, Term, Vocabulary, vocabulary

REFERENCE = datetime(2026, 1, 15, 8, 0, tzinfo=UTC)
"""The day the shop is seen on; every `updated_at` lies before it."""

_LANGUAGES = (("zh", 0.45), ("en", 0.80), ("mixed", 1.0))
_GROUP_SHARE = 0.093  # of drafts; with 2 to 5 variants each about a quarter of the products are in a group
_ADULT = ("S", "M", "L", "XL", "XXL")
_HEIGHTS = ("100", "110", "120", "130", "140", "150")
_SIZES: dict[str, dict[str, tuple[str, ...]]] = {
    "clothes": {"*": _ADULT, "women": ("XS", *_ADULT[:4]), "men": ("M", "L", "XL", "XXL", "XXXL")}
    | dict.fromkeys(("boys", "girls", "kids"), _HEIGHTS),
    "waist": {"*": ("28", "30", "32", "34", "36"), "women": ("25", "26", "27", "28", "29", "30", "31")},
    "shoes": {"women": ("35", "36", "37", "38", "39", "40"), "men": ("39", "40", "41", "42", "43", "44", "45")}
    | {"*": ("36", "37", "38", "39", "40", "41", "42", "43")}
    | dict.fromkeys(("boys", "girls", "kids"), ("26", "28", "30", "32", "34")),
    "baby": {"*": ("59", "66", "73", "80", "90")},
}
_ENDINGS = {
    10: (0.5, 0.8, 0.9, 0.9),
    30: (0, 0.8, 0.9, 0.9),
    100: (9, 9, 9, 5, 8, 9.9, 9.9, 6.9),
    1000: (9, 9, 9, 8, 9.9, 5),
}
# how steeply the price of a variant follows its measure: price grows as measure to this power
_PRICE_GROWTH = {
    "net_weight": 0.75,
    "net_content": 0.7,
    "count": 0.75,
    "pieces": 0.6,
    "weight": 0.8,
    "screen_size": 2.0,
}
_THOUSANDS = (99, 99, 99, 49, 88, 69)


@dataclass
class _Serials:
    """What must stay unique along the stream."""

    seed: int
    product: int = 0
    group: int = 0
    models: dict[tuple[str, str], int] = field(default_factory=dict)

    def model(self, kind: Kind, brand: str) -> str:
        count = self.models[brand, kind.model] = self.models.get((brand, kind.model), -1) + 1
        start = sum(map(ord, brand)) % 900
        return f"{kind.model}{100 + (start + count * 37) % 900 + count // 900 * 1000}"


def generate(products: int = 3200, seed: int = 7) -> Iterator[Product]:
    """Stream `products` products. A longer stream of the same seed begins with the shorter one."""
    rng = Random(seed)
    words = vocabulary()
    serials = _Serials(seed)
    deck: list[Kind] = []
    while serials.product < products:
        if not deck:
            deck = _deck(words)
            rng.shuffle(deck)
        draft = _draft(deck.pop(), rng, words, serials)
        variants = _variants(draft, rng)
        if len(variants) > 1:
            serials.group += 1
            group = f"g{serials.group:06d}"
        else:
            group = ""
        for number, variant in enumerate(variants):
            serials.product += 1
            yield _product(variant, rng, serials, group, number)
            if serials.product >= products:
                return


def _deck(words: Vocabulary) -> list[Kind]:
    """Every kind of product once, or more often where a category has few kinds or sells a lot."""
    return [
        kind
        for leaf in words.leaves.values()
        for kind in leaf.kinds
        for _ in range(kind.weight * math.ceil(3 / len(leaf.kinds)))
    ]


def ean13(serial: int, seed: int) -> str:
    """A valid EAN-13 of the range kept for in-store numbers (prefix 29), so it can be nobody's real product."""
    body = f"29{(serial * 7_368_787 + seed * 1_009) % 10**10:010d}"
    total = sum(map(int, body[::2])) + 3 * sum(map(int, body[1::2]))
    return f"{body}{-total % 10}"


def retail_price(amount: float, low: float, high: float, pick: float) -> float:
    """`amount` with an ending shops like (`pick` in [0, 1) chooses which), kept within the band; CNY."""
    for limit, endings in _ENDINGS.items():
        if amount < limit:
            step = 1 if limit <= 30 else 10
            nice = amount // step * step + endings[int(pick * len(endings))]
            break
    else:
        step = 100 if amount < 10_000 else 1000
        nice = amount // step * step + (_THOUSANDS[int(pick * len(_THOUSANDS))] if step == 100 else 999)
    return round(min(max(nice, low), high), 2)


def _draft(kind: Kind, rng: Random, words: Vocabulary, serials: _Serials) -> Draft:
    point = rng.random()
    language = next(name for name, limit in _LANGUAGES if point < limit)
    brand = rng.choice(kind.brands)
    quality = rng.gauss(0, 1)
    terms = {name: rng.choice(options) for name, options in kind.slots.items() if name not in ("feature", "scene")}
    features = rng.sample(kind.slots["feature"], min(3, len(kind.slots["feature"])))
    low, high = kind.price
    amount = math.exp(
        (math.log(low) + math.log(high)) / 2 + (0.75 * quality + 0.5 * rng.gauss(0, 1)) * math.log(high / low) / 5
    )
    audience = rng.choice(kind.audiences) if kind.audiences else None
    bits = rng.getrandbits(144)
    return Draft(
        kind=kind,
        brand=brand,
        language=language,
        nouns=(rng.choice(kind.nouns[0]), rng.choice(kind.nouns[1])),
        terms=terms,
        features=tuple(features),
        scene=rng.choice(kind.slots["scene"]),
        audience=audience,
        audience_zh=rng.choice(audience.zh_titles) if audience else "",
        colour=rng.choice(_colours(kind, audience)) if kind.colours else None,
        size=rng.choice(_sizes(kind, audience)) if kind.sizes else "",
        series=rng.choice(words.series),
        model=serials.model(kind, brand.latin) if kind.model else "",
        specs=tuple((spec, _level(spec, quality, rng)) for spec in kind.specs),
        price=min(max(amount * brand.tier, low), high),
        flags=bits >> 128,
        picks=tuple([bits >> shift & 0xFFFF for shift in range(0, 128, 16)]),
        varied="",
    )


def _sizes(kind: Kind, audience: Audience | None) -> tuple[str, ...]:
    scheme = _SIZES[kind.sizes]
    return scheme.get(audience.key if audience else "*", scheme.get("*", ()))


@lru_cache(maxsize=2_000)
def _colours(kind: Kind, audience: Audience | None) -> tuple[Colour, ...]:
    """The colours to draw from: plain ones (black, blue) three times, for they are commoner than shades."""
    fitting = kind.colours
    if audience is not None and audience.key in ("men", "boys"):
        fitting = tuple(colour for colour in fitting if colour.family != "pink" and colour.key != "lilac")
    return fitting + 2 * tuple(colour for colour in fitting if colour.key == colour.family)


def _level(spec: Spec, quality: float, rng: Random) -> int:
    """Which of the values: better products have more of what raises the price."""
    count = len(spec.values)
    if not spec.raises_price:
        return rng.randrange(count)
    share = 0.5 + quality * 0.22 + rng.uniform(-0.2, 0.2)
    return min(max(int(share * count), 0), count - 1)


def _variants(draft: Draft, rng: Random) -> list[Draft]:
    """The draft alone, or two to five of it that differ in one thing."""
    kind = draft.kind
    axes: list[str] = [name for name in kind.axes if len(kind.slots[name]) > 1]
    axes += ["colour"] * 2 if len(kind.colours) > 1 else []
    axes += ["size"] if kind.sizes else []
    axes += [f"spec:{spec.name}" for spec in kind.specs if spec.varies]
    if not axes or rng.random() >= _GROUP_SHARE:
        return [draft]
    axis, count = rng.choice(axes), rng.choice((2, 3, 3, 4, 5))
    if axis == "colour":
        palette = tuple(dict.fromkeys(_colours(kind, draft.audience)))
        chosen = rng.sample(palette, min(count, len(palette)))
        return [draft.but(varied="colour", colour=colour) for colour in chosen]
    if axis == "size":
        sizes = _sizes(kind, draft.audience)
        start = rng.randrange(max(1, len(sizes) - count + 1))
        return [draft.but(varied="size", size=size) for size in sizes[start : start + count]]
    if axis.startswith("spec:"):
        return _spec_variants(draft, axis.removeprefix("spec:"), count, rng)
    options = rng.sample(kind.slots[axis], min(count, len(kind.slots[axis])))
    return [draft.but(varied=axis, terms={**draft.terms, axis: option}) for option in options]


def _spec_variants(draft: Draft, name: str, count: int, rng: Random) -> list[Draft]:
    place, spec = next((at, spec) for at, (spec, _) in enumerate(draft.specs) if spec.name == name)
    start = rng.randrange(max(1, len(spec.values) - count + 1))
    low, high = draft.kind.price
    found = []
    for level in range(start, min(start + count, len(spec.values))):
        shift = level - draft.specs[place][1]
        specs = tuple((spec, level) if at == place else _shifted(*each, shift) for at, each in enumerate(draft.specs))
        rise = (spec.values[level] / spec.values[level - shift]) ** _PRICE_GROWTH.get(name, 0.35)
        found.append(draft.but(varied=name, specs=specs, price=min(max(draft.price * rise, low), high)))
    return found


def _shifted(spec: Spec, level: int, shift: int) -> tuple[Spec, int]:
    """A bigger variant also weighs more; every other measure stays."""
    if spec.name in ("weight", "diameter") and spec.raises_price:
        return spec, min(max(level + shift, 0), len(spec.values) - 1)
    return spec, level


def _attributes(draft: Draft) -> dict[str, Attribute]:
    side = int(draft.language == "en")
    plain: dict[str, Term] = {"type": draft.kind.term}
    if draft.colour:
        plain["colour"] = draft.colour.term
    if draft.audience:
        plain["audience"] = draft.audience.term
    found = {name: _attribute(term[side]) for name, term in (plain | dict(draft.terms)).items()}
    if draft.size:
        found["size"] = _attribute(draft.size, draft.size_unit)
    found["features"] = _attribute(tuple(term[side] for term in draft.features))
    found["use"] = _attribute(draft.scene[side])
    for spec, level in draft.specs:
        value, unit = draft.measure(spec, level)
        found[spec.name] = _attribute(int(value) if value == int(value) else value, unit[side] or None)
    return found


@lru_cache(maxsize=20_000)
def _attribute(value: str | float | tuple[str, ...], unit: str | None = None) -> Attribute:
    """One frozen object for each value and unit."""
    return Attribute.model_construct(value=value, unit=unit)


def _product(draft: Draft, rng: Random, serials: _Serials, group: str, number: int) -> Product:
    kind = draft.kind
    words = vocabulary()
    serial = serials.product
    side = int(draft.language == "en")
    price = retail_price(draft.price, *kind.price, pick=(draft.picks[0] % 97) / 97)
    age = min(rng.expovariate(1 / 420), 1800.0) + 0.5
    fresh = rng.random() * min(age, 120)
    rating = round(min(5.0, max(2.6, 4.95 - abs(rng.gauss(0, 0.42)) - 0.15 * rng.random())), 1)
    middle = math.sqrt(kind.price[0] * kind.price[1])
    appeal = (
        2.9 + 1.5 * rng.gauss(0, 1) + 0.9 * (rating - 4.4) - 0.5 * math.log(price / middle) + 0.35 * math.log(age / 60)
    )
    sales = int(math.exp(min(appeal + 1.2, 12.5)))
    reviews = int(sales * rng.uniform(0.04, 0.3))
    product_id = f"p{serial:06d}"
    title, short, description = texts_of(draft)
    mpn = f"{draft.brand.latin[:3].upper()}-{draft.model}" if draft.model else ""
    # the parts are of the right types already, and validating each again would cost a tenth of the speed
    return Product.model_construct(
        id=product_id,
        title=title,
        short_description=short,
        description=description,
        brand=draft.brand.name,
        category=words.leaves[kind.leaf].path,
        price=Decimal(f"{price:.2f}"),
        currency="CNY",
        sku=f"{kind.leaf.replace('-', '')[:3].upper()}-{serial:06d}",
        mpn=f"{mpn}-{chr(65 + number)}" if mpn and group else mpn,
        ean=(ean13(serial, serials.seed),),
        attributes=_attributes(draft),
        images=(f"images/{product_id}.svg",),
        tags=_tags(draft, side, age, sales),
        language="" if draft.language == "mixed" else draft.language,
        stock=0 if rng.random() < 0.06 else int(math.exp(rng.gauss(4.2, 1.1))) + 1,
        rating=rating if reviews else None,
        review_count=reviews,
        sales=sales,
        created_at=REFERENCE - timedelta(seconds=int(age * 86_400)),
        updated_at=REFERENCE - timedelta(seconds=int(fresh * 86_400)),
        group_id=group,
    )


def _tags(draft: Draft, side: int, age: float, sales: int) -> tuple[str, ...]:
    tags = [draft.scene]
    if age < 45:
        tags.append(Term("新品", "new"))
    if sales > 800:
        tags.append(Term("热销", "bestseller"))
    if any("gift box" in term.en for term in draft.features) or "present" in draft.scene.en:
        tags.append(Term("礼物", "gift"))
    return tuple(dict.fromkeys(term[side] for term in tags))
