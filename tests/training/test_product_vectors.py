"""A shop in two languages: clicks on Chinese titles recommend products that only have English ones."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lingsou.catalog.vectors import VectorStore
from lingsou.cli.app import app
from lingsou.core.settings import EncoderSettings
from lingsou.core.types import Context, Product, RecommendRequest
from lingsou.events.schema import Event
from lingsou.pipeline.shop import open_shop
from lingsou.recommend.artefact import load
from lingsou.recommend.interactions import sequences
from lingsou.recommend.recommender import recommend
from lingsou.training.product_vectors import product_vectors

pytest.importorskip("lightgbm")
pytestmark = pytest.mark.skipif(
    not (EncoderSettings().models_dir / "e5-small").is_dir(), reason="the encoder e5-small is not on this machine"
)
CHINESE = {
    "headphones": ["降噪蓝牙耳机", "头戴式无线耳机", "入耳式运动耳机", "有线电竞耳机"],
    "kettle": ["不锈钢电热水壶", "恒温烧水壶", "便携折叠水壶", "玻璃养生壶"],
    "tent": ["双人露营帐篷", "全自动速开帐篷", "防雨沙滩帐篷", "四季高山帐篷"],
    "lipstick": ["哑光口红", "滋润保湿唇膏", "丝绒唇釉", "不沾杯口红"],
}
ENGLISH = {
    "headphones": ["Noise cancelling bluetooth headphones", "Wireless over-ear headphones"],
    "kettle": ["Stainless steel electric kettle", "Glass water kettle with temperature control"],
    "tent": ["Two person camping tent", "Waterproof backpacking tent"],
    "lipstick": ["Matte lipstick", "Moisturising lip colour"],
}
PRODUCTS = [
    Product(id=f"{language}-{kind}-{number}", title=title)
    for language, titles in (("zh", CHINESE), ("en", ENGLISH))
    for kind, own in titles.items()
    for number, title in enumerate(own)
]


def shopping(now: datetime) -> list[Event]:
    """80 shoppers click through the Chinese products of one kind; nobody ever saw an English one."""
    random = np.random.default_rng(2)
    return [
        Event(
            action_name="click",
            time=now - timedelta(days=5, minutes=100 * shopper - place),
            user_id=f"u{shopper}",
            object_id=f"zh-{kind}-{number}",
        )
        for shopper in range(80)
        for kind in [list(CHINESE)[shopper % len(CHINESE)]]
        for place, number in enumerate(random.permutation(4)[:3].tolist())
    ]


def test_clicks_on_chinese_products_recommend_english_ones(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["init", "--data", str(tmp_path)]).exit_code == 0
    shop, now = open_shop(tmp_path), datetime.now(UTC)
    try:
        shop.store.upsert(PRODUCTS)
        indexer = shop.indexer()
        indexer.catch_up()
        indexer.embed()
        shop.behaviour.events.append(shopping(now))
        told = CliRunner().invoke(app, ["train", "recommend", "--data", str(tmp_path), "--json"])
        assert told.exit_code == 0, told.output
        report = json.loads(told.stdout)
        assert report["products_with_vectors"] == len(PRODUCTS)
        model = load(shop.folder.recommender, report["installed"]).model
        shop.recommendations.refresh()
        english = np.array([str(name).startswith("en") for name in model.products.names])
        for kind in CHINESE:
            clicks = [f"zh-{kind}-0", f"zh-{kind}-1"]
            request = RecommendRequest(items=tuple(clicks), n=8, context=Context(locale="zh-CN"))
            answer = [item.id for item in shop.recommendations.answer(request).items]
            assert {f"en-{kind}-0", f"en-{kind}-1"} <= set(answer), f"{kind}: {answer}"
            history = sequences([model.products.find(clicks).tolist()], len(model.products))
            among_english = recommend(model.sources["content"], history, 1, available=english)
            assert str(model.products.names[among_english.items[0, 0]]).startswith(f"en-{kind}")
        centring = shop.engine.centring
        assert centring is not None
        stored = VectorStore(shop.store.database, centring.encoder)
        some = product_vectors([PRODUCTS[0], Product(id="new", title="never indexed")], centring, stored)
        assert some is not None
        assert np.linalg.norm(some, axis=1) == pytest.approx([1, 0], abs=1e-3)
        assert product_vectors([Product(id="new", title="never indexed")], centring, stored) is None
    finally:
        shop.close()
