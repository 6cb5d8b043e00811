"""The texts of a product, and excerpts of them that are fit to show."""

from collections.abc import Callable, Iterator
from weakref import ref

from lingsou.core.types import Product

MAX_EVIDENCE = 100
_CONTEXT = 24


def texts(product: Product) -> Iterator[tuple[str, str]]:
    """Field name and text of everything that is written in a product; images, which are addresses, are left out.

    An attribute's value and unit go under `attributes.<name>`, the name itself under `attributes`.
    """
    yield "id", product.id
    yield "title", product.title
    if product.short_description:
        yield "short_description", product.short_description
    if product.description:
        yield "description", product.description
    if product.brand:
        yield "brand", product.brand
    if product.sku:
        yield "sku", product.sku
    if product.mpn:
        yield "mpn", product.mpn
    if product.group_id:
        yield "group_id", product.group_id
    for name in product.category:
        yield "category", name
    for name in product.tags:
        yield "tags", name
    for name, attribute in product.attributes.items():
        yield "attributes", name
        value = attribute.value
        if isinstance(value, str):
            yield f"attributes.{name}", value
        elif isinstance(value, tuple):
            for each in value:
                yield f"attributes.{name}", each
        if attribute.unit:
            yield f"attributes.{name}", attribute.unit


# Every check looks at the same product before the next one comes, so the text is put together once for all of them.
_latest: tuple[Callable[[], Product | None], str] = (lambda: None, "")


def all_text(product: Product) -> str:
    """Every text of `texts` in one string: one look at it tells whether any field needs a closer one."""
    global _latest
    known, text = _latest
    if known() is not product:
        text = _joined(product)
        _latest = ref(product), text
    return text


def _joined(product: Product) -> str:
    parts = [
        product.id,
        product.title,
        product.short_description,
        product.description,
        product.brand,
        product.sku,
        product.mpn,
        product.group_id,
        *product.category,
        *product.tags,
    ]
    for name, attribute in product.attributes.items():
        parts.append(name)
        value = attribute.value
        if isinstance(value, str):
            parts.append(value)
        elif isinstance(value, tuple):
            parts.extend(value)
        if attribute.unit:
            parts.append(attribute.unit)
    return " ".join(parts)


# Small letters and digits of ASCII, and a space for every other byte.
_WORDS = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256))


def ascii_words(text: str) -> list[bytes]:
    """Runs of ASCII letters and digits, in small letters, at C speed; other letters part words as spaces do."""
    return text.encode(errors="replace").translate(_WORDS).split()


def excerpt(text: str, start: int, end: int) -> str:
    r"""At most 100 characters around `text[start:end]`, with what cannot be seen written as `\u200b`."""
    first, last = max(0, start - _CONTEXT), min(len(text), max(end, start + 1) + _CONTEXT)
    shown = visible(text[first:last])
    if first:
        shown = "…" + shown
    if len(shown) > MAX_EVIDENCE or last < len(text):
        shown = shown[: MAX_EVIDENCE - 1] + "…"
    return shown


def visible(text: str) -> str:
    """`text` with control, format and unassigned characters as escapes; spaces and line breaks as one space."""
    return "".join(
        " " if char.isspace() else char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
