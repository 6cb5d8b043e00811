"""What shoppers want of a shop: the intents, our own lines that the default head learns from, and cues."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from lingsou.core import plugins
from lingsou.core.plan import IntentBelief, QueryPlan
from lingsou.query.tables import rows_of
from lingsou.text.normalise import normalise

INTENTS = (
    "find",
    "browse",
    "navigate",
    "compare",
    "ask_price",
    "ask_reviews",
    "buy_again",
    "after_sales",
    "off_topic",
)
"""Something described; all of a category or brand; one product; which of several; what it costs; what others say of
it; the same as before; help with an order; nothing that a shop sells."""

RULES = "intent-rules"
IntentRules = Callable[[QueryPlan], Sequence[IntentBelief]]
"""What a plug-in of the kind `intent-rules` registers: beliefs that each take their probability of the mass."""


@cache
def intent_lines() -> tuple[tuple[str, str], ...]:
    """(intent, line) of the package's own lines in both languages."""
    return tuple((intent, line) for intent, _, line in rows_of("intents.tsv"))


def intent_rules(name: str | None) -> IntentRules | None:
    """The rules registered under `name`; none for no name.

    Raises:
        ConfigurationError: there are no such rules.
    """
    if not name:
        return None
    rules: IntentRules = plugins.resolve(RULES, name)
    return rules


def intent_cues(plan: QueryPlan) -> list[IntentBelief]:
    """The built-in rules `cues`: words such as `price of` and `多少钱`, an identifier alone, a name alone."""
    words = normalise(plan.read)
    found = [IntentBelief(intent=i, probability=p, source="cues") for i, p, cue in _cues() if cue.search(words)]
    if found:
        return found
    readings = [each for each in plan.entities if not each.negated and each.confidence >= 0.5]
    whole = [each for each in readings if each.end - each.start >= len(plan.read.strip())]
    if any(each.kind == "model" for each in whole):
        return [IntentBelief(intent="navigate", probability=0.8, source="cues")]
    if any(each.kind in ("brand", "category") for each in whole):
        return [IntentBelief(intent="browse", probability=0.7, source="cues")]
    return []


def with_rules(beliefs: Sequence[IntentBelief], rules: Sequence[IntentBelief]) -> tuple[IntentBelief, ...]:
    """The distribution after each rule has taken its probability of the mass for its intent; likeliest first."""
    mass = {each.intent: (each.probability, each.source) for each in beliefs}
    for rule in rules:
        mass = {intent: (share * (1 - rule.probability), source) for intent, (share, source) in mass.items()}
        share, source = mass.get(rule.intent, (0.0, ""))
        mass[rule.intent] = share + rule.probability, f"{source}+{rule.source}" if source else rule.source
    ranked = sorted(mass.items(), key=lambda item: (-item[1][0], item[0]))
    return tuple(
        IntentBelief(intent=intent, probability=round(min(share, 1.0), 4), source=source)
        for intent, (share, source) in ranked
    )


@cache
def _cues() -> tuple[tuple[str, float, re.Pattern[str]], ...]:
    return tuple((intent, float(share), re.compile(cue)) for intent, share, cue in rows_of("intent_cues.tsv"))
