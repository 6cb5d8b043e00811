"""Merchandising rules: what a shop's people ask of a search, when, and who changed it."""

from lingsou.rules.apply import Effects, Lift, PinnedProduct, effects_of
from lingsou.rules.match import Matched, RuleIndex, Situation
from lingsou.rules.schema import Rule, parse_rules
from lingsou.rules.store import PublishedVersion, RuleBook, RuleStore

__all__ = [
    "Effects",
    "Lift",
    "Matched",
    "PinnedProduct",
    "PublishedVersion",
    "Rule",
    "RuleBook",
    "RuleIndex",
    "RuleStore",
    "Situation",
    "effects_of",
    "parse_rules",
]
