"""The one table of built-in implementations: kind → name → "module:attribute".

Third-party packages add their own under the entry-point group `lingsou.<kind>`; built-ins go through the
same door (`lingsou.core.plugins`).
"""

BUILTINS: dict[str, dict[str, str]] = {
    "feed": {
        "csv": "lingsou.catalog.feeds.csv:CsvFeed",
        "tsv": "lingsou.catalog.feeds.csv:TsvFeed",
        "jsonl": "lingsou.catalog.feeds.jsonl:JsonLinesFeed",
        "parquet": "lingsou.catalog.feeds.parquet:ParquetFeed",
        "google": "lingsou.catalog.feeds.google:GoogleMerchantFeed",
    },
    "check": {
        "encoding": "lingsou.quality.checks.encoding:EncodingCheck",
        "html": "lingsou.quality.checks.html:HtmlCheck",
        "duplicate-id": "lingsou.quality.checks.duplicate_id:DuplicateIdCheck",
        "price": "lingsou.quality.checks.price:PriceCheck",
        "stock": "lingsou.quality.checks.stock:StockCheck",
    },
    "encoder": {
        "e5-small": "lingsou.encoders.models:open_e5_small",
    },
    "engine": {
        "embedded": "lingsou.retrieval.engines.embedded:EmbeddedEngine",
    },
}
