"""Query understanding: limits, wishes and refusals in a shopper's words, and what the catalogue knows by name."""

from lingsou.query.beliefs import category_beliefs
from lingsou.query.filters import hard_filters
from lingsou.query.lexicon import CatalogLexicon, Match, Meaning
from lingsou.query.understander import Understander
from lingsou.query.vocabulary import NumberField, Vocabulary, vocabulary_of

__all__ = [
    "CatalogLexicon",
    "Match",
    "Meaning",
    "NumberField",
    "Understander",
    "Vocabulary",
    "category_beliefs",
    "hard_filters",
    "vocabulary_of",
]
