"""The read path over one state: match set, filters, facets, order, explanation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import NotFoundError
from lingsou.core.types import Explanation, Product
from lingsou.retrieval.engine import Candidates, EngineQuery, EngineResult, QueryVector
from lingsou.retrieval.engines.embedded.facets import count_facets
from lingsou.retrieval.engines.embedded.lexical import LexicalMatch, query_identifiers
from lingsou.retrieval.engines.embedded.selection import Selection, collapse, page, passing, sort_keys
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.state import State
from lingsou.retrieval.engines.embedded.vectors import probability, threshold
from lingsou.retrieval.filters import AllOf
from lingsou.retrieval.fusion import EXACT_BONUS, LEXICAL_WEIGHT, fused
from lingsou.text.segment import Segmenter


@dataclass(frozen=True)
class Relevance:
    """What the words and the meaning of a query say of every row: arrays over all N rows.

    `matched` bool is the match set before filters; `scores` float32 is the fused score; `similarities` is none where
    the meaning was not asked for.
    """

    matched: NDArray[np.bool_]
    scores: NDArray[np.float32]
    lexical: LexicalMatch
    similarities: NDArray[np.float32] | None


def relevance(state: State, query: EngineQuery, segmenter: Segmenter) -> Relevance | None:
    """Match and score every row; none when the query has no words, so that there is nothing to be relevant to."""
    if not query.text.strip():
        return None
    snapshot = state.snapshot
    lexical = state.scorer.match(segmenter.terms(query.text), query_identifiers(query.text))
    matched = lexical.matched
    similarities = _similarities(state, query.vector)
    if similarities is None:
        scores = fused(np.zeros(len(snapshot), np.float32), lexical.scores, lexical.ceiling)
    else:
        least = threshold(similarities[snapshot.alive])
        matched = matched | (snapshot.alive & (similarities >= least))
        scores = fused(similarities, lexical.scores, lexical.ceiling)
    for boost in query.boosts:
        scores += np.float32(boost.weight) * passing(snapshot, boost.condition)
    scores[lexical.exact] += np.float32(EXACT_BONUS)
    return Relevance(matched, scores, lexical, similarities)


def answer(state: State, query: EngineQuery, segmenter: Segmenter) -> EngineResult:
    """Match, filter, count, order, cut."""
    snapshot = state.snapshot
    found = relevance(state, query, segmenter)
    mask = passing(snapshot, query.filters)
    mask &= snapshot.alive if found is None else found.matched
    rows = np.flatnonzero(mask)
    keys = sort_keys(snapshot, rows, query.sort, None if found is None else found.scores)
    selection = (
        collapse(snapshot, rows, keys) if query.collapse else Selection(rows, keys, np.ones(len(rows), np.int64))
    )
    places = page(snapshot, selection, query.offset, query.limit)
    chosen = selection.rows[places]
    scores = np.zeros(len(chosen)) if found is None else found.scores[chosen].astype(np.float64)
    legs: dict[str, NDArray[np.float64]] = {}
    if found is not None:
        legs["lexical"] = found.lexical.scores[chosen].astype(np.float64)
        if found.similarities is not None:
            legs["vector"] = found.similarities[chosen].astype(np.float64)
    return EngineResult(
        candidates=_candidates(snapshot, chosen, scores, selection.variants[places], legs),
        total=len(selection.rows),
        facets=count_facets(snapshot, rows, query.facets, collapsed=query.collapse),
        sequence=snapshot.sequence,
    )


def similar(state: State, product_id: str, filters: AllOf, limit: int) -> EngineResult:
    """The products nearest to one by their vectors; its own variants are left out.

    Raises:
        NotFoundError: no such product.
    """
    snapshot = state.snapshot
    row = current_row(snapshot, product_id)
    if row is None:
        raise NotFoundError(f"There is no product '{product_id}' in the index.", field="id", cure="Check the id.")
    own = snapshot.vectors.codes[row] * snapshot.vectors.scales[row] if snapshot.vectors.dimension else None
    rows = np.empty(0, np.intp)
    similarities = np.zeros(len(snapshot), np.float32)
    if own is not None and own.any():
        similarities = snapshot.vectors.similarities(own.astype(np.float32))
        mask = passing(snapshot, filters) & snapshot.alive & (snapshot.vectors.scales > 0)
        mask[row] = False
        if snapshot.groups[row] >= 0:
            mask &= snapshot.groups != snapshot.groups[row]
        rows = np.flatnonzero(mask)
    selection = collapse(snapshot, rows, similarities[rows].astype(np.float64))
    places = page(snapshot, selection, 0, limit)
    chosen = selection.rows[places]
    scores = similarities[chosen].astype(np.float64)
    return EngineResult(
        candidates=_candidates(snapshot, chosen, scores, selection.variants[places], {"vector": scores}),
        total=len(selection.rows),
        facets=(),
        sequence=snapshot.sequence,
    )


def explain(state: State, query: EngineQuery, products: Sequence[Product], segmenter: Segmenter) -> list[Explanation]:
    """For each product the tree whose parts add up to its score."""
    found = relevance(state, query, segmenter)
    if found is None:
        return [Explanation(name="relevance", value=0.0, detail="no words to be relevant to") for _ in products]
    terms, identifiers = segmenter.terms(query.text), query_identifiers(query.text)
    boosts = [(boost, passing(state.snapshot, boost.condition)) for boost in query.boosts]
    trees: list[Explanation] = []
    for product in products:
        row = current_row(state.snapshot, product.id)
        if row is None:
            trees.append(Explanation(name="relevance", value=0.0, detail="not in the index"))
            continue
        words = state.scorer.explain(terms, row)
        share = LEXICAL_WEIGHT * float(found.lexical.scores[row]) / found.lexical.ceiling
        detail = f"{LEXICAL_WEIGHT} × BM25 {words.value:.3f} / its ceiling {found.lexical.ceiling:.3f}"
        children = [Explanation(name="lexical", value=share, detail=detail, children=words.children)]
        if found.similarities is not None:
            similarity = found.similarities[row]
            chance = float(probability(found.similarities[row : row + 1])[0])
            children.append(
                Explanation(name="vector", value=float(similarity), detail=f"relevant with probability {chance:.2f}")
            )
        children += [
            Explanation(name="boost", value=boost.weight, detail=boost.reason)
            for boost, passed in boosts
            if passed[row]
        ]
        if row in found.lexical.exact:
            typed = ", ".join(state.scorer.held(identifiers, row))
            children.append(Explanation(name="exact identifier", value=EXACT_BONUS, detail=f"{typed}: always first"))
        trees.append(Explanation(name="relevance", value=float(found.scores[row]), children=tuple(children)))
    return trees


def current_row(snapshot: Snapshot, product_id: str) -> int | None:
    """The living row of a product."""
    rows = snapshot.keywords["id"].rows_with([product_id])
    living = [row for row in rows[snapshot.alive[rows]].tolist() if snapshot.ids[row] == product_id]
    return living[-1] if living else None


def _similarities(state: State, vector: QueryVector | None) -> NDArray[np.float32] | None:
    if vector is None or state.centring is None or not state.snapshot.vectors.dimension:
        return None
    if vector.encoder != state.centring.encoder:
        return None
    centred = state.centring.apply(vector.values[np.newaxis], [vector.group], "query")[0]
    return state.snapshot.vectors.similarities(centred)


def _candidates(
    snapshot: Snapshot,
    rows: NDArray[np.intp],
    scores: NDArray[np.float64],
    variants: NDArray[np.int64],
    legs: dict[str, NDArray[np.float64]],
) -> Candidates:
    ids = tuple(snapshot.ids[row] for row in rows.tolist())
    return Candidates(ids=ids, numbers=snapshot.numbers[rows], scores=scores, variants=variants, legs=legs)
