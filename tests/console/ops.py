"""A small shop with its console in process, a signed-in visitor, and a search log to look at."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import insert

from lingsou.catalog.store import Store
from lingsou.console.app import create_app
from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.tables import events, searches
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.testing.catalogue import tiny_catalogue
from lingsou.text.language import detect
from tests.serving.conftest import make_folder


@dataclass
class Console:
    """The application in process, and one browser's cookies."""

    client: TestClient
    key: str
    shop: Shop

    def page(self, path: str, status: int = 200, lang: str = "en") -> str:
        answer = self.client.get(f"/ops{path}", headers={"Accept-Language": lang})
        assert answer.status_code == status, answer.text[:500]
        return unescape(answer.text)

    def token(self, path: str = "/rules/new") -> str:
        found = re.search(r'name="csrf" value="(\w+)"', self.page(path))
        assert found
        return found[1]

    def send(self, path: str, csrf: str | None = None, **fields: Any) -> Any:
        """Send a form; redirects are not followed."""
        data = {"csrf": self.token() if csrf is None else csrf, **fields}
        return self.client.post(f"/ops{path}", data=data, follow_redirects=False)

    def sign_in(self, key: str | None = None, **fields: str) -> Any:
        return self.send("/login", self.token("/login"), key=self.key if key is None else key, **fields)


@contextmanager
def console(root: Path, products: bool = True) -> Iterator[Console]:
    """A console over a new folder; nobody is signed in."""
    folder, key = make_folder(root)
    if products:
        with Store.of(folder, load_settings(folder)) as store:
            store.upsert(tiny_catalogue())
        shop = open_shop(folder.root)
        shop.indexer().catch_up()
        shop.close()
    app = create_app(folder.root)
    with TestClient(app) as client:
        yield Console(client, key, app.state.worker.shop)


def log_searches(folder: DataFolder, *rows: tuple[str, int, int, int], days_ago: float = 0.02) -> None:
    """Write searches: (text, how often, results, how many of them were clicked)."""
    time = round((datetime.now(UTC) - timedelta(days=days_ago)).timestamp() * 1_000)
    logged: list[dict[str, Any]] = []
    clicks: list[dict[str, Any]] = []
    for text, count, total, clicked in rows:
        for number in range(count):
            query_id = f"{text}-{days_ago}-{number}"
            logged.append(
                {
                    "query_id": query_id, "time": time, "text": text, "language": detect(text), "total": total,
                    "took_ms": 4.0 + number, "page": 1, "filters": "", "relaxed": False, "session_id": f"s{number}",
                }
            )  # fmt: skip
            if number < clicked:
                clicks.append(
                    {
                        "key": query_id, "time": time, "received": time, "bot": False, "action": "click",
                        "action_name": "click", "query_id": query_id,
                    }
                )  # fmt: skip
    with open_behaviour(folder, load_settings(folder)) as behaviour, behaviour.database.write() as connection:
        connection.execute(insert(searches), logged)
        if clicks:
            connection.execute(insert(events), clicks)
