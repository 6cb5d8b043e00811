"""A mapping guessed from the columns and the first rows of a feed: a draft that a person reads and corrects.

Names propose and values decide: a column called `price` that holds words is not a price, and a nameless column of
13-digit codes with right check digits is an EAN. Nothing is scaled or left out silently; the notes say what was seen.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as AbstractMapping
from typing import Any

from lingsou.catalog.families import attribute_rules
from lingsou.catalog.mapping import LISTS, MOMENTS, NUMBERS, FieldRule, Mapping
from lingsou.catalog.profile import MODEL, Column, profile
from lingsou.catalog.synonyms import field_names, ignored, size_order
from lingsou.catalog.values import currency
from lingsou.core.types import Product

SAMPLE = 200
_REQUIRED = {"id", "title"}
Rules = dict[str, FieldRule]
_AVAILABILITY = {
    "in_stock": "", "in stock": "", "available": "", "preorder": "", "backorder": "", "有货": "", "现货": "",
    "out_of_stock": 0, "out of stock": 0, "sold out": 0, "无货": 0, "缺货": 0, "售罄": 0,
}  # fmt: skip
_FITS: dict[str, Callable[[Column], bool]] = {
    "id": lambda c: c.scalar and c.distinct_share == 1 and c.longest <= 256,
    "title": lambda c: c.text_share > 0.5 and c.longest <= 2_000,
    "short_description": lambda c: c.text_share > 0.5 and not c.urls,
    "description": lambda c: c.text_share > 0.5 and not c.urls,
    "brand": lambda c: c.scalar and c.longest <= 200 and not c.urls,
    "category": lambda c: not c.urls and not c.objects,
    "price": lambda c: c.number_share >= 0.8,
    "currency": lambda c: c.scalar and c.longest == 3,
    "sku": lambda c: c.scalar and c.longest <= 100 and not c.urls,
    "mpn": lambda c: c.scalar and c.longest <= 100 and not c.urls,
    "ean": lambda c: c.code_share >= 0.5,
    "images": lambda c: c.urls or c.files,
    "tags": lambda c: not c.urls and not c.objects and c.text_share > 0.5,
    "language": lambda c: c.scalar and c.longest <= 16,
    "stock": lambda c: c.number_share == 1 or c.words <= {word.casefold() for word in _AVAILABILITY},
    "rating": lambda c: c.number_share >= 0.8 and c.smallest >= 0 and c.largest <= 5,
    "review_count": lambda c: c.number_share >= 0.8 and c.smallest >= 0,
    "sales": lambda c: c.number_share >= 0.8 and c.smallest >= 0,
    "created_at": lambda c: c.date_share >= 0.9,
    "updated_at": lambda c: c.date_share >= 0.9,
    "group_id": lambda c: c.scalar and c.longest <= 256,
}


def guess_mapping(sample_rows: Iterable[AbstractMapping[str, Any]]) -> Mapping:
    """The likeliest mapping for a feed that begins with these rows; the first 200 are looked at."""
    rows = [row for row, _ in zip(sample_rows, range(SAMPLE), strict=False)]
    columns = {column.name: column for column in profile(rows)}
    notes: dict[str, str] = {}
    rules = _as_products(columns) if _REQUIRED <= columns.keys() <= Product.model_fields.keys() else _by_name(columns)
    _title_and_model(rules, columns, notes)
    _codes_by_value(rules, columns)
    _identifier(rules, columns, notes)
    _remarks(rules, columns, notes)
    used = {source for rule in rules.values() for source in rule.source}
    unused = [column for name, column in columns.items() if name not in used]
    attributes, dropped = attribute_rules(unused)
    if dropped:
        notes[""] = f"Read {len(rows)} rows. Left out: {', '.join(dropped[:50])}{' …' if len(dropped) > 50 else ''}"
    ordered = {name: rules[name] for name in Product.model_fields if name in rules}
    return Mapping(fields=ordered, attributes=attributes, notes=notes)


def _as_products(columns: AbstractMapping[str, Column]) -> Rules:
    """Columns that are the product's own fields: only numbers and dates are still looked at."""
    rules: Rules = {}
    for field, column in columns.items():
        if field == "attributes" or (field in NUMBERS | MOMENTS and not column.empty and not _FITS[field](column)):
            continue
        typed = field in LISTS and not any(isinstance(value, str) for value in column.values)
        rules[field] = FieldRule(source=(field,)) if typed else _rule(field, [column])
    return rules


def _by_name(columns: AbstractMapping[str, Column]) -> Rules:
    """The best-named fitting columns of each field. A column serves one field; better names choose first."""
    bids = [
        (rank, place, field, column)
        for field, names in field_names().items()
        for place, column in enumerate(columns.values())
        if (rank := _rank(column.key, names)) is not None and (column.empty or _FITS[field](column))
    ]
    chosen: dict[str, list[Column]] = {}
    owner: dict[str, str] = {}
    for _, _, field, column in sorted(bids, key=lambda bid: (bid[0], bid[1])):
        if owner.setdefault(column.name, field) == field:
            chosen.setdefault(field, []).append(column)
    return {field: _rule(field, found) for field, found in chosen.items()}


def _rank(key: str, names: Sequence[str]) -> int | None:
    return names.index(key) if key in names else None


def _rule(field: str, found: list[Column]) -> FieldRule:
    best = found[0]
    extra: dict[str, Any] = {}
    if field in LISTS:
        if field == "images":
            found = _pictures(found)
        elif field == "category":
            found = _levels(found)
        else:
            found = found[:1]
        if len(found) > 1:
            extra["take"] = "all"
        if any(column.json for column in found):
            extra["json"] = True
        elif field != "ean" and len(found) == 1 and (separator := found[0].separator(field)):
            extra["split"] = separator
    elif field == "price":
        # A reduced price stands before the usual one, and is empty where nothing is reduced.
        found = (
            found if any(column.key.startswith(("sale", "special", "discount")) for column in found[:1]) else found[:1]
        )
    elif field == "stock" and best.words:
        found, extra["values"] = found[:1], {word: _AVAILABILITY[word] for word in sorted(_AVAILABILITY)}
    elif field in ("title", "description", "short_description"):
        found = found[:1]
    else:
        found = found[:1]
    return FieldRule(source=tuple(column.name for column in found), **extra)


def _pictures(found: list[Column]) -> list[Column]:
    """Several sizes of one picture are one picture, the largest; a main picture and a gallery are both wanted."""
    sized = [column for column in found if any(size in column.key.split("_") for size in size_order())]
    if not sized:
        return found
    parts = [
        (size_order().index(part), column) for column in sized for part in column.key.split("_") if part in size_order()
    ]
    return [min(parts, key=lambda pair: pair[0])[1], *(column for column in found if column not in sized)]


def _levels(found: list[Column]) -> list[Column]:
    """Columns that are levels of one path (`main_category`, `sub_category`; `category_1`, `category_2`), in order."""
    order = (
        "main",
        "top",
        "primary",
        "一级",
        "1",
        "l1",
        "sub",
        "secondary",
        "second",
        "二级",
        "2",
        "l2",
        "三级",
        "3",
        "l3",
        "4",
    )
    level = [(order.index(part), c) for c in found for part in re.split(r"_|(?<=级)", c.key) if part in order]
    if len({place for place, _ in level}) < 2:
        return found[:1]
    return [column for _, column in sorted(level, key=lambda pair: pair[0])]


def _title_and_model(rules: Rules, columns: AbstractMapping[str, Column], notes: dict[str, str]) -> None:
    """Beside a title, `name` is what the manufacturer calls the product: its number, where it looks like one."""
    if "title" not in rules or "mpn" in rules:
        return
    own = rules["title"].source[0]
    for column in columns.values():
        if column.key in ("name", "model_name", "product_name") and column.name != own and column.model_share >= 0.15:
            always = column.model_share == 1
            rules["mpn"] = FieldRule(source=(column.name,), match=None if always else MODEL)
            notes["mpn"] = f"{column.model_share:.0%} of '{column.name}' look like model numbers; '{own}' is the title."
            return


def _codes_by_value(rules: Rules, columns: AbstractMapping[str, Column]) -> None:
    """A column of valid EAN or UPC codes is one, whatever its name; unless it is taken."""
    used = {source for rule in rules.values() for source in rule.source}
    if "ean" not in rules:
        for column in columns.values():
            if column.name not in used and column.code_share >= 0.95 and column.count >= 3:
                rules["ean"] = FieldRule(source=(column.name,))
                return


def _identifier(rules: Rules, columns: AbstractMapping[str, Column], notes: dict[str, str]) -> None:
    """Every product needs an id: the code that is unique, else a hash of the link or of the title."""
    if "id" in rules:
        return
    for field in ("sku", "ean", "mpn"):
        rule = rules.get(field)
        if rule and _FITS["id"](columns[rule.source[0]]) and columns[rule.source[0]].full:
            rules["id"] = FieldRule(source=rule.source[:1])
            notes["id"] = f"No id column; the {field} is unique and stands in."
            return
    links = [c.name for c in columns.values() if c.urls and c.full and c.distinct_share == 1 and c.key in ignored()]
    source = links[:1] or list(rules["title"].source[:1] if "title" in rules else [])
    if source:
        rules["id"] = FieldRule(source=tuple(source), hash=True)
        notes["id"] = (
            f"No id column: a hash of '{source[0]}' stands in. Where it changes, the product counts as another."
        )


def _remarks(rules: Rules, columns: AbstractMapping[str, Column], notes: dict[str, str]) -> None:
    """What a person should decide: the currency, cents, and ratings on another scale."""
    price = rules.get("price")
    if price:
        column = columns[price.source[0]]
        code = currency(column.hint)
        if code and "currency" not in rules:
            rules["currency"] = FieldRule(constant=code)
            notes["currency"] = f"From the name of '{column.name}'."
        if column.integers and column.smallest >= 50:
            notes["price"] = (
                f"Whole numbers from {column.smallest:g} to {column.largest:g}. If they are cents: "
                f'price = {{ source = "{column.name}", scale = 0.01 }}'
            )
    if "rating" not in rules:
        for column in columns.values():
            if column.key in field_names()["rating"] and column.number_share >= 0.8 and column.largest > 5:
                notes["rating"] = (
                    f"'{column.name}' goes up to {column.largest:g}; ratings are 0 to 5. For example: "
                    f'rating = {{ source = "{column.name}", scale = {5 / _top(column.largest):g} }}'
                )


def _top(largest: float) -> float:
    return next((top for top in (10.0, 20.0, 100.0) if largest <= top), largest)
