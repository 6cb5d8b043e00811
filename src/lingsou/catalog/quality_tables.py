"""The tables of data quality: what the checks found in the store, the scores of products, repairs to be reviewed.

`lingsou.quality.runs` and `lingsou.catalog.suggestions` read and write.
"""

from sqlalchemy import BigInteger, Boolean, Column, Double, Index, Table, Text

from lingsou.catalog.tables import Number
from lingsou.core.database import Schema, metadata

quality_runs = Table(
    "quality_runs",
    metadata,
    Column("number", Number, primary_key=True, autoincrement=False),
    Column("began_at", Text, nullable=False),
    Column("deep", Boolean, nullable=False),
    Column("products", BigInteger, nullable=False),
    Column("score", Double, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("warnings", BigInteger, nullable=False),
    Column("infos", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("report", Text, nullable=False),
)
"""Runs that came to their end, and what they reported, as JSON. `sequence` is that of the change log at the start."""

quality_findings = Table(
    "quality_findings",
    metadata,
    Column("run", Number, nullable=False),
    Column("product_id", Text, nullable=False),
    Column("check", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("repair", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Index("quality_findings_product", "run", "product_id"),
)
"""Findings about single products, of the last run. The next writes its own beside them, and at its end alone stays."""

quality_scores = Table(
    "quality_scores",
    metadata,
    Column("run", Number, primary_key=True, autoincrement=False),
    Column("product_id", Text, primary_key=True),
    Column("score", Double, nullable=False),
)
"""0 to 100 for each product with findings, of the last run; a product without a row has 100."""

quality_suggestions = Table(
    "quality_suggestions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("product_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("check", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("confidence", Double, nullable=False),
    Column("run", Number, nullable=False),
    Column("state", Text, nullable=False),
    Column("history", Text, nullable=False),
    Index("quality_suggestions_queue", "state", "confidence", "id"),
    Index("quality_suggestions_product", "product_id"),
)
"""Repairs, each for one product, field, old and new value, which its id is the digest of. `run` saw it last."""

QUALITY_SCHEMA = Schema("quality", (quality_runs, quality_findings, quality_scores, quality_suggestions))
