"""What is saved and opened again recommends the same."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lingsou.core.errors import StorageError
from lingsou.core.plugins import names
from lingsou.models.choice import ChoiceModel
from lingsou.recommend.artefact import current, install, load
from lingsou.recommend.behaviour import Behaviour
from lingsou.recommend.blend import Blend, BlendSettings
from lingsou.recommend.interactions import IdMap
from lingsou.recommend.model import Model, source_named, sources_named
from lingsou.recommend.recommender import Stored
from lingsou.recommend.sessions import sessions_of
from lingsou.testing.recommender import N_ITEMS, small_shop

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLENDED = ("transitions", "content", "popularity")


def model(sources: list[str], weights: ChoiceModel | None = None) -> Model:
    histories, items = small_shop()
    found = sources_named([*BLENDED, *sources])
    for source in found.values():
        source.fit(histories, items)
    blend = Blend([found[name] for name in BLENDED])
    blend.look_at(histories, items)
    blend.model = weights
    session = Blend([found[name] for name in ("content", "popularity")], BlendSettings(depth=3, seen=True), "session")
    session.look_at(histories, items)
    behaviour = Behaviour()
    behaviour.fit(sessions_of(histories))
    return Model(IdMap([f"p{number}" for number in range(N_ITEMS)]), found, blend, session, behaviour)


# The sequence model is trained elsewhere, and is its own artefact.
@pytest.mark.parametrize("name", sorted({*names("recommender")} - {"sequence"}))
def test_every_source_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    if name == "ease":
        pytest.importorskip("scipy")
    own = model([name])
    assert isinstance(source_named(name), Stored)
    version = install(tmp_path, own, created=NOW, measurements={}, report={})
    opened = load(tmp_path, version)
    histories, items = small_shop()
    assert np.array_equal(opened.model.sources[name].score(histories), own.sources[name].score(histories))
    opened.model.sources[name].update(histories, np.full(len(histories), 1), items)
    assert opened.model.sources[name].score(histories).shape == (len(histories), N_ITEMS)


def test_the_blend_comes_back_with_its_weights(tmp_path: Path) -> None:
    weights = np.zeros(3 * len(BLENDED) + 4)
    weights[0] = 1.0
    own = model([], ChoiceModel(weights))
    version = install(tmp_path, own, created=NOW, measurements={}, report={"trees": 0})
    assert current(tmp_path) == version
    opened = load(tmp_path, version)
    histories, _ = small_shop()
    one, other = own.blend.recommend(histories, 5), opened.model.blend.recommend(histories, 5)
    assert np.array_equal(one.items, other.items)
    assert one.scores == pytest.approx(other.scores)
    one, other = own.session.recommend(histories, 5), opened.model.session.recommend(histories, 5)
    assert np.array_equal(one.items, other.items)
    assert opened.model.session.settings.seen
    running = histories.block(0, 3)
    assert opened.model.behaviour.chances(running).buys == pytest.approx(own.behaviour.chances(running).buys)
    assert opened.model.behaviour.chances(running).leaves == pytest.approx(own.behaviour.chances(running).leaves)
    assert opened.model.products.find(["p3", "?"]).tolist() == [3, -1]
    assert opened.manifest.products == N_ITEMS
    assert opened.manifest.sources == BLENDED


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    version = install(tmp_path, model([]), created=NOW, measurements={}, report={})
    path = tmp_path / version / "popularity" / "counts.npy"
    path.write_bytes(path.read_bytes() + b"0")
    with pytest.raises(StorageError, match="lingsou train recommend"):
        load(tmp_path, version)
