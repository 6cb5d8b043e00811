"""The read path over one state: match set, filters, facets, order, explanation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lingsou.core.errors import NotFoundError
from lingsou.core.types import Explanation, Product
from lingsou.retrieval.engine import Boost, Candidates, EngineQuery, EngineResult, QueryVector
from lingsou.retrieval.engines.embedded.ann import Similarities, compare, compare_matching, widened
from lingsou.retrieval.engines.embedded.facets import count_facets
from lingsou.retrieval.engines.embedded.lexical import LexicalMatch, concepts_of, query_identifiers
from lingsou.retrieval.engines.embedded.relevance import Relevance
from lingsou.retrieval.engines.embedded.selection import (
    NOTHING_PINNED,
    PinnedRows,
    Rows,
    Selection,
    collapse,
    page,
    page_with_pins,
    passing,
    passing_of,
    sort_keys,
)
from lingsou.retrieval.engines.embedded.snapshot import Snapshot
from lingsou.retrieval.engines.embedded.state import State
from lingsou.retrieval.engines.embedded.vectors import least_similarity, probability, threshold
from lingsou.retrieval.filters import AllOf, Filter
from lingsou.retrieval.fusion import EXACT_BONUS, fused
from lingsou.text.segment import Segmenter


def matched_rows(state: State, query: EngineQuery, segmenter: Segmenter) -> Relevance | None:
    """What words and meaning say, before any boost."""
    if not query.text.strip():
        return None
    snapshot = state.snapshot
    concepts = concepts_of(segmenter.terms(query.text), query.expansions, segmenter)
    lexical = state.scorer.match(concepts, query_identifiers(query.text))
    matched = lexical.matched
    vector = _centred(state, query.vector)
    if vector is None:
        scores = fused(np.zeros(len(snapshot), np.float32), lexical.scores, lexical.ceiling, state.lexical_weight)
    else:
        alive = None if snapshot.living == len(snapshot) else snapshot.alive
        least = least_similarity(snapshot.living)
        near = compare_matching(snapshot.vectors, state.lists, vector, np.flatnonzero(matched), alive, least)
        values = near.values if alive is None else near.values[alive]
        return _by_both(state, lexical, near, threshold(values, snapshot.living))
    scores[lexical.exact] += np.float32(EXACT_BONUS)
    return Relevance(matched, scores, lexical, None)


def _by_both(state: State, lexical: LexicalMatch, near: Similarities, least: float) -> Relevance:
    matched = lexical.matched | (state.snapshot.alive & (near.values >= least))
    scores = fused(near.values, lexical.scores, lexical.ceiling, state.lexical_weight)
    scores[lexical.exact] += np.float32(EXACT_BONUS)
    return Relevance(matched, scores, lexical, near.values, near.complete, least)


def _widened(state: State, query: EngineQuery, found: Relevance) -> Relevance:
    """With more of the rows that pass the query's filters; what matched before still does, by the same threshold."""
    vector = _centred(state, query.vector)
    if vector is None or state.lists is None or found.similarities is None:
        return found
    snapshot = state.snapshot
    passed = passing(snapshot, query.filters) & snapshot.alive
    near = widened(snapshot.vectors, state.lists, vector, passed, Similarities(found.similarities, complete=False))
    return _by_both(state, found.lexical, near, found.least)


def _compared(state: State, query: EngineQuery, found: Relevance, rows: Rows) -> Relevance:
    """With the similarity of some rows, whether they match or not."""
    vector = _centred(state, query.vector)
    if vector is None or found.similarities is None:
        return found
    values = found.similarities.copy()
    state.snapshot.vectors.compare_rows(vector, rows, values)
    return _by_both(state, found.lexical, Similarities(values, found.complete), found.least)


def answer(state: State, query: EngineQuery, segmenter: Segmenter, known: Relevance | None = None) -> EngineResult:
    """Match, filter, count, order, cut. `known` is what `matched_rows` gave for the same words and vector."""
    snapshot = state.snapshot
    found = known or matched_rows(state, query, segmenter)
    pinned = PinnedRows.of(snapshot, query.pins, query.filters)
    if found is not None and not found.complete and query.filters.children:
        found = _widened(state, query, found)
    if found is not None and len(pinned.rows):
        found = _compared(state, query, found, pinned.rows)
    if found is None:
        rows = np.flatnonzero(passing(snapshot, query.filters) & snapshot.alive)
    else:
        rows = found.rows[passing_of(snapshot, query.filters, found.rows)] if query.filters.children else found.rows
    if len(pinned.rows):
        rows = np.union1d(rows, pinned.rows)
    scores = None if found is None else _scores(snapshot, query, found, rows)
    lifts = _lifts(snapshot, query.boosts, rows) if found is None else np.zeros(0, np.float32)
    keys = sort_keys(snapshot, rows, query.sort, scores, lifts)
    if query.sort != "relevance":
        pinned = NOTHING_PINNED
    elif query.collapse:
        pinned = pinned.first_of_groups(snapshot)
        keys[np.searchsorted(rows, pinned.rows)] = np.inf  # so that they stand for their group
    selection = (
        collapse(snapshot, rows, keys) if query.collapse else Selection(rows, keys, np.ones(len(rows), np.int64))
    )
    if len(pinned.rows):
        places = page_with_pins(snapshot, selection, pinned, query.offset, query.limit)
    else:
        places = page(snapshot, selection, query.offset, query.limit)
    chosen = selection.rows[places]
    shown = np.zeros(len(chosen), np.float32) if scores is None else scores[np.searchsorted(rows, chosen)]
    return EngineResult(
        candidates=_scored(snapshot, chosen, shown, selection.variants[places], found),
        total=len(selection.rows),
        facets=count_facets(snapshot, rows, query.facets, collapsed=query.collapse),
        sequence=snapshot.sequence,
        total_is_exact=found is None or found.complete,
        lexical_ceiling=0.0 if found is None else found.lexical.ceiling,
    )


def score(
    state: State, query: EngineQuery, ids: Sequence[str], segmenter: Segmenter, known: Relevance | None = None
) -> EngineResult:
    """The scores of the given products, in their order; products that the index does not hold are left out."""
    snapshot = state.snapshot
    found = known or matched_rows(state, query, segmenter)
    rows = np.asarray([row for id_ in ids if (row := current_row(snapshot, id_)) is not None], np.intp)
    distinct, places = np.unique(rows, return_inverse=True)
    found = None if found is None else _compared(state, query, found, distinct)
    scores = np.zeros(len(distinct), np.float32) if found is None else _scores(snapshot, query, found, distinct)
    return EngineResult(
        candidates=_scored(snapshot, rows, scores[places], np.ones(len(rows), np.int64), found),
        total=len(rows),
        facets=(),
        sequence=snapshot.sequence,
        total_is_exact=found is None or found.complete,
        lexical_ceiling=0.0 if found is None else found.lexical.ceiling,
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
    vectors = snapshot.vectors
    own = vectors.codes_of([row])[0] * vectors.scales[row] if vectors.dimension else None
    rows = np.empty(0, np.intp)
    near = Similarities(np.zeros(len(snapshot), np.float32), complete=True)
    if own is not None and own.any():
        vector = own.astype(np.float32)
        near = compare(vectors, state.lists, vector)
        mask = passing(snapshot, filters) & snapshot.alive & (vectors.scales > 0)
        mask[row] = False
        if snapshot.groups[row] >= 0:
            mask &= snapshot.groups != snapshot.groups[row]
        if state.lists is not None and not near.complete:
            near = widened(vectors, state.lists, vector, mask, near)
            mask &= near.complete | (near.values != 0)
        rows = np.flatnonzero(mask)
    selection = collapse(snapshot, rows, near.values[rows].astype(np.float64))
    places = page(snapshot, selection, 0, limit)
    chosen = selection.rows[places]
    scores = near.values[chosen].astype(np.float64)
    return EngineResult(
        candidates=_candidates(snapshot, chosen, scores, selection.variants[places], {"vector": scores}),
        total=len(selection.rows),
        facets=(),
        sequence=snapshot.sequence,
        total_is_exact=near.complete,
    )


def explain(
    state: State,
    query: EngineQuery,
    products: Sequence[Product],
    segmenter: Segmenter,
    known: Relevance | None = None,
) -> list[Explanation]:
    """For each product the tree whose parts add up to its score."""
    found = known or matched_rows(state, query, segmenter)
    if found is None:
        return [_without_words(state.snapshot, query.boosts, product.id) for product in products]
    snapshot = state.snapshot
    row_of = {product.id: current_row(snapshot, product.id) for product in products}
    rows = np.unique(np.asarray([row for row in row_of.values() if row is not None], np.intp))
    found = _compared(state, query, found, rows)
    concepts = concepts_of(segmenter.terms(query.text), query.expansions, segmenter)
    identifiers = query_identifiers(query.text)
    learned = _learned(snapshot, query)
    words = state.scorer.explain(concepts, rows.tolist())
    held = [passing_of(snapshot, boost.condition, rows) for boost in query.boosts]
    scores = _scores(snapshot, query, found, rows)
    ceiling = found.lexical.ceiling
    trees: dict[int, Explanation] = {}
    for place, row in enumerate(rows.tolist()):
        bm25 = float(found.lexical.scores[row])
        detail = f"{state.lexical_weight:g} × BM25 {words[place].value:.3f} / its ceiling {ceiling:.3f}"
        share = state.lexical_weight * bm25 / ceiling
        children = [Explanation(name="lexical", value=share, detail=detail, children=words[place].children)]
        if found.similarities is not None:
            similarity = found.similarities[row]
            chance = float(probability(found.similarities[row : row + 1], snapshot.living)[0])
            children.append(
                Explanation(name="vector", value=float(similarity), detail=f"relevant with probability {chance:.2f}")
            )
        children += [
            Explanation(name="boost", value=boost.weight, detail=boost.reason)
            for boost, passed in zip(query.boosts, held, strict=True)
            if passed[place]
        ]
        if row in learned:
            children.append(Explanation(name="ranking", value=learned[row], detail="what learned ranking adds"))
        if row in found.lexical.exact:
            typed = ", ".join(state.scorer.held(identifiers, row))
            children.append(Explanation(name="exact identifier", value=EXACT_BONUS, detail=f"{typed}: always first"))
        trees[row] = Explanation(name="relevance", value=float(scores[place]), children=tuple(children))
    nothing = Explanation(name="relevance", value=0.0, detail="not in the index")
    return [nothing if (row := row_of[product.id]) is None else trees[row] for product in products]


def _without_words(snapshot: Snapshot, boosts: Sequence[Boost], product_id: str) -> Explanation:
    row = current_row(snapshot, product_id)
    held = [b for b in boosts if row is not None and passing_of(snapshot, b.condition, np.asarray([row]))[0]]
    lifts = tuple(Explanation(name="boost", value=boost.weight, detail=boost.reason) for boost in held)
    return Explanation(name="relevance", value=0.0, detail="no words to be relevant to", children=lifts)


def current_row(snapshot: Snapshot, product_id: str) -> int | None:
    """The living row of a product."""
    rows = snapshot.keywords["id"].rows_with([product_id])
    living = [row for row in rows[snapshot.alive[rows]].tolist() if snapshot.ids[row] == product_id]
    return living[-1] if living else None


def _lifts(snapshot: Snapshot, boosts: Sequence[Boost], rows: Rows) -> NDArray[np.float32]:
    """What boosts add to the score of each of some rows (ascending, distinct)."""
    lifts = np.zeros(len(rows), np.float32)
    held: dict[Filter, NDArray[np.bool_]] = {}
    for boost in boosts:
        # A boost for having all that others ask for has their conditions again.
        parts = boost.condition.children if isinstance(boost.condition, AllOf) else (boost.condition,)
        for part in parts:
            if part not in held:
                held[part] = passing_of(snapshot, part, rows)
        passed = np.logical_and.reduce([np.ones(len(rows), np.bool_), *(held[part] for part in parts)])
        lifts[passed] += np.float32(boost.weight)
    return lifts


def _scores(snapshot: Snapshot, query: EngineQuery, found: Relevance, rows: Rows) -> NDArray[np.float32]:
    """The scores of some rows (ascending, distinct): words and meaning, boosts, and what a ranker adds."""
    scores = found.scores[rows]
    if query.boosts:
        scores = scores + _lifts(snapshot, query.boosts, rows)
    learned = _learned(snapshot, query)
    if learned:
        lifted = np.asarray(sorted(learned), np.intp)
        places = np.searchsorted(rows, lifted)
        for row, place in zip(lifted.tolist(), places.tolist(), strict=True):
            if place < len(rows) and rows[place] == row:
                scores[place] += np.float32(learned[row])
    return scores


def _centred(state: State, vector: QueryVector | None) -> NDArray[np.float32] | None:
    """The query's vector less the mean of its language; none where it has nothing to be compared with."""
    if vector is None or state.centring is None or not state.snapshot.vectors.dimension:
        return None
    if vector.encoder != state.centring.encoder:
        return None
    return np.asarray(state.centring.apply(vector.values[np.newaxis], [vector.group], "query")[0])


def _learned(snapshot: Snapshot, query: EngineQuery) -> dict[int, float]:
    """Row → what a ranker adds to its score; products that are gone since are left out."""
    known = ((number, lift) for number, lift in query.lifts if number < len(snapshot.row_of))
    return {int(snapshot.row_of[number]): lift for number, lift in known if snapshot.row_of[number] >= 0}


def _scored(
    snapshot: Snapshot,
    rows: Rows,
    scores: NDArray[np.float32],
    variants: NDArray[np.int64],
    found: Relevance | None,
) -> Candidates:
    """The rows with their scores and those of their legs."""
    if found is None:
        return _candidates(snapshot, rows, scores.astype(np.float64), variants, {})
    legs = {"lexical": found.lexical.scores[rows].astype(np.float64)}
    if found.similarities is not None:
        legs["vector"] = found.similarities[rows].astype(np.float64)
    return _candidates(snapshot, rows, scores.astype(np.float64), variants, legs)


def _candidates(
    snapshot: Snapshot,
    rows: NDArray[np.intp],
    scores: NDArray[np.float64],
    variants: NDArray[np.int64],
    legs: dict[str, NDArray[np.float64]],
) -> Candidates:
    ids = tuple(snapshot.ids[row] for row in rows.tolist())
    return Candidates(ids=ids, numbers=snapshot.numbers[rows], scores=scores, variants=variants, legs=legs)
