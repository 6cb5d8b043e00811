"""Sources that are another one with other settings, under names of their own."""

from lingsou.recommend.sources.content import Content, ContentSettings
from lingsou.recommend.sources.transitions import Transitions, TransitionSettings


def item_knn() -> Transitions:
    """Cosine of co-occurrence, later items for more: the usual item nearest neighbours."""
    own = TransitionSettings(distance=0.0, backward=1.0, source_power=0.5, target_power=0.5, decay=0.8)
    return Transitions(own, "item-knn")


def following() -> Transitions:
    """What comes in the next few steps, and nothing of the way back."""
    own = TransitionSettings(window=3, backward=0.0, source_power=0.9, target_power=0.0, decay=0.35)
    return Transitions(own, "next")


def in_session() -> Transitions:
    """What came near in the same session, both ways: for shoppers of whom only the session is known."""
    return Transitions(
        TransitionSettings(within_session=True, window=10, backward=0.5, source_power=0.5), "session-transitions"
    )


def content_last() -> Content:
    """Likeness to the last item alone, however popular."""
    return Content(ContentSettings(popularity_power=0.0, depth=1), "content-last")
