"""A new index beside a service under load: no failed request, and no answer put together from two states."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Run, lingsou_here

from .conftest import Service, make_folder, serving, wait_for

__all__ = ["lingsou_here"]
PRODUCTS = 300
PAGE = 20
REQUESTS: list[dict[str, Any]] = [
    {"q": "lamp", "page": 2},
    {"q": "台灯 lamp", "sort": "price"},
    {"q": ""},
    {"q": "lamp", "filters": {"category": "Home > Desk"}},
    {"q": "shade 7"},
]


def products(round_: int) -> list[dict[str, Any]]:
    """The whole shop, every product of it marked with the round: one write, so one step of the index."""
    return [
        {
            "id": f"p{n}",
            "title": f"台灯 lamp shade {n}",
            "brand": f"round {round_}",
            "category": ["Home", "Desk" if n % 3 else "Floor"],
            "price": n,
            "sales": n * 7 % 31,
        }
        for n in range(PRODUCTS)
    ]


def check(request: dict[str, Any], answer: dict[str, Any]) -> int:
    """Whether one answer is of one state: its facets, total, hits, scores and explanations agree. Returns the round."""
    hits, total = answer["hits"], answer["total"]
    brands, categories, prices = answer["facets"]
    assert len(brands["values"]) == 1, f"products of two rounds: {brands}"
    assert brands["values"][0]["count"] == total
    leaves = {each["value"]: each["count"] for each in categories["values"]}
    assert leaves.get("Home > Desk", 0) + leaves.get("Home > Floor", 0) == leaves["Home"] == total
    assert sum(each["count"] for each in prices["values"]) == total
    first = PAGE * (request.get("page", 1) - 1)
    assert len(hits) == min(PAGE, total - first), "every place of the page is filled"
    assert len({hit["id"] for hit in hits}) == len(hits)
    for place, hit in enumerate(hits, first + 1):
        assert hit["explanation"]["value"] == place
        score = hit["explanation"]["children"][0]["value"]
        assert score == pytest.approx(hit["score"], rel=1e-4, abs=1e-6)
    ordered = [hit["product"]["price"] if "sort" in request else -hit["score"] for hit in hits]
    assert [float(each) for each in ordered] == sorted(map(float, ordered))
    return int(brands["values"][0]["value"].removeprefix("round "))


class Load:
    """Clients that search without pause, and what they met."""

    def __init__(self, service: Service):
        self._url = service.client.base_url
        self._stop = threading.Event()
        self.failures: list[str] = []
        self.rounds: list[int] = []

    def search(self) -> None:
        facets = [{"field": "brand"}, {"field": "category"}, {"field": "price", "ranges": [{"lt": 9}, {"gte": 9}]}]
        latest, count = -1, 0
        with httpx.Client(base_url=self._url, timeout=30) as client:
            while not self._stop.is_set():
                request = REQUESTS[count % len(REQUESTS)]
                count += 1
                body = {**request, "facets": facets, "page_size": PAGE, "explain": True, "understand": count % 2 == 0}
                try:
                    response = client.post("/v1/search", json=body)
                    assert response.status_code == 200, response.text
                    round_ = check(request, response.json())
                    assert round_ >= latest, f"back in time from {latest} to {round_}"
                    latest = round_
                    self.rounds.append(round_)
                except (AssertionError, httpx.HTTPError) as error:
                    self.failures.append(f"{request}: {error!r}")

    def sees_more(self, service: Service) -> None:
        """Wait until two more rounds and forty more searches have been seen."""
        before = len(self.rounds)
        wait_for(service, lambda: len(self.rounds) >= before + 40 and len(set(self.rounds[before:])) > 2)

    @contextmanager
    def applied(self, clients: int) -> Iterator[None]:
        threads = [threading.Thread(target=self.search) for _ in range(clients)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(60)


class Writer:
    """Rewrites the shop round after round, as fast as searches show it."""

    def __init__(self, service: Service):
        self._service = service
        self._stop = threading.Event()
        self.round = 0

    def write(self) -> None:
        self.round += 1
        with httpx.Client(base_url=self._service.client.base_url, timeout=30) as client:
            sent = client.post("/v1/products", json=products(self.round), headers=self._service.auth)
            assert sent.status_code == 202, sent.text
            brand = {"filters": {"brand": f"round {self.round}"}, "page_size": 1}
            wait_for(
                self._service, lambda: client.post("/v1/search", json=brand).json()["total"] == PRODUCTS, seconds=60
            )

    def _go_on(self) -> None:
        while not self._stop.is_set():
            self.write()
            time.sleep(0.2)

    @contextmanager
    def writing(self) -> Iterator[None]:
        thread = threading.Thread(target=self._go_on)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join(90)


def generation(service: Service) -> str:
    return str(service.client.get("/ready").json()["generation"])


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_reindexing_under_load_fails_and_mixes_nothing(tmp_path: Path, lingsou_here: Run) -> None:
    folder, key = make_folder(tmp_path)
    with serving(folder, key) as service:
        writer, load = Writer(service), Load(service)
        writer.write()
        with writer.writing(), load.applied(clients=3):
            for number in range(2, 5):
                lingsou_here("index", "--rebuild", "--data", folder.root)
                wait_for(service, lambda number=number: generation(service) == f"g{number:06}")
                load.sees_more(service)
            lingsou_here("index", "--rollback", "--data", folder.root)
            wait_for(service, lambda: generation(service) == "g000003")
            load.sees_more(service)
            lingsou_here("index", "--rebuild", "--data", folder.root)
            wait_for(service, lambda: generation(service) == "g000005")
            load.sees_more(service)
        assert not load.failures, load.failures[:3]
        assert len(load.rounds) > 100
        assert len(set(load.rounds)) > 5, "what was written meanwhile was found"
        assert sorted(path.name for path in folder.index.glob("g*")) == ["g000003", "g000005"]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_service_with_other_settings_takes_over_without_a_gap(tmp_path: Path, lingsou_here: Run) -> None:
    folder, key = make_folder(tmp_path)
    with ExitStack() as new:
        with serving(folder, key) as service:
            writer, load = Writer(service), Load(service)
            writer.write()
            with load.applied(clients=1):
                folder.lexicon.write_text("台灯 lamp\n", encoding="utf-8")
                assert (
                    lingsou_here("index", "--rebuild", "--data", folder.root, "--json").json["generation"] == "g000002"
                )
                writer.write()
                assert generation(service) == "g000001", "the running service goes on with what fits it"
                after = new.enter_context(serving(folder, key))
                ready = after.client.get("/ready").json()
                assert (ready["generation"], ready["products"]) == ("g000002", PRODUCTS), "at once, not empty at first"
                writer.write()
            assert not load.failures, load.failures[:3]
        writer, load = Writer(after), Load(after)
        writer.round = 10
        with load.applied(clients=1):
            writer.write()
        assert not load.failures, load.failures[:3]
        assert generation(after) == "g000002"
    folder.lexicon.unlink()
    back = lingsou_here("index", "--rollback", "--data", folder.root, "--json").json
    assert back == {"generation": "g000001", "previous": "g000002", "fits": "g000001"}
    with serving(folder, key) as service:
        wait_for(service, lambda: service.client.get("/ready").json()["lag"] == 0)
        found = service.client.post("/v1/search", json={"filters": {"brand": "round 11"}}).json()["total"]
        assert (generation(service), found) == ("g000001", PRODUCTS)
