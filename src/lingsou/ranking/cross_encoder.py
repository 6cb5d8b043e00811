"""`OnnxCrossEncoder`: a query and a product's text in one forward pass of ONNX Runtime, one pair at a time.

Batches were measured on one thread, fifty pairs of 14 to 80 tokens sorted by length: four at a time take a tenth less
than one by one, eight the same, all fifty a third more, for what is padded is computed too. A tenth is not worth what
batches cost: int8 activations share one scale a tensor, so batch-mates would change a score. Alone, a pair's score
depends on nothing but the pair. It can be kept for the next page of the same search, and the clock is read after each.
"""

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from lingsou.core.errors import ConfigurationError, MissingExtraError, StorageError
from lingsou.core.manifests import MANIFEST, ModelManifest
from lingsou.encoders.manifest import MODEL, TOKENIZER
from lingsou.encoders.opening import first_line, open_session, open_tokenizer, shown

BEGIN, END = "<s>", "</s>"
LEAST_TOKENS = 16
_QUERIES, _DOCUMENTS, _SCORES = 1_000, 10_000, 20_000
"""How many are kept: about 0.6 kB each."""
_CURE = "Train it anew, or go back: lingsou models rollback reranker"


class RerankerManifest(ModelManifest):
    """What a stored cross-encoder is and how to feed it. Its graph takes `input_ids` and `attention_mask`."""

    task: Literal["reranker"] = "reranker"
    max_tokens: int = Field(ge=LEAST_TOKENS, le=65_536, description="of a pair, special tokens included")
    query_prefix: str = Field("", max_length=1_000, description="put before a query, to the letter")
    document_prefix: str = Field("", max_length=1_000, description="put before a product's text, to the letter")
    pair: Literal["<s> query </s></s> document </s>"] = Field(
        "<s> query </s></s> document </s>", description="how the two texts are joined; the query gets a third at most"
    )
    output: str = Field("score", min_length=1, description="output `[batch]`, higher is better")


class PairTokenizer:
    """Token ids of pairs, the same for training and serving. Safe to share between threads.

    Raises:
        StorageError: the tokenizer has no `<s>` or no `</s>`.
    """

    def __init__(self, tokenizer: Any, *, max_tokens: int, query_prefix: str = "", document_prefix: str = ""):
        tokenizer.no_padding()
        tokenizer.no_truncation()
        begin, end = (tokenizer.token_to_id(piece) for piece in (BEGIN, END))
        if begin is None or end is None:
            raise StorageError(f"The tokenizer of the reranker has no {BEGIN} or no {END}.", cure=_CURE)
        self.max_tokens = max_tokens
        self._begin, self._end = begin, end
        self._tokenizer = tokenizer
        self._prefixes = query_prefix, document_prefix
        # Shoppers page, and products recur from one search to the next.
        self._query = lru_cache(_QUERIES)(self._cut_query)
        self._document = lru_cache(_DOCUMENTS)(self._cut_document)

    def ids(self, query: str, text: str) -> list[int]:
        """`<s> query </s></s> document </s>`: the query cut to a third of `max_tokens`, the document to the rest."""
        asked = self._query(query).tolist()
        document = self._document(text).tolist()[: self.max_tokens - len(asked) - 4]
        return [self._begin, *asked, self._end, self._end, *document, self._end]

    def _cut_query(self, text: str) -> NDArray[np.int32]:
        return self._cut(self._prefixes[0], text, self.max_tokens // 3)

    def _cut_document(self, text: str) -> NDArray[np.int32]:
        return self._cut(self._prefixes[1], text, self.max_tokens)

    def _cut(self, prefix: str, text: str, most: int) -> NDArray[np.int32]:
        found = np.array(self._tokenizer.encode(prefix + shown(text, most), add_special_tokens=False).ids, np.int32)
        # A title that holds "</s>" in so many letters must not end the document.
        return found[~np.isin(found, (self._begin, self._end))][:most]


class OnnxCrossEncoder:
    """A `Reranker` over `model.onnx`, `tokenizer.json` and `manifest.json` of one folder.

    Cost: that of the graph. With the twelve layers of multilingual-e5-small, int8, about 8 ms a pair of 37 tokens on
    one core; scores of pairs met before are kept and cost nothing.
    """

    def __init__(self, version: str, manifest: RerankerManifest, session: Any, tokenizer: Any):
        self.version = version
        self._session = session
        self._output = manifest.output
        self._pairs = PairTokenizer(
            tokenizer,
            max_tokens=manifest.max_tokens,
            query_prefix=manifest.query_prefix,
            document_prefix=manifest.document_prefix,
        )
        self._score = lru_cache(_SCORES)(self._computed)

    @classmethod
    def open(cls, folder: Path) -> "OnnxCrossEncoder":
        """Load the version in `folder`, whose name is the version's, and score a pair to see that it works.

        The files were compared with the manifest before (`ModelStore.verify`). Takes about 2 s for a vocabulary of
        250,000 pieces.

        Raises:
            StorageError: a file cannot be read, or the graph does not fit the manifest.
            MissingExtraError: `onnxruntime` or `tokenizers` is not installed.
        """
        try:
            manifest = RerankerManifest.model_validate_json((folder / MANIFEST).read_bytes())
            tokenizer, session = open_tokenizer(folder / TOKENIZER), open_session(folder / MODEL)
            made = cls(folder.name, manifest, session, tokenizer)
            made._score("probe", "probe")
        except (StorageError, MissingExtraError):
            raise
        except (OSError, ValidationError) as error:
            raise StorageError(f"The reranker in {folder} cannot be read: {error}.", cure=_CURE) from error
        except ConfigurationError as error:
            raise StorageError(f"The reranker in {folder} cannot be used: {error.message}", cure=_CURE) from error
        except Exception as error:  # those of ONNX Runtime share no base of their own
            raise StorageError(f"The reranker in {folder} cannot be used: {first_line(error)}.", cure=_CURE) from error
        return made

    def score(self, query: str, texts: Sequence[str], deadline: float) -> NDArray[np.float64] | None:
        """The logit of each pair [n]; none if `deadline` passes before all are computed, but what is done is kept."""
        found = np.empty(len(texts))
        for number, text in enumerate(texts):
            if time.perf_counter() > deadline:
                return None
            found[number] = self._score(query, text)
        return found

    def _computed(self, query: str, text: str) -> float:
        ids = np.array([self._pairs.ids(query, text)], np.int64)
        (scores,) = self._session.run([self._output], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        if scores.shape != (1,):
            raise StorageError(f"The reranker's output '{self._output}' is {scores.shape}, not (1,).", cure=_CURE)
        return float(scores[0])


open_onnx = OnnxCrossEncoder.open
"""What is registered: a `RerankerFactory`."""
