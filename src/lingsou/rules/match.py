"""Which rules hold for a request: one walk over the words of the query, whatever the number of rules."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lingsou.rules.schema import KINDS, Audience, ListName, PatternKind, Rule, Synonyms, TimeWindow
from lingsou.text.normalise import HAN, normalise
from lingsou.text.segment import Segmenter

_TOKEN = re.compile(rf"{HAN.pattern}|(?:(?!{HAN.pattern})[^\W_])+(?:\.\d+)*")
_SEPARATOR = " > "


def tokens_of(text: str, segmenter: Segmenter) -> list[str]:
    """Each Chinese character and each other word (English ones stemmed).

    Characters and not cut words, so that a pattern is found wherever it stands, however its neighbours are cut.
    """
    found: list[str] = []
    for token in _TOKEN.findall(normalise(text)):
        found += [token] if HAN.match(token) else segmenter.terms_of_normalised(token)[:1] or [token]
    return found


@dataclass(frozen=True)
class Situation:
    """What rules look at in a request. `categories` are paths that it is about, by filter or by belief."""

    q: str
    moment: datetime
    categories: tuple[str, ...] = ()
    locale: str | None = None
    device: str | None = None
    segments: tuple[str, ...] = ()
    list: ListName = "search"
    """Which list the products are for."""


@dataclass(frozen=True)
class Matched:
    """A rule that holds. `heard` has for each of its synonym actions, by place, which of `words` the query has."""

    rule: Rule
    heard: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True)
class _Phrase:
    """One piece of text to be found: part `part` of pattern `pattern`, or word `part` of a synonym action."""

    kind: PatternKind
    owner: tuple[int, int, bool]
    """Place of the rule, of the pattern or action in it, and whether it is an action."""
    part: int


@dataclass(frozen=True, slots=True)
class _Conditions:
    """What a rule asks beside words, in the form that is compared soonest."""

    categories: frozenset[str]
    starts: datetime | None
    ends: datetime | None
    hours: TimeWindow | None
    locales: tuple[str, ...]
    devices: frozenset[str]
    segments: frozenset[str]
    lists: frozenset[str]

    @classmethod
    def of(cls, rule: Rule) -> "_Conditions":
        time, audience = rule.when.time or TimeWindow(), rule.when.audience or Audience()
        return cls(
            frozenset(category.casefold() for category in rule.when.categories),
            time.moment(time.starts) if time.starts else None,
            time.moment(time.ends) if time.ends else None,
            time if time.days or time.hours else None,
            tuple(f"{locale.casefold()}-" for locale in audience.locales),
            frozenset(device.casefold() for device in audience.devices),
            frozenset(audience.segments),
            frozenset((*rule.when.lists, *(KINDS if "recommend" in rule.when.lists else ()))),
        )

    def hold(self, situation: Situation, paths: set[str], locale: str, device: str) -> bool:
        moment = situation.moment
        return not (
            situation.list not in self.lists
            or (self.ends and moment >= self.ends)
            or (self.starts and moment < self.starts)
            or (self.segments and self.segments.isdisjoint(situation.segments))
            or (self.categories and self.categories.isdisjoint(paths))
            or (self.locales and not locale.startswith(self.locales))
            or (self.devices and device not in self.devices)
            or (self.hours and not self.hours.holds(moment))
        )


@dataclass
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    ends: list[_Phrase] = field(default_factory=list)


class RuleIndex:
    """Rules ready to be matched: a trie of their phrases, and tables of the others. Immutable once made.

    Cost of a match: the tokens of the query times the depth to which rules follow them, plus a check for each rule
    that has neither words nor categories nor segments.
    """

    def __init__(self, rules: Iterable[Rule], segmenter: Segmenter):
        self.segmenter = segmenter
        self.rules = tuple(sorted((rule for rule in rules if rule.enabled), key=lambda rule: rule.strength))
        self._root = _Node()
        self._parts: dict[tuple[int, int, bool], int] = {}
        self._by_category: dict[str, list[int]] = defaultdict(list)
        self._by_segment: dict[str, list[int]] = defaultdict(list)
        self._always: list[int] = []
        self._conditions = [_Conditions.of(rule) for rule in self.rules]
        self._categories = frozenset(path for each in self._conditions for path in each.categories)
        self._lists = frozenset(name for each in self._conditions for name in each.lists)
        self._only_synonyms = [all(isinstance(action, Synonyms) for action in rule.then) for rule in self.rules]
        for place, rule in enumerate(self.rules):
            self._add(place, rule)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def _add(self, place: int, rule: Rule) -> None:
        for number, pattern in enumerate(rule.when.queries):
            texts = dict.fromkeys(pattern.text.split()) if pattern.kind == "words" else (pattern.text,)
            cut = [tokens for text in texts if (tokens := tokens_of(text, self.segmenter))]
            self._parts[place, number, False] = len(cut)
            for part, tokens in enumerate(cut):
                self._plant(tokens, _Phrase(pattern.kind, (place, number, False), part))
        for number, action in enumerate(rule.then):
            if isinstance(action, Synonyms):
                for part, word in enumerate(action.words):
                    self._plant(tokens_of(word, self.segmenter), _Phrase("phrase", (place, number, True), part))
        conditions = self._conditions[place]
        if rule.when.queries or self._only_synonyms[place]:
            return
        for category in conditions.categories:
            self._by_category[category].append(place)
        for segment in () if conditions.categories else conditions.segments:
            self._by_segment[segment].append(place)
        if not conditions.categories and not conditions.segments:
            self._always.append(place)

    def _plant(self, tokens: Sequence[str], phrase: _Phrase) -> None:
        node = self._root
        for token in tokens:
            node = node.children.setdefault(token, _Node())
        node.ends.append(phrase)

    def act_on(self, name: ListName) -> bool:
        """Whether a rule may hold for such a list."""
        return name in self._lists

    def ask_about(self, categories: Iterable[str]) -> bool:
        """Whether a rule is about one of these categories or one above them."""
        return not self._categories.isdisjoint(_paths(categories))

    def match(self, situation: Situation) -> list[Matched]:
        """The rules that hold, strongest first."""
        found = self._found(tokens_of(situation.q, self.segmenter))
        paths = _paths(situation.categories)
        places = {place for path in paths for place in self._by_category.get(path, ())}
        places.update(self._always, *(self._by_segment.get(segment, ()) for segment in situation.segments))
        heard: dict[int, dict[int, tuple[int, ...]]] = defaultdict(dict)
        for (place, number, is_action), parts in found.items():
            if is_action:
                heard[place][number] = tuple(sorted(parts))
                if not self.rules[place].when.queries:
                    places.add(place)
            elif len(parts) == self._parts[place, number, False]:
                places.add(place)
        locale, device = f"{situation.locale or ''}-".casefold(), (situation.device or "").casefold()
        return [
            Matched(self.rules[place], heard.get(place, {}))
            for place in sorted(places)
            if self._conditions[place].hold(situation, paths, locale, device)
            and (place in heard or not self._only_synonyms[place])
        ]

    def _found(self, tokens: Sequence[str]) -> dict[tuple[int, int, bool], set[int]]:
        """Pattern or action → its parts that the query has."""
        found: dict[tuple[int, int, bool], set[int]] = defaultdict(set)
        for start in range(len(tokens)):
            node: _Node | None = self._root
            for end in range(start, len(tokens)):
                node = node.children.get(tokens[end]) if node else None
                if node is None:
                    break
                for phrase in node.ends:
                    if phrase.kind == "exact" and (start or end + 1 < len(tokens)):
                        continue
                    if phrase.kind == "prefix" and start:
                        continue
                    found[phrase.owner].add(phrase.part)
        return found


def _paths(categories: Iterable[str]) -> set[str]:
    """The categories and all above them, without case."""
    steps = (category.casefold().split(_SEPARATOR) for category in categories)
    return {_SEPARATOR.join(each[: depth + 1]) for each in steps for depth in range(len(each))}
