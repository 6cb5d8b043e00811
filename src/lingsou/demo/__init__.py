"""A bilingual demo shop, generated: invented brands, believable products, drawn pictures, judged queries."""

from lingsou.demo.generator import REFERENCE, generate
from lingsou.demo.pictures import picture
from lingsou.demo.queries import Criterion, JudgedQuery, grade, judged_queries
from lingsou.demo.shop import write_feed, write_shop
from lingsou.demo.vocabulary import category_names

__all__ = [
    "REFERENCE",
    "Criterion",
    "JudgedQuery",
    "category_names",
    "generate",
    "grade",
    "judged_queries",
    "picture",
    "write_feed",
    "write_shop",
]
