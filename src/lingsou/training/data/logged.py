"""What shoppers did, as examples: searches and what they led to, and what each shopper met in order."""

from collections.abc import Callable

import numpy as np

from lingsou.core.errors import InputError
from lingsou.core.types import Product
from lingsou.events.behaviour import Behaviour
from lingsou.events.bots import behaves_like_a_bot
from lingsou.events.columns import EventColumns
from lingsou.events.joins import journeys
from lingsou.pipeline.shop import Shop
from lingsou.ranking.clicks import estimate, gains, graded, pairs_of
from lingsou.retrieval.embedding import document_text
from lingsou.text.normalise import normalise
from lingsou.training.clicks import read_log
from lingsou.training.data.catalogue import product_slices
from lingsou.training.data.histories import histories_of
from lingsou.training.data.pairs import columns_of
from lingsou.training.data.rejects import Tally
from lingsou.training.examples import HistorySet, PairSet

_MET = ("click", "detail", "cart", "purchase")
_LEAST_LOOKS = 1.0
_CURE = "Wait for more events, or collect them first: docs/events.md"


def pairs(shop: Shop, tally: Tally, *, text_of: Callable[[Product], str] = document_text) -> PairSet:
    """How well each product did for each query, graded from 0 to 3 by clicks, carts and purchases.

    The chance that each place was looked at is estimated from the same log, and what happened there counts that much
    more (`ranking.clicks`). A product that was looked at and led to nothing has 0; one that was hardly looked at, less
    than once by expectation, says nothing and is left out.

    Raises:
        InputError: the log has no searches that led to anything.
        StorageError: the log cannot be read.
    """
    columns, texts = read_log(shop.behaviour, shop.settings.events.keep_days)
    found = pairs_of(journeys(columns), texts)
    examination = estimate(found).examination
    grades = graded(found, gains(found, examination)).grades
    acted = (found.clicked + found.carts + found.purchases).sum(axis=1) > 0
    looked = found.shown @ examination >= _LEAST_LOOKS
    rows = [
        (found.query[row], found.id[row], grades[found.query[row]][found.id[row]] if acted[row] else 0.0)
        for row in np.flatnonzero(acted | looked).tolist()
    ]
    return _worded(shop, rows, tally, text_of)


def clicks(shop: Shop, tally: Tally) -> PairSet:
    """Which of the products that a search showed were clicked: 1 or 0, one row for each search and product.

    Only products down to the lowest click of each search: those were looked at. Source: Joachims et al., "Accurately
    Interpreting Clickthrough Data as Implicit Feedback", SIGIR 2005.

    Raises:
        InputError: the log has no searches with clicks.
        StorageError: the log cannot be read.
    """
    columns, texts = read_log(shop.behaviour, shop.settings.events.keep_days)
    found = journeys(columns)
    lowest: dict[str, int] = {}
    for row in np.flatnonzero(found.clicks > 0).tolist():
        query_id = found.query_id[row]
        lowest[query_id] = max(lowest.get(query_id, 0), int(found.ordinal[row]))
    rows = [
        (normalise(texts[query_id]), found.object_id[row], float(found.clicks[row] > 0))
        for row, query_id in enumerate(found.query_id.tolist())
        if query_id in texts and 0 < found.ordinal[row] <= lowest.get(query_id, 0)
    ]
    return _worded(shop, rows, tally, document_text)


def histories(shop: Shop, tally: Tally) -> HistorySet:
    """What each shopper clicked, looked at, put into the cart and bought, in order of time. Robots are left out.

    Raises:
        InputError: no shopper met two products that the catalogue has.
        StorageError: the log cannot be read.
    """
    columns = _people(shop.behaviour, shop.settings.events.keep_days)
    products = shop.store.get(sorted(set(columns.object_id.tolist())))
    rows: list[tuple[str, float, str]] = []
    who = zip(columns.user_id, columns.client_id, columns.session_id, strict=True)
    for row, (user, client, session) in enumerate(who):
        shopper, product = user or client or session, products.get(columns.object_id[row])
        # Sold out for good, or an event of nobody: neither is a fault of the log.
        if shopper and product:
            tally.take()
            rows.append((shopper, float(columns.time[row]) / 1_000, document_text(product)))
    found = histories_of(rows)
    if not len(found):
        raise InputError("No shopper of the log met two products.", cure=_CURE)
    return found


def _people(behaviour: Behaviour, days: float) -> EventColumns:
    columns, _ = read_log(behaviour, days)
    wanted = np.isin(columns.action.astype(str), _MET) & (columns.object_id != None)  # noqa: E711 (elementwise)
    return columns.where(wanted & ~columns.bot & ~behaves_like_a_bot(columns))


def _worded(shop: Shop, rows: list[tuple[str, str, float]], tally: Tally, text_of: Callable[[Product], str]) -> PairSet:
    """Products that the catalogue no longer has are left out."""
    products = shop.store.get(sorted({id_ for _, id_, _ in rows}))
    known = [(query, products[id_], grade) for query, id_, grade in rows if id_ in products]
    if not any(grade > 0 for *_, grade in known):
        raise InputError("The log has no search that led to a click on a product.", cure=_CURE)
    for _ in known:
        tally.take()
    found = [(query, text_of(product), grade) for query, product, grade in known]
    return PairSet.of(found, columns_of([product_slices(product) for _, product, _ in known]))
