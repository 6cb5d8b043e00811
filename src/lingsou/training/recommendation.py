"""A recommender out of a shop's event log and catalogue."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lingsou.core.errors import InputError
from lingsou.core.manifests import Measurement
from lingsou.core.types import Product
from lingsou.events.columns import EventColumns
from lingsou.recommend.blend import Blend
from lingsou.recommend.catalogue import items_of_products
from lingsou.recommend.interactions import Floats, IdMap, Interactions, Ints, Items
from lingsou.recommend.learning import learn
from lingsou.recommend.model import ALONE, FOR_YOU, SESSION, Model, session_blend, shopper_blend, sources_named
from lingsou.recommend.recommender import Recommender, Stored, recommend
from lingsou.recommend.session_learning import teach
from lingsou.recommend.sessions import sessions_of
from lingsou.recommend.shoppers import answers, shopper_log, steps
from lingsou.recommend.tuning import gains, tune
from lingsou.training.session_behaviour import train_behaviour

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


def train(
    columns: EventColumns,
    products: Sequence[Product],
    *,
    vectors: Floats | None = None,
    sequence: Stored | None = None,
    seed: int = 1,
) -> Trained:
    """Fit the sources, learn both blends and what sessions come to, and fit the sources once more on everything.

    The blend for shoppers learns from each one's last new product, the one for sessions from prefixes of the latest
    sessions. A fifth of those shoppers and of those sessions is kept aside to measure by.

    Args:
        columns: of the event log.
        products: what may be recommended.
        vectors: of the products' texts, centred, of length 1 or 0, [products, d]; none: the shop has no encoder.
        sequence: the neural source, able to train, for the blend of sessions; none: it goes without.
        seed: of all that is drawn by chance.

    Raises:
        InputError: there are no products, or nobody did anything with one of them.
        MissingExtraError: LightGBM is not installed.
    """
    ids, attributes = IdMap(), IdMap()
    ids.add([product.id for product in products])
    items = items_of_products(products, attributes, vectors)
    everything = shopper_log(columns, ids).interactions
    if not len(everything.items):
        raise InputError(
            "Nobody clicked, opened or bought a product of the shop in that time.",
            cure="Send events to /v1/events, or look further back: --days",
        )
    walks = steps(everything)
    sessions = sessions_of(walks)
    sources = sources_named(dict.fromkeys([*FOR_YOU, *SESSION, *ALONE]))
    if sequence is not None:
        sources[sequence.name] = sequence
    blend = shopper_blend(sources)
    session = session_blend(sources, [] if sequence is None else [sequence.name])
    report: dict[str, Any] = {
        "products": len(items),
        "products_with_vectors": 0 if vectors is None else int(vectors.any(axis=1).sum()),
        "shoppers": len(walks),
        "events": len(everything.items),
        "sessions": len(sessions),
    }
    measurements: dict[str, Measurement] = {}
    _learn_shoppers(blend, sources, walks, items, seed, report, measurements)
    _learn_sessions(session, sessions, items, seed, report, measurements)
    behaviour, report["behaviour"] = train_behaviour(everything)
    for name, source in sources.items():
        source.fit(everything if name in _OF_ALL else walks, items)
    for each in (blend, session):
        each.look_at(walks, items)
    return Trained(Model(ids, dict(sources), blend, session, behaviour), measurements, report)


def _learn_shoppers(
    blend: Blend,
    sources: Mapping[str, Any],
    walks: Interactions,
    items: Items,
    seed: int,
    report: dict[str, Any],
    measurements: dict[str, Measurement],
) -> None:
    """Choose settings and learn the blend from each shopper's last new product; adds to both reports."""
    before, histories, targets = answers(walks)
    report["shoppers_to_learn_from"] = len(targets)
    if len(targets) < LEAST:
        return
    order = np.random.default_rng(seed).permutation(len(targets))
    cut = int(len(order) * _MEASURED)
    learners, aside = np.sort(order[cut:][:LEARNERS]), np.sort(order[:cut])
    tuners = learners[:TUNERS]
    for name in _TUNED:
        tune(sources[name], before, items, histories.of(tuners), targets[tuners])
    blend.fit(before, items)
    choices = blend.choices(histories.of(learners), targets[learners])
    if not len(choices.decided):
        return
    found = learn(choices, seed=seed)
    blend.model = found.model
    report |= {"trees": found.rounds, "tried": found.tried}
    measured, report["ndcg@10"] = _measured(blend, histories.of(aside), targets[aside])
    measurements["last product of shoppers kept aside"] = measured


def _learn_sessions(
    blend: Blend,
    sessions: Interactions,
    items: Items,
    seed: int,
    report: dict[str, Any],
    measurements: dict[str, Measurement],
) -> None:
    """Learn the blend of sessions; adds to both reports."""
    found, aside = teach(blend, sessions, items, aside=_MEASURED, seed=seed)
    if found is None:
        return
    own: dict[str, Any] = {"trees": found.rounds, "tried": found.tried, "clicks_to_learn_from": found.shoppers}
    if len(aside.targets):
        measured, own["ndcg@10"] = _measured(blend, aside.histories, aside.targets)
        measurements["next product of late sessions kept aside"] = measured
    report["session"] = own


def _measured(blend: Blend, histories: Interactions, targets: Ints) -> tuple[Measurement, dict[str, float]]:
    """NDCG@10 and hit rate of the blend, and NDCG@10 of each of its sources beside it."""
    seen = blend.settings.seen

    def alone(source: Recommender) -> Any:
        return gains(recommend(source, histories, 10, seen=seen), targets)

    own = gains(blend.recommend(histories, 10), targets)
    worth = {"blend": own, **{source.name: alone(source) for source in blend.sources}}
    measurement = Measurement(
        data=hashlib.sha256(histories.items.tobytes() + targets.tobytes()).hexdigest(),
        rows=len(targets),
        values={"ndcg@10": float(own.mean()), "hr@10": float((own > 0).mean())},
    )
    return measurement, {name: round(float(each.mean()), 5) for name, each in worth.items()}
