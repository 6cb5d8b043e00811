"""A recommender out of a shop's event log and catalogue."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lingsou.core.errors import InputError
from lingsou.core.manifests import Measurement
from lingsou.core.types import Product
from lingsou.events.columns import EventColumns
from lingsou.recommend.blend import Blend
from lingsou.recommend.catalogue import items_of_products
from lingsou.recommend.interactions import IdMap, Interactions, Ints, Items
from lingsou.recommend.learning import learn
from lingsou.recommend.model import ALONE, FOR_YOU, Model, sources_named
from lingsou.recommend.recommender import recommend
from lingsou.recommend.shoppers import answers, shopper_log, steps
from lingsou.recommend.tuning import gains, tune

TUNERS, LEARNERS = 3_000, 20_000
"""Shoppers that settings are chosen by, and that the blend is learnt from, at most."""
LEAST = 50
"""Shoppers with three different products: below, settings stay what they are and the blend learns nothing."""
_MEASURED = 0.2
_OF_ALL = ("trending", "replenish", "bought-together")
"""Sources that count every event; the others count visits to a product."""
_TUNED = ("transitions", "content", "popularity")


@dataclass(frozen=True)
class Trained:
    """A model, what it was measured at on shoppers that nothing was chosen by, and how it came about."""

    model: Model
    measurements: dict[str, Measurement]
    report: dict[str, Any]


def train(columns: EventColumns, products: Iterable[Product], *, seed: int = 1) -> Trained:
    """Fit the sources, learn the blend from each shopper's last new product, and fit the sources once more with it.

    A fifth of the shoppers is kept aside to measure by.

    Args:
        columns: of the event log.
        products: what may be recommended.
        seed: of all that is drawn by chance.

    Raises:
        InputError: there are no products, or nobody did anything with one of them.
        MissingExtraError: LightGBM is not installed.
    """
    ids, attributes = IdMap(), IdMap()
    catalogue = list(products)
    ids.add([product.id for product in catalogue])
    items = items_of_products(catalogue, attributes)
    everything = shopper_log(columns, ids).interactions
    if not len(everything.items):
        raise InputError(
            "Nobody clicked, opened or bought a product of the shop in that time.",
            cure="Send events to /v1/events, or look further back: --days",
        )
    walks = steps(everything)
    sources = sources_named([*FOR_YOU, *ALONE])
    blend = Blend([sources[name] for name in FOR_YOU])
    before, histories, targets = answers(walks)
    report: dict[str, Any] = {
        "products": len(items),
        "shoppers": len(walks),
        "events": len(everything.items),
        "shoppers_to_learn_from": len(targets),
    }
    measurements: dict[str, Measurement] = {}
    if len(targets) >= LEAST:
        order = np.random.default_rng(seed).permutation(len(targets))
        cut = int(len(order) * _MEASURED)
        learners, aside = np.sort(order[cut:][:LEARNERS]), np.sort(order[:cut])
        tuners = learners[:TUNERS]
        for name in _TUNED:
            source: Any = sources[name]
            tune(source, before, items, histories.of(tuners), targets[tuners])
        blend.fit(before, items)
        found = learn(blend.choices(histories.of(learners), targets[learners]), seed=seed)
        blend.model = found.model
        report |= {"trees": found.rounds, "tried": found.tried}
        measurements, report["ndcg@10"] = _measured(blend, histories.of(aside), targets[aside])
    _fit(sources, everything, walks, items)
    blend.look_at(walks, items)
    return Trained(Model(ids, dict(sources), blend), measurements, report)


def _fit(sources: Any, everything: Interactions, walks: Interactions, items: Items) -> None:
    for name, source in sources.items():
        source.fit(everything if name in _OF_ALL else walks, items)


def _measured(blend: Blend, histories: Interactions, targets: Ints) -> tuple[dict[str, Measurement], dict[str, float]]:
    lists = {"blend": blend.recommend(histories, 10)}
    lists |= {source.name: recommend(source, histories, 10) for source in blend.sources}
    worth = {name: gains(found, targets) for name, found in lists.items()}
    own = worth["blend"]
    measurement = Measurement(
        data=hashlib.sha256(histories.items.tobytes() + targets.tobytes()).hexdigest(),
        rows=len(targets),
        values={"ndcg@10": float(own.mean()), "hr@10": float((own > 0).mean())},
    )
    return {"last product of shoppers kept aside": measurement}, {
        name: round(float(each.mean()), 5) for name, each in worth.items()
    }
