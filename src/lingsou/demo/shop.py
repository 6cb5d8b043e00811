"""Write a whole demo shop to a folder: feed, pictures, judged queries."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lingsou.core.types import Product
from lingsou.demo.generator import generate
from lingsou.demo.pictures import picture
from lingsou.demo.queries import Criterion, JudgedQuery, judged_queries
from lingsou.demo.vocabulary import category_names

CATALOGUE = "products.jsonl.gz"
QUERIES = "queries.jsonl"
LABELS = "labels.tsv"


def write_shop(folder: Path, products: int = 3200, seed: int = 7) -> None:
    """Write `products.jsonl.gz`, `images/*.svg` and `queries.jsonl`; the same arguments give the same bytes.

    Keys of the feed are the fields of `Product`, so it needs no mapping. Existing files of these names are replaced.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    made = list(generate(products, seed))
    write_feed(folder / CATALOGUE, made)
    for product in made:
        (folder / product.images[0]).write_text(picture(product), encoding="utf-8", newline="\n")
    lines = (json.dumps(as_record(query), ensure_ascii=False) for query in judged_queries(made))
    (folder / QUERIES).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_labels(path: Path) -> None:
    """Write the Chinese names of the categories, as the storefront reads them: language, name, shown name."""
    names = ((" > ".join(english), chinese[-1]) for english, chinese in category_names().items())
    path.write_text("".join(f"zh\t{name}\t{shown}\n" for name, shown in names), encoding="utf-8", newline="\n")


def write_feed(path: Path, products: Iterable[Product]) -> None:
    """Stream products as gzipped JSON Lines; neither name nor time of writing goes into the file."""
    with path.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
        for product in products:
            packed.write(product.model_dump_json(exclude_defaults=True).encode() + b"\n")


def as_record(query: JudgedQuery) -> dict[str, Any]:
    """The query as it stands in `queries.jsonl`; `grades` maps product ids to 1, 2 or 3."""
    leaves, related = ", ".join(query.leaves), ", ".join(query.related)
    return {
        "query": query.query,
        "language": query.language,
        "intent": query.intent,
        "categories": leaves,
        "related": related,
        "criteria": [_criterion_record(criterion) for criterion in query.criteria],
        "grades": dict(query.grades),
    }


def _criterion_record(criterion: Criterion) -> dict[str, Any]:
    parts: dict[str, Any] = {"fact": "/".join(criterion.names), "not": criterion.negated}
    parts |= {"any": sorted(criterion.values)} if criterion.values else {"gte": criterion.low, "lte": criterion.high}
    return {name: value for name, value in parts.items() if value not in (None, False)}
