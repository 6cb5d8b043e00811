"""Suggestions while the shopper types: an index of its own, in memory, made from the catalogue and the search log."""

from lingsou.retrieval.suggest.builder import ProductTitle, SuggestBuilder
from lingsou.retrieval.suggest.index import SuggestIndex

__all__ = ["ProductTitle", "SuggestBuilder", "SuggestIndex"]
