"""What a ranker knows of a product for a query: one file for each kind of feature, the same offline and online."""

from lingsou.features.feature import Feature, RankingBatch, all_features, feature_named, matrix
from lingsou.features.tokens import ProductTerms, TermCache

__all__ = ["Feature", "ProductTerms", "RankingBatch", "TermCache", "all_features", "feature_named", "matrix"]
