"""Names and what they stand for."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from lingsou.core import plugins
from lingsou.core.builtins import BUILTINS
from lingsou.core.errors import ConfigurationError
from lingsou.core.plugins import names, resolve


@pytest.fixture
def third_party(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package that registers a feed, one of them under the name of a built-in, and one that is broken."""
    points = EntryPoints(
        EntryPoint(name, target, "lingsou.feed")
        for name, target in (
            ("csv", "json:JSONDecoder"),
            ("fixed-width", "decimal:Decimal"),
            ("gone", "no_such_module_anywhere:Feed"),
            ("half", "decimal:NoSuchFeed"),
        )
    )
    monkeypatch.setattr(plugins, "entry_points", lambda **chosen: points.select(**chosen))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in BUILTINS.items() for name in table])
def test_every_built_in_resolves(kind: str, name: str) -> None:
    found = resolve(kind, name)
    assert callable(found.compute if kind == "feature" else found)
    assert name in names(kind)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match="There is no check named 'astrology'") as caught:
        resolve("check", "astrology")
    assert caught.value.cure
    assert "duplicate-id, encoding, html, images, language, price, stale, stock" in caught.value.cure


@pytest.mark.usefixtures("third_party")
def test_plug_ins_add_names_and_replace_none() -> None:
    from decimal import Decimal

    from lingsou.catalog.feeds.csv import CsvFeed

    assert resolve("feed", "fixed-width") is Decimal
    assert resolve("feed", "csv") is CsvFeed, "built-ins come first"
    assert "fixed-width" in names("feed")
    assert names("feed").count("csv") == 1


@pytest.mark.usefixtures("third_party")
@pytest.mark.parametrize("name", ["gone", "half"])
def test_a_broken_plug_in_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"The feed '{name}'") as caught:
        resolve("feed", name)
    assert caught.value.cure
