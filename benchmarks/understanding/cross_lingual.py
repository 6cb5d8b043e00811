"""Section `cross_lingual`: 100 queries in one language over the demo shop's products that are titled in the other.

The queries (`cross_lingual.tsv`, half Chinese and half English) were written before any of their results was seen. What
answers one is told by the facts that the products were generated from, as in `demo_relevance`: the category is right
(grade 1), and so is what else was asked for (3). Products with a Chinese title are ranked for English queries, those
with an English one for Chinese queries; titles in both languages are left out.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.understanding.expansion import compared
from benchmarks.understanding.searching import searched_shop
from benchmarks.understanding.section import Options, Section
from lingsou.core.types import Product
from lingsou.demo import generate
from lingsou.demo.queries import JudgedQuery, criterion, grade
from lingsou.evaluation.judgements import Judgements
from lingsou.query.expansion import NameLookup
from lingsou.text.language import detect
from lingsou.training.expansions import mine

PRODUCTS, SEED = 3_200, 7
_TABLE = Path(__file__).with_name("cross_lingual.tsv")
_OTHER = {"zh": "en", "en": "zh"}
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "bilingual": ("bilingual",),
    "tables": ("bilingual", "synonym"),
    "encoder": ("encoder",),
    "all": ("bilingual", "synonym", "catalogue", "encoder"),
}


def queries() -> list[JudgedQuery]:
    """Those of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return [
            JudgedQuery(
                row["query"],
                row["language"],
                "",
                tuple(row["leaves"].split(",")),
                (),
                tuple(criterion(text) for text in (row["criteria"] or "").split("; ") if text),
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]


def judged(asked: JudgedQuery, products: list[Product]) -> dict[str, float]:
    """The grades of the products that are titled in the other language."""
    of_other = (product for product in products if detect(product.title) == _OTHER[asked.language])
    return {product.id: float(mark) for product in of_other if (mark := grade(asked, product))}


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Both languages, each over its own half of the shop."""
    found: dict[str, Any] = {}
    everything = list(generate(PRODUCTS, SEED))
    for language, other in _OTHER.items():
        products = [product for product in everything if detect(product.title) == other]
        grades = {asked.query: judged(asked, products) for asked in queries() if asked.language == language}
        with searched_shop(products, options, f"demo-{other}", "CNY") as shop:
            mined = mine(products, shop.segmenter, encode=shop.encode)
            lookups = {name: NameLookup(mined.names, shop.segmenter, (), of) for name, of in VARIANTS.items()}
            found[f"{language} to {other}"] = {"names": mined.counts} | compared(
                shop, Judgements(grades), lookups, halves=False
            )
    return found


SECTION = Section("cross_lingual", (), measure)
