"""Vectors of products: what text stands for a product, and never encoding the same text twice."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lingsou.core.types import Product
from lingsou.encoders.calibration import Centring, Group, fit_centring, group_of
from lingsou.encoders.encoder import Encoder


def document_text(product: Product) -> str:
    """What a product's vector is made of: title, brand unless the title names it, category, short description."""
    parts = [product.title]
    if product.brand and product.brand.casefold() not in product.title.casefold():
        parts.append(product.brand)
    parts += product.category[-1:]
    if product.short_description:
        parts.append(product.short_description)
    return ". ".join(parts)


class Vectors(Protocol):
    """Where vectors of one encoder are kept by text."""

    def get(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Text → vector, for those that are stored."""
        ...

    def put(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Keep vectors; durable when it returns."""
        ...


class DocumentEmbedder:
    """Turns products into vectors through a store of what was encoded before."""

    def __init__(self, encoder: Encoder, stored: Vectors):
        self._encoder = encoder
        self._stored = stored
        self.seconds = 0.0
        """Spent in the encoder so far."""

    @property
    def fingerprint(self) -> str:
        """Of the encoder."""
        return self._encoder.fingerprint

    def vectors(self, products: Sequence[Product]) -> NDArray[np.float32]:
        """Raw vectors [n, d]; those that had to be encoded are kept before this returns."""
        texts = [document_text(product) for product in products]
        known = self._stored.get(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            with self._timed():
                fresh = self._encoder.encode_documents(missing)
            self._stored.put(missing, fresh)
            # As they will be read again, so that the way here makes no difference.
            known |= zip(missing, fresh.astype(np.float16).astype(np.float32), strict=True)
        return np.stack([known[text] for text in texts])

    def fit(self, products: Sequence[Product]) -> Centring:
        """Means by language from a sample of the catalogue."""
        titles = [product.title for product in products]
        vectors = self.vectors(products)
        with self._timed():
            return fit_centring(self._encoder, titles, vectors, groups(products))

    @contextmanager
    def _timed(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start


def groups(products: Sequence[Product]) -> list[Group]:
    """The language whose mean each product gets."""
    return [group_of(product.title) for product in products]
