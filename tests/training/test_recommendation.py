"""A recommender from an event log whose shoppers have tastes."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import InputError
from lingsou.core.types import Product
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.recommend.interactions import sequences
from lingsou.recommend.model import ALONE, FOR_YOU, SESSION, load, save
from lingsou.recommend.sources.sequence import Sequence as SequenceSource
from lingsou.training.recommendation import train

pytest.importorskip("lightgbm")
DAY = 86_400_000
PRODUCTS = [
    Product(id=f"p{number}", title=f"product {number}", category=("tea" if number < 20 else "bikes",))
    for number in range(40)
]


def shopping(shoppers: int) -> EventColumns:
    """Each shopper walks along tea or bikes, one number up at a time, and now and then buys."""
    random = np.random.default_rng(3)
    rows = []
    for user in range(shoppers):
        first, place = 20 * (user % 2), int(random.integers(0, 20))
        for step in range(6):
            item = first + (place + step) % 20
            action = "purchase" if random.random() < 0.3 else "click"
            own = {"time": step * DAY + user, "action": action, "user_id": f"u{user}", "object_id": f"p{item}"}
            rows.append([own.get(name, False if name == "bot" else None) for name in COLUMNS])
    return columns_of(rows)


def test_the_blend_learns_where_shoppers_go() -> None:
    trained = train(shopping(120), PRODUCTS)
    report, model = trained.report, trained.model
    assert report["shoppers"] == 120
    assert report["events"] == 720
    assert report["ndcg@10"]["blend"] > 0.8, "the next number is nearly certain"
    assert report["ndcg@10"]["blend"] > report["ndcg@10"]["popularity"]
    assert trained.measurements["last product of shoppers kept aside"].rows == 24
    assert set(model.sources) == {*FOR_YOU, *SESSION, *ALONE}
    found = model.blend.recommend(sequences([[4, 5, 6], [24, 25, 26]], 40), 1)
    assert found.items.tolist() == [[7], [27]]
    assert model.products.names[7] == "p7"


def test_the_neural_source_joins_the_blend_of_sessions_and_is_stored(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from lingsou.training.neural.sequence.export import train_and_export
    from lingsou.training.neural.sequence.train import SequenceSettings

    settings = SequenceSettings(steps=20, width=16)
    source = SequenceSource(train=partial(train_and_export, folder=tmp_path, settings=settings))
    model = train(shopping(120), PRODUCTS, sequence=source).model
    assert model.session.sources[-1] is source
    kept = tmp_path / "kept"
    kept.mkdir()
    save(model, kept)
    again = load(kept)
    history = sequences([[4, 5, 6]], 40)
    assert again.sources["sequence"].score(history) == pytest.approx(source.score(history), abs=1e-6)
    assert again.session.recommend(history, 3).items.tolist() == model.session.recommend(history, 3).items.tolist()


def test_few_shoppers_teach_the_sources_alone() -> None:
    trained = train(shopping(10), PRODUCTS)
    assert "ndcg@10" not in trained.report
    assert trained.model.blend.model is None
    assert trained.model.blend.recommend(sequences([[4, 5]], 40), 3).items[0, 0] >= 0


def test_a_log_without_shoppers_is_refused() -> None:
    with pytest.raises(InputError, match="Nobody clicked"):
        train(columns_of([]), PRODUCTS)
