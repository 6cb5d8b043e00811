"""Vectors of texts, kept by encoder and text: no text is ever encoded twice, whatever happens to the index."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, LargeBinary, Table, Text, bindparam, func, select, text

from lingsou.catalog.writes import chunks
from lingsou.core.database import Database, Schema, metadata

text_vectors = Table(
    "text_vectors",
    metadata,
    Column("encoder", Text, primary_key=True),
    Column("text_hash", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
)
"""Raw vectors as float16 (768 bytes at 384 dimensions); centring is a matter of the index."""

VECTORS_SCHEMA = Schema("vectors", (text_vectors,))

_GET = select(text_vectors.c.text_hash, text_vectors.c.vector).where(
    text_vectors.c.encoder == bindparam("encoder"), text_vectors.c.text_hash.in_(bindparam("hashes", expanding=True))
)
_ENCODERS = (
    select(text_vectors.c.encoder, func.count())
    .where(text_vectors.c.text_hash.in_(bindparam("hashes", expanding=True)))
    .group_by(text_vectors.c.encoder)
)
# Two processes that encode the same text get the same vector: the first stays.
_PUT = text(
    "INSERT INTO text_vectors (encoder, text_hash, vector) VALUES (:encoder, :text_hash, :vector) "
    "ON CONFLICT DO NOTHING"
)


def text_hash(words: str) -> str:
    """The key of a text: 128 bits of its SHA-256, in hex."""
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def encoders_of(database: Database, texts: Sequence[str]) -> Counter[str]:
    """Fingerprints of the encoders that vectors of these texts are stored of, and of how many texts each."""
    found: Counter[str] = Counter()
    with database.read() as connection:
        for chunk in chunks(sorted({text_hash(each) for each in texts})):
            for encoder, count in connection.execute(_ENCODERS, {"hashes": chunk}):
                found[encoder] += count
    return found


class VectorStore:
    """Stored vectors of one encoder, named by its fingerprint. Thread-safe, as the database is."""

    def __init__(self, database: Database, encoder: str):
        self._database = database
        self._encoder = encoder

    def get(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Text → vector (float32), for those that are stored."""
        by_hash = {text_hash(each): each for each in texts}
        found: dict[str, NDArray[np.float32]] = {}
        with self._database.read() as connection:
            for chunk in chunks(list(by_hash)):
                for key, blob in connection.execute(_GET, {"encoder": self._encoder, "hashes": chunk}):
                    found[by_hash[key]] = np.frombuffer(blob, np.float16).astype(np.float32)
        return found

    def put(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors [n, d] of texts; durable when it returns."""
        half = vectors.astype(np.float16)
        rows = [
            {"encoder": self._encoder, "text_hash": text_hash(each), "vector": vector.tobytes()}
            for each, vector in zip(texts, half, strict=True)
        ]
        if rows:
            with self._database.write() as connection:
                connection.execute(_PUT, rows)
