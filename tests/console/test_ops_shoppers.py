"""The page of a shopper: what is told of whom, in both languages, and of whom nothing is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lingsou.console.ops import recommending_texts
from lingsou.console.texts import LANGUAGES
from lingsou.events.persons import erase
from lingsou.events.schema import Event
from lingsou.features import live
from tests.console.ops import Console, console

NOW = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console; anna looked at shoes and bought a pair."""
    with console(tmp_path_factory.mktemp("shoppers") / "shop") as running:
        told = [("click", "s1"), ("click", "t1"), ("purchase", "s3")]
        running.shop.behaviour.events.append(
            [
                Event(action_name=action, time=NOW + timedelta(seconds=place), user_id="anna", object_id=id_)
                for place, (action, id_) in enumerate(told)
            ]
        )
        running.sign_in()
        yield running


def told(ops: Console, name: str, lang: str = "en") -> str:
    token = ops.token("/shoppers")
    answer = ops.client.post("/ops/shoppers", data={"csrf": token, "name": name}, headers={"Accept-Language": lang})
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", ("Price band", "Kestrel trail running shoes", "Shoes")), ("zh", ("价格区间", "最近看过的商品", "Shoes"))],
)
def test_what_a_shopper_likes(ops: Console, lang: str, words: tuple[str, ...]) -> None:
    text = told(ops, "anna", lang)
    assert all(word in text for word in words)
    assert text.index("s3</a>") < text.index("t1</a>") < text.index("s1</a>"), "the latest first"
    assert "71 %" in text, "the purchase: 5 of 7"
    assert text.count("<h1") == 1


def test_of_whom_nothing_is_known(ops: Console) -> None:
    assert "Nothing is known of “nobody &lt;b&gt;”" in told(ops, "nobody <b>")
    assert "Price band" not in told(ops, "  ")


def test_whoever_was_erased_is_unknown(ops: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    ops.shop.behaviour.events.append([Event(action_name="click", time=NOW, user_id="bert", object_id="s1")])
    ops.shop.live_events.refresh()
    assert "Price band" in told(ops, "bert")
    erase(ops.shop.behaviour.database, ops.shop.behaviour.privacy, "bert")
    monkeypatch.setattr(live, "_CHECK_S", -1.0)
    ops.shop.live_events.refresh()
    assert "Nothing is known of “bert”" in told(ops, "bert")
    assert "Price band" in told(ops, "anna")


def test_no_other_site_may_ask(ops: Console) -> None:
    assert ops.send("/shoppers", "0" * 64, name="anna").status_code == 403


@pytest.mark.parametrize("key", list(recommending_texts.TEXTS))
def test_every_text_is_there_in_both_languages(key: str) -> None:
    assert len(recommending_texts.TEXTS[key]) == len(LANGUAGES)
    assert all(text.strip() for text in recommending_texts.TEXTS[key])
