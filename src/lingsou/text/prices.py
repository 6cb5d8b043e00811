"""Price limits in a shopper's words: `50元到100元`, `500以下`, `3千多`, `under $50`, `between 20 and 30 dollars`.

Amounts are found first; then neighbours are joined to ranges and the comparison words around them are read. A
number is money when it carries a currency, or when words ask for a limit and nothing says it counts something else.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Literal

from lingsou.text.numbers import MORE, NUMBER, ceiling_of, fold, read_number
from lingsou.text.quantities import find_quantities
from lingsou.text.units import bound_after, bounds_before, currencies, currency_code, read_table

Kind = Literal["range", "max", "min", "around", "exact"]

AROUND_SHARE = Decimal("0.2")
"""`around 100` accepts this share below and above: 80 to 120."""

CERTAIN, LIKELY, POSSIBLE, WEAK = 1.0, 0.85, 0.7, 0.5
"""Confidence: a currency was written; a comparison word; a usual form without either; a bare range of round numbers."""

_SMALLEST_BARE_MAXIMUM, _SMALLEST_BARE_MINIMUM, _SMALLEST_BARE_WORD = 5, 10, 20
_LIMITS = ("lt", "lte", "gt", "gte")


@dataclass(frozen=True, slots=True)
class PriceConstraint:
    """What a shopper said about the price, over `text[start:end]`. Open bounds are none; `currency` is "" if unsaid.

    `target` is the amount asked for by `around` and `exact`: wishes, better served by a boost than by a filter.
    """

    start: int
    end: int
    surface: str
    kind: Kind
    gte: Decimal | None = None
    lte: Decimal | None = None
    gt: Decimal | None = None
    lt: Decimal | None = None
    target: Decimal | None = None
    currency: str = ""
    approximate: bool = False
    confidence: float = CERTAIN


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number that may be money. `high` makes it a range already (`两三百`, `3千多`), half open if `open_high`."""

    start: int
    end: int
    number: str
    value: Decimal
    high: Decimal | None = None
    open_high: bool = False
    rough: str = ""
    currency: str = ""
    suffix: str = ""
    linked_left: bool = False
    linked_right: bool = False


@cache
def _amount_pattern() -> re.Pattern[str]:
    _, before, after = currencies()
    digit = "[一二两三四五六七八九]"
    return re.compile(
        rf"(?:(?P<before>{before})\s?)?"
        rf"(?:(?P<rough>好?几|上|近)(?P<scale>[十百千万]{{1,2}})(?=[块元])"
        rf"|(?P<pair>{digit}{digit})(?:(?P<pair_scale>[十百千万]{{1,2}})|(?=[块元]))"
        rf"|(?P<number>{NUMBER}))"
        rf"(?P<more>{MORE}|[来把](?=[块元]))?"
        rf"(?:\s?-?(?P<after>{after})(?P<tail>(?<=块)[1-9一二三四五六七八九](?![\d.百千万十支个片条件只]|包(?!邮)))?)?"
    )


@cache
def _not_prices() -> tuple[re.Pattern[str], re.Pattern[str]]:
    rows = read_table("not_prices.tsv")
    before = "|".join(p for side, p in rows if side == "before")
    after = "|".join(p for side, p in rows if side == "after")
    return re.compile(rf"(?:(?<![a-z])(?:{before}))$"), re.compile(after)


_LINKED_LEFT = re.compile(r"[a-z0-9][-_/:.]$")
_GLUED_LEFT = re.compile(r"[a-z0-9.]")
_GLUED_RIGHT = re.compile(r"[a-z0-9%°\"]|[.,:/]\d|'[a-z\d]|_")
_ENDS_WORD = re.compile(r"$|[\s,，。;；!！?？、的)）]")
_COUPON = re.compile(
    r"\s?(?:的)?(?:代金|购物|优惠|现金|抵用|满减)?券|\s?(?:off(?![a-z])|红包|优惠|话费|充值|纪念|硬币|纸币|面额|面值|津贴|补贴)"
)
_COUPON_BEFORE = re.compile(r"[满减抵返送领]$")
_LINK = re.compile(r"\s?(?:-{1,2}|~|到|至|to)\s?")
_AND = re.compile(r"\s?(?:and|&|和|与|跟)\s?")
_BETWEEN_BOUNDS = re.compile(r"[\s,，、]*(?:but|and|且|并且|而且|到|同时)?[\s]*")
_SHORTHAND = re.compile(r".*[百千万][一二三四五六七八九]")
_FREE_SHIPPING = re.compile(r"\s?包邮")
_DIGIT_SCALE = re.compile(r"[\d.]+([百千万k])|[一二两三四五六七八九]([百千万])")


def _amounts(folded: str) -> list[_Amount]:
    found = []
    for match in _amount_pattern().finditer(folded):
        start, end = match.span()
        more, rough = match["more"] or "", match["rough"] or ""
        high: Decimal | None = None
        if match["scale"]:
            value = read_number(match["scale"])
            rough = rough[-1]
        elif match["pair"]:
            scale = read_number(match["pair_scale"]) if match["pair_scale"] else Decimal(1)
            low, top = (read_number(char) for char in match["pair"])
            if scale is None or low is None or top is None or low >= top:
                continue
            value, high = low * scale, top * scale
        else:
            value = read_number(match["number"])
        if value is None or not value.is_finite():
            continue
        if match["tail"]:
            value += (read_number(match["tail"]) or Decimal(0)) / 10
        if more in ("来", "把"):
            rough = "近"
        elif more:
            high = ceiling_of(value)
        elif rough == "几":
            high = value * 10
        latin = match["number"] and match["number"][-1].isascii()
        if latin and not match["before"] and start and _GLUED_LEFT.match(folded, start - 1):
            continue
        if match["number"] and not latin and folded[start - 1 : start] in ("之", "第"):
            continue  # 四分之一圆
        if not match["after"] and not more and latin and _GLUED_RIGHT.match(folded, end):
            continue
        suffix = match["after"] or ""
        found.append(
            _Amount(
                start,
                end,
                match["number"] or match["pair"] or "",
                value,
                high,
                bool(more) or rough == "几",
                rough,
                currency_code(match["before"] or "") or currency_code(suffix),
                suffix,
                bool(_LINKED_LEFT.search(folded, max(0, start - 2), start)),
                folded[end : end + 1] in ("-", "/") and folded[end + 1 : end + 2].isalnum(),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    """What all amounts of one text share while they are judged."""

    text: str
    folded: str
    before: dict[int, list[tuple[int, str]]]
    measured: tuple[list[int], list[int]]

    def opening(self, amount: _Amount) -> tuple[int, set[str], str]:
        """Start of the words before the amount, their meanings, and the meaning next to it."""
        words = self.before.get(amount.start, [])
        return (words[0][0] if words else amount.start), {m for _, m in words}, (words[-1][1] if words else "")

    def counts_something(self, start: int, amount: _Amount) -> bool:
        """Whether a bare number is a size, an age, a version or a count."""
        before, after = _not_prices()
        starts, ends = self.measured
        if bisect_right(ends, amount.start) < bisect_left(starts, amount.end):
            return True  # some quantity ends after the amount starts and starts before it ends
        return bool(after.match(self.folded, amount.end) or before.search(self.folded[max(0, start - 16) : start]))

    def build(self, start: int, end: int, kind: Kind, **bounds: Decimal | None) -> PriceConstraint:
        return PriceConstraint(start, end, self.text[start:end], kind, **bounds)  # type: ignore[arg-type]  # bounds only

    def ended(self, amount: _Amount) -> bool:
        return bool(_ENDS_WORD.match(self.folded, amount.end))


def _scaled_like(first: _Amount, second: _Amount) -> Decimal:
    """`3到5千` means 3000 to 5000."""
    scale = _DIGIT_SCALE.fullmatch(second.number)
    if scale is None or first.currency or not re.fullmatch(r"[\d.]+|[一二两三四五六七八九]", first.number):
        return first.value
    value = first.value * (read_number("1" + (scale[1] or scale[2])) or 1)
    return value if value < second.value else first.value


def _range(reader: _Reader, first: _Amount, second: _Amount) -> PriceConstraint | None:
    folded = reader.folded
    start, meanings, _ = reader.opening(first)
    after = bound_after(folded, second.end)
    between = bool(meanings & {"between", "from"}) or (after is not None and after[1] == "between")
    gap = (folded, first.end, second.start)
    linked = _LINK.fullmatch(*gap)
    if first.rough or second.rough or not (linked or (between and _AND.fullmatch(*gap))):
        return None
    if first.linked_left or second.linked_right:
        return None
    currency = first.currency or second.currency
    low, high = sorted((_scaled_like(first, second), second.high or second.value))
    if second.suffix == "块" and high <= 10 and not reader.ended(second):
        return None
    told = bool(meanings & {"price", "budget"})
    confidence = CERTAIN
    if not currency:
        if (
            reader.counts_something(start, first)
            or reader.counts_something(start, second)
            or high < _SMALLEST_BARE_MINIMUM
        ):
            return None
        confidence = (
            LIKELY
            if told or between
            else _bare_range(reader, first, second, low, high, folded[first.end : second.start])
        )
        if not confidence:
            return None
    end = after[0] if after and after[1] in ("between", "around", "lte") else second.end
    built = reader.build(start, end, "range", gte=low, **{"lt" if second.open_high else "lte": high})
    return replace(built, currency=currency, confidence=confidence, approximate=second.open_high)


def _bare_range(reader: _Reader, first: _Amount, second: _Amount, low: Decimal, high: Decimal, link: str) -> float:
    """Confidence that two bare numbers are prices: nothing unless they end a word and look like a shopper's limits."""
    if not reader.ended(second) or high > low * 20 or low == high:
        return 0
    if not first.number[0].isdigit() or second.number[-1] in "百千万k" or link.strip() in ("到", "至"):
        return POSSIBLE if low >= 10 else 0
    is_round = low % 10 == 0 and high % 10 == 0 and high >= 50
    return WEAK if is_round or (link.strip() == "~" and low >= 10) else 0


def _closing(reader: _Reader, amount: _Amount, nearest: str) -> tuple[int, str]:
    """End and meaning of the words after an amount, unless they belong to the next one or to a product's name."""
    after = bound_after(reader.folded, amount.end)
    if after is None or (nearest in _LIMITS and after[1][0] != nearest[0]):
        return amount.end, ""
    word = reader.folded[amount.end : after[0]].strip()
    if not amount.currency and word in ("max", "maximum", "min", "minimum", "+"):
        return amount.end, ""  # "mate 60 max"
    return after


def _refused(reader: _Reader, amount: _Amount, start: int, limit: str, *, told: bool) -> bool:
    """Whether a number without currency is too small, part of a longer code, or counts something else."""
    word = reader.folded[start : amount.start].strip()
    if amount.linked_left or amount.linked_right or word in ("max", "maximum", "min", "minimum"):
        return True  # "power max 726"
    least = _SMALLEST_BARE_MAXIMUM if limit in ("lt", "lte") else _SMALLEST_BARE_MINIMUM
    if amount.number[:1].isascii() and amount.number[:1].isalpha():
        least = _SMALLEST_BARE_WORD
    if amount.value < least and not _FREE_SHIPPING.match(reader.folded, amount.end):
        return True
    if told and amount.number.endswith(("w", "k")):
        return False  # "预算2w" is no power
    return reader.counts_something(start, amount)


def _single(reader: _Reader, amount: _Amount) -> PriceConstraint | None:
    value = amount.value
    start, meanings, nearest = reader.opening(amount)
    end, closing = _closing(reader, amount, nearest)
    limit = nearest if nearest in _LIMITS else closing if closing in _LIMITS else ""
    told = bool(meanings & {"price", "budget"})
    if not amount.currency and _refused(reader, amount, start, limit, told=told):
        return None
    sure = CERTAIN if amount.currency else LIKELY
    usual = sure if amount.currency or told else POSSIBLE

    def built(kind: Kind, confidence: float, stop: int = amount.end, **bounds: Decimal) -> PriceConstraint:
        constraint = reader.build(start, stop, kind, **bounds)
        return replace(constraint, currency=amount.currency, confidence=confidence)

    if limit:
        edge = amount.high if amount.high and limit in ("lt", "lte") else value
        return built("max" if limit in ("lt", "lte") else "min", sure, end, **{limit: edge})
    if amount.rough == "上":
        return replace(built("min", sure, gte=value), approximate=True)
    if amount.high is not None:
        if not amount.currency and (value < 100 or not (reader.ended(amount) or closing == "around")):
            return None
        upper = {"lt" if amount.open_high else "lte": amount.high}
        return replace(built("range", usual, end, gte=value, **upper), approximate=True)
    if nearest == "around" or closing == "around" or amount.rough:
        share = value * AROUND_SHARE
        stop = end if closing == "around" else amount.end
        return replace(
            built("around", usual, stop, gte=value - share, lte=value + share), approximate=True, target=value
        )
    if "budget" in meanings:
        return built("max", sure, lte=value)
    if amount.currency and nearest == "from":  # "from $20", without an end
        return built("min", sure, gte=value)
    confidence = _exact(reader, amount, nearest)
    if amount.number in ("百", "千", "万") and confidence:  # 千元机 costs between one and two thousand
        return replace(built("range", POSSIBLE, gte=value, lt=value * 2), approximate=True)
    return replace(built("exact", confidence, gte=value, lte=value), target=value) if confidence else None


def _exact(reader: _Reader, amount: _Amount, nearest: str) -> float:
    """Confidence that an amount with no comparison word is the price; 0 for coupons, brands and counts."""
    folded, value = reader.folded, amount.value
    shipped = value < 1_000 and _FREE_SHIPPING.match(folded, amount.end) is not None  # "2017包邮" is a year
    ended = shipped or reader.ended(amount)
    if not amount.currency:
        if nearest == "price":
            return LIKELY
        return POSSIBLE if shipped or (ended and _SHORTHAND.fullmatch(amount.number)) else 0
    if _COUPON.match(folded, amount.end) or _COUPON_BEFORE.search(folded, max(0, amount.start - 1), amount.start):
        return 0
    spelled = not amount.number[:1].isascii()
    if amount.suffix == "元" and spelled and value < 10 and not ended:
        return 0  # 三元牛奶, 三元锂电池, 二次元
    counted = (spelled and value == 1) or (value <= 10 and not ended)
    if amount.suffix == "块" and value == value.to_integral_value() and counted:
        return 0  # 3块香皂, 一块
    return CERTAIN


def _merged(found: list[PriceConstraint], reader: _Reader) -> list[PriceConstraint]:
    """`over 100 under 200` is one range."""
    result: list[PriceConstraint] = []
    for item in found:
        last = result[-1] if result else None
        if (
            last
            and {last.kind, item.kind} == {"min", "max"}
            and _BETWEEN_BOUNDS.fullmatch(reader.folded, last.end, item.start)
        ):
            low, high = (last, item) if last.kind == "min" else (item, last)
            least, most = low.gte or low.gt or Decimal(0), high.lte or high.lt or Decimal(0)
            if least <= most and (not low.currency or not high.currency or low.currency == high.currency):
                built = reader.build(last.start, item.end, "range", gte=low.gte, gt=low.gt, lte=high.lte, lt=high.lt)
                result[-1] = replace(
                    built, currency=low.currency or high.currency, confidence=max(last.confidence, item.confidence)
                )
                continue
        result.append(item)
    return result


def find_prices(text: str) -> list[PriceConstraint]:
    """Every price limit of a query, left to right; spans never overlap; only `MAX_CHARACTERS` characters are read."""
    folded = fold(text)
    amounts = _amounts(folded)
    if not amounts:
        return []
    quantities = find_quantities(text)
    measured = [q.start for q in quantities], [q.end for q in quantities]
    reader = _Reader(text, folded, bounds_before(folded), measured)
    found: list[PriceConstraint] = []
    position, free_from = 0, 0
    while position < len(amounts):
        first = amounts[position]
        second = amounts[position + 1] if position + 1 < len(amounts) else None
        constraint = _range(reader, first, second) if second else None
        position += 2 if constraint else 1
        constraint = constraint or _single(reader, first)
        if constraint and constraint.start >= free_from:
            found.append(constraint)
            free_from = constraint.end
    return _merged(found, reader)
