"""What the shopper did since the last pause of half an hour; NaN where nothing, or without consent."""

import numpy as np

from lingsou.features.affinity import brand_share, category_share, nothing, trail_of
from lingsou.features.events_view import Trail
from lingsou.features.feature import Feature, Floats, RankingBatch


def _session(batch: RankingBatch) -> Trail | None:
    trail = trail_of(batch)
    current = trail.session() if trail is not None else None
    return current if current is not None and len(current) else None


def brand(batch: RankingBatch) -> Floats:
    """Share of the session's actions on the same brand."""
    session = _session(batch)
    return nothing(batch) if session is None else brand_share(batch, session)


def category(batch: RankingBatch) -> Floats:
    """Share of the session's actions in the same category."""
    session = _session(batch)
    return nothing(batch) if session is None else category_share(batch, session)


def seen(batch: RankingBatch) -> Floats:
    """Whether the shopper acted on this very product."""
    session = _session(batch)
    if session is None:
        return nothing(batch)
    acted = {facts.id for facts in session.facts}
    return np.asarray([float(product.id in acted) for product in batch.products])


BRAND = Feature(
    "session-brand",
    brand,
    "share of this session's actions on this brand",
    "本次会话中该品牌的占比",
    praise=("you have just looked at this brand", "您刚看过该品牌"),
)
CATEGORY = Feature(
    "session-category",
    category,
    "share of this session's actions in this category",
    "本次会话中该类目的占比",
    praise=("you have just looked at such products", "您刚看过此类商品"),
)
SEEN = Feature("session-seen", seen, "whether the shopper looked at it in this session", "本次会话中是否看过")
