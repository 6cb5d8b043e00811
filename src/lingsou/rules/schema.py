"""What a rule may say: when it holds, and what it then asks of a search. docs/rules.md has examples."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

import orjson
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from lingsou.core.errors import InputError
from lingsou.core.types import Frozen, Id, RecommendKind
from lingsou.text.normalise import normalise

MAX_RULES = 5_000

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
PatternKind = Literal["exact", "prefix", "phrase", "words"]
ListName = Literal["search", "recommend"] | RecommendKind
"""Where products are listed: searches, every kind of recommendation, or one kind."""

WORDLESS = "recommendations have no words: leave `queries` out, or all but `search` in `lists`"
LISTED_ALONE = "recommendations know pin, hide, filter, boost and bury alone"
"""What is said of rules that recommendations cannot follow."""

KINDS: tuple[RecommendKind, ...] = get_args(RecommendKind)
LISTS: tuple[ListName, ...] = ("search", "recommend", *KINDS)


def _with_a_word(text: str) -> str:
    if not any(character.isalnum() for character in normalise(text)):
        raise ValueError("holds no letter, digit or Chinese character")
    return text


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # a folder of the database reads as OSError
        raise ValueError("is no time zone; write one such as Asia/Shanghai or UTC") from error
    return name


def _local_time(value: time) -> time:
    if value.tzinfo:
        raise ValueError("is a time of day in the window's own time zone; leave the offset out")
    return value


def _as_json(value: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        plain: dict[str, Any] = orjson.loads(orjson.dumps(dict(value)))
    except TypeError as error:
        raise ValueError(f"holds what JSON cannot: {error}") from error
    return plain


def _as_pattern(value: Any) -> Any:
    return {"words": value} if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_with_a_word)]
Category = Annotated[str, Field(min_length=1, max_length=2_000)]
Ids = Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
Url = Annotated[str, Field(max_length=2_000, pattern=r"^(?:https?://[^\s\\]+|/(?:[^\s/\\][^\s\\]*)?)$")]
"""A web address, or a path on the shop's own site; nothing that a browser would run."""
FilterObject = Annotated[
    Mapping[str, Any],
    Field(min_length=1, description="in the filter grammar of docs/http.md"),
    AfterValidator(_as_json),
]
Weight = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class Pattern(Frozen):
    """How the query must read, whatever its case, width, accents or (in English) endings. Exactly one is given."""

    exact: Text | None = Field(None, description="the whole query is this")
    prefix: Text | None = Field(None, description="the query starts with these words")
    phrase: Text | None = Field(None, description="these words stand in the query in this order, side by side")
    words: Text | None = Field(None, description="each of these words stands somewhere in the query")

    @model_validator(mode="after")
    def _is_one(self) -> "Pattern":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("a pattern has exactly one of exact, prefix, phrase and words")
        return self

    @property
    def kind(self) -> PatternKind:
        """Which one is given."""
        return next(kind for kind in get_args(PatternKind) if getattr(self, kind) is not None)

    @property
    def text(self) -> str:
        """What it says."""
        text: str = getattr(self, self.kind)
        return text


class TimeWindow(Frozen):
    """When a rule holds; all that is given must hold. Times without an offset are those of `timezone`."""

    starts: datetime | None = Field(None, description="from this moment on")
    ends: datetime | None = Field(None, description="before this moment")
    days: tuple[Day, ...] = Field((), max_length=7, description="days of the week")
    hours: tuple[Annotated[time, AfterValidator(_local_time)], Annotated[time, AfterValidator(_local_time)]] | None = (
        Field(None, description="from, and before; `['22:00', '02:00']` goes over midnight")
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"

    @model_validator(mode="after")
    def _is_a_window(self) -> "TimeWindow":
        bounds = [self.moment(bound) for bound in (self.starts, self.ends) if bound]
        if len(bounds) == 2 and bounds[0] >= bounds[1]:
            raise ValueError("it ends before it starts")
        if self.hours and self.hours[0] == self.hours[1]:
            raise ValueError("`hours` begin when they end; leave them out for the whole day")
        return self

    def moment(self, bound: datetime) -> datetime:
        """One of its bounds with its time zone."""
        return bound if bound.tzinfo else bound.replace(tzinfo=ZoneInfo(self.timezone))

    def holds(self, moment: datetime) -> bool:
        """Whether the window is open."""
        if (self.starts and moment < self.moment(self.starts)) or (self.ends and moment >= self.moment(self.ends)):
            return False
        if not self.days and not self.hours:
            return True
        local = moment.astimezone(ZoneInfo(self.timezone))
        if self.days and DAYS[local.weekday()] not in self.days:
            return False
        if not self.hours:
            return True
        first, last = self.hours
        now = local.time()
        return first <= now < last if first < last else now >= first or now < last


class Audience(Frozen):
    """For whom a rule holds, as the request's context says; of each list that is given, one must fit."""

    locales: tuple[Annotated[str, Field(min_length=2, max_length=35)], ...] = Field(
        (), description="`zh` holds for `zh-CN` too"
    )
    devices: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    segments: tuple[Annotated[str, Field(min_length=1, max_length=50)], ...] = ()


class When(Frozen):
    """The conditions: all that are given must hold, and of each list one entry. Nothing given: always."""

    queries: tuple[Annotated[Pattern, BeforeValidator(_as_pattern)], ...] = Field(
        (), max_length=200, description="a bare text is read as `words`"
    )
    categories: tuple[Category, ...] = Field(
        (), max_length=200, description="paths such as `Clothing > Shoes`, which stand for all below them"
    )
    time: TimeWindow | None = None
    audience: Audience | None = None
    lists: tuple[ListName, ...] = Field(
        ("search",), min_length=1, max_length=20, description="`recommend` stands for every kind of recommendation"
    )

    @model_validator(mode="after")
    def _can_be_heard(self) -> "When":
        if self.queries and set(self.lists) != {"search"}:
            raise ValueError(WORDLESS)
        return self


class Synonyms(Frozen):
    """Two-way among `words`; with `to`, one-way: whoever types one of `words` finds `to` as well."""

    do: Literal["synonyms"]
    words: tuple[Text, ...] = Field(min_length=1, max_length=100)
    to: tuple[Text, ...] = Field((), max_length=100)
    weight: Weight = Field(0.8, description="what a synonym counts beside the word itself")

    @model_validator(mode="after")
    def _has_two(self) -> "Synonyms":
        if len(self.words) + len(self.to) < 2:
            raise ValueError("synonyms need two words, or `to`")
        return self


class Boost(Frozen):
    """Lift the products that pass the filter."""

    do: Literal["boost"]
    filter: FilterObject
    weight: Weight = Field(0.2, description="added to a score that words and meaning make up to about 1.4")


class Bury(Frozen):
    """Push the products that pass the filter down."""

    do: Literal["bury"]
    filter: FilterObject
    weight: Weight = Field(0.2, description="taken off the score")


class PinProducts(Frozen):
    """Put products at fixed places of the order by relevance, one after the other."""

    do: Literal["pin"]
    ids: Ids
    position: int = Field(1, ge=1, le=1_000, description="of the first of them, from 1")


class Hide(Frozen):
    """Leave products out, by id, by filter or by both."""

    do: Literal["hide"]
    ids: tuple[Id, ...] = Field((), max_length=200)
    filter: FilterObject | None = None

    @model_validator(mode="after")
    def _names_some(self) -> "Hide":
        if not self.ids and self.filter is None:
            raise ValueError("`hide` needs `ids` or `filter`")
        return self


class FilterResults(Frozen):
    """Show only what passes."""

    do: Literal["filter"]
    filter: FilterObject


class Redirect(Frozen):
    """Send the shopper to a page of the shop's own."""

    do: Literal["redirect"]
    url: Url


class ShowBanner(Frozen):
    """Show something beside the results."""

    do: Literal["banner"]
    text: str = Field(min_length=1, max_length=500)
    url: Url | None = None
    image: Url | None = None


Action = Annotated[
    Synonyms | Boost | Bury | PinProducts | Hide | FilterResults | Redirect | ShowBanner, Field(discriminator="do")
]


class Rule(Frozen):
    """One rule. Where two disagree the higher `priority` wins, then the id that comes first."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description="letters, digits, `.`, `_` and `-`")
    name: str = Field("", max_length=200)
    priority: int = Field(0, ge=-1_000, le=1_000)
    enabled: bool = True
    when: When = When()
    then: tuple[Action, ...] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _can_be_done(self) -> "Rule":
        searches_alone = (Synonyms, Redirect, ShowBanner)
        if set(self.when.lists) != {"search"} and any(isinstance(action, searches_alone) for action in self.then):
            raise ValueError(LISTED_ALONE)
        return self

    @property
    def strength(self) -> tuple[int, str]:
        """Sorts the strongest rule first."""
        return -self.priority, self.id


def parse_rules(raw: Any) -> tuple[Rule, ...]:
    """Rules from a list of plain objects.

    Raises:
        InputError: names the rule, its field and the cure.
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str | bytes):
        raise InputError("Rules are a list.", field="rules", cure='Send {"rules": [{…}]}, also for one rule.')
    rules = tuple(_parsed(row, each) for row, each in enumerate(raw, 1))
    twice = [id_ for id_, count in Counter(rule.id for rule in rules).items() if count > 1]
    if twice:
        raise InputError(f"Rule '{twice[0]}' stands there twice.", field="id", cure="Give every rule an id of its own.")
    return rules


def _parsed(row: int, raw: Any) -> Rule:
    if isinstance(raw, Rule):
        return raw
    try:
        return Rule.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        named = raw.get("id") if isinstance(raw, Mapping) else None
        name = f"Rule '{_printable(named)}'" if isinstance(named, str) and named else "A rule without an id"
        field = _printable(".".join(str(part) for part in first["loc"])) or None
        raise InputError(
            f"{name}: {first['msg']}.", field=field, row=row, cure="docs/rules.md shows every field of a rule."
        ) from error


def _printable(text: str) -> str:
    """JSON may spell halves of characters, which no answer could repeat."""
    return text.encode("utf-8", "backslashreplace").decode()
