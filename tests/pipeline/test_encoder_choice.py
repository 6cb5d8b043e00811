"""The shop's own encoder: taken up with a new index, and until then searches go on as the index was built."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lingsou.core.model_store import ModelStore
from lingsou.core.settings import SETTINGS_FILE, DataFolder
from lingsou.core.types import SearchRequest
from lingsou.encoders.build import build_artefact
from lingsou.encoders.manifest import Origin, read_manifest
from lingsou.encoders.runtime import OnnxEncoder
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.testing.catalogue import tiny_catalogue
from tests.encoders.conftest import make_weights

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder that the settings name."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "tiny.bin").write_bytes(make_weights())
    origin = Origin(source="tests")
    build_artefact(folder / "tiny.bin", folder / "tiny", name="tiny", base="toy", licence="none", origin=origin)
    return folder / "tiny"


@pytest.fixture
def root(tmp_path: Path, artefact: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop that was indexed with it."""
    monkeypatch.delenv("LINGSOU_ENCODER__NAME", raising=False)
    settings = f"[encoder]\nname = '{artefact}'\nbudget_ms = 10000\nthreads = 1\n"
    (tmp_path / SETTINGS_FILE).write_text(settings, encoding="utf-8")
    with opened(tmp_path) as shop:
        shop.store.upsert(tiny_catalogue())
    index(tmp_path)
    return tmp_path


@contextmanager
def opened(root: Path, *, read_index: bool = True) -> Iterator[Shop]:
    with closing(open_shop(root, read_index=read_index)) as shop:
        shop.encoder.open()
        yield shop


def index(root: Path) -> None:
    """As `lingsou index --rebuild` does."""
    with opened(root, read_index=False) as shop, shop.engine.building() as engine:
        indexer = shop.indexer(engine)
        indexer.catch_up()
        indexer.embed()


def stored(root: Path, artefact: Path, number: int) -> str:
    """A version of the shop's own encoder. Another prefix makes it another one."""
    manifest = read_manifest(artefact).model_copy(update={"name": "own", "query_prefix": f"mouse {'a' * number}"})
    return ModelStore(DataFolder(root).encoder).add(artefact, manifest, NOW + timedelta(minutes=number))


def by_meaning(shop: Shop) -> bool:
    """Whether a search for no word of the shop finds products, and nothing fell back."""
    response = shop.pipeline.search(SearchRequest(q="gadget gizmo", explain=True))
    encoded = next(stage for stage in response.stages if stage.stage == "encode")
    compared = shop.engine.centring is not None and shop.encoder.encoder is not None
    assert (encoded.fallback is None) is (shop.encoder.encoder is not None)
    return compared and shop.engine.centring.encoder == shop.encoder.encoder.fingerprint  # type: ignore[union-attr]


def test_an_encoder_in_production_comes_with_the_next_index(root: Path, artefact: Path) -> None:
    store = ModelStore(DataFolder(root).encoder)
    version = stored(root, artefact, 1)
    with opened(root) as running:
        assert running.encoder_name == str(artefact), "a candidate is not used"
        store.promote(version, force=True)
        assert by_meaning(running)
        with opened(root) as started:
            assert started.encoder_name == str(artefact)
            assert started.engine.size == len(tiny_catalogue())
            assert started.engine.count_without_vectors() == 0
            assert by_meaning(started)
            assert started.indexer().catch_up() == started.indexer().embed() == 0
        index(root)
        running.engine.refresh()
        assert running.engine.size == len(tiny_catalogue()), "it goes on with the generation that fits it"
        assert by_meaning(running)
    with opened(root) as restarted:
        own = OnnxEncoder.open(store.path(version))
        assert restarted.encoder_name == f"encoder/{version}"
        assert restarted.encoder.encoder is not None
        assert restarted.encoder.encoder.fingerprint == own.fingerprint
        assert restarted.engine.count_without_vectors() == 0
        assert by_meaning(restarted)


def test_the_index_keeps_its_own_encoder_while_that_is_in_the_store(root: Path, artefact: Path) -> None:
    store = ModelStore(DataFolder(root).encoder)
    first, second = stored(root, artefact, 1), stored(root, artefact, 2)
    store.promote(first, force=True)
    index(root)
    for change in (lambda: store.promote(second, force=True), store.rollback, store.withdraw):
        change()
        with opened(root) as shop:
            assert shop.encoder_name == f"encoder/{first}"
            assert by_meaning(shop)
    index(root)
    with opened(root) as shop:
        assert shop.encoder_name == str(artefact), "nothing in production: as the settings say"
        assert by_meaning(shop)


def test_an_index_whose_encoder_is_gone_answers_by_words(root: Path, artefact: Path) -> None:
    store = ModelStore(DataFolder(root).encoder)
    first, second = stored(root, artefact, 1), stored(root, artefact, 2)
    store.promote(first, force=True)
    index(root)
    store.promote(second, force=True)
    shutil.rmtree(store.path(first))
    with opened(root) as shop:
        response = shop.pipeline.search(SearchRequest(q="Northpeak", understand=False))
        assert response.total > 0
        (reason,) = [stage.fallback for stage in response.stages if stage.fallback]
        assert "which is gone" in reason
        assert "lingsou index --rebuild" in reason
        assert shop.indexer().embed() == 0, "no vector of another encoder gets among those of the index"
    index(root)
    with opened(root) as shop:
        assert shop.encoder_name == f"encoder/{second}"
        assert by_meaning(shop)


def test_aliases_that_cannot_be_read_leave_the_settings_encoder(root: Path) -> None:
    folder = DataFolder(root).encoder
    folder.mkdir(parents=True)
    (folder / "aliases.json").write_text("nonsense")
    with opened(root) as shop:
        assert by_meaning(shop)
