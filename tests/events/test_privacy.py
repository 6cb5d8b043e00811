"""The secret, pseudonyms, and what becomes of attributes."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import DataFolder, EventSettings, Settings
from lingsou.events.privacy import Privacy
from lingsou.testing.events import click


def test_the_secret_is_made_once_for_the_owner_alone(folder: DataFolder) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = {each.pseudonym("anna") for each in pool.map(lambda _: Privacy.of(folder, Settings()), range(8))}
    assert len(made) == 1
    assert stat.S_IMODE(folder.secret.stat().st_mode) == 0o600
    assert [path.name for path in folder.root.glob(".secret*")] == []


def test_a_damaged_secret_is_refused_rather_than_replaced(folder: DataFolder) -> None:
    folder.secret.write_text("abc", encoding="ascii")
    with pytest.raises(ConfigurationError, match="64 hex digits"):
        Privacy.of(folder, Settings())


def test_a_secret_by_setting_leaves_no_file(folder: DataFolder) -> None:
    settings = Settings(events=EventSettings(secret="a shop's own"))
    assert Privacy.of(folder, settings).pseudonym("u") == Privacy(b"a shop's own").pseudonym("u")
    assert not folder.secret.exists()
    assert "a shop's own" not in repr(settings)


def test_pseudonyms_depend_on_the_secret_and_stay_as_they_are() -> None:
    one, other = Privacy(b"1"), Privacy(b"2")
    assert one.pseudonym("anna") == one.pseudonym("anna") != other.pseudonym("anna")
    assert one.pseudonym(one.pseudonym("anna")) == one.pseudonym("anna")
    assert len(one.pseudonym("anna")) == 34


def test_attributes_lose_what_is_personal() -> None:
    privacy = Privacy(b"1")
    given = {
        "User-Agent": "Mozilla", "ip": "1.2.3.4", "customer_id": "anna", "note": "ring 13800138000",
        "deep": [{"email": 1}], "colour": "黑色", "ean": 6901234567892, "number": 13800138000, "13900139000": True,
        "nothing": None,
    }  # fmt: skip
    assert privacy.applied(click(1, attributes=given)).attributes == {
        "User-Agent": "[masked]", "ip": "[masked]", "customer_id": privacy.pseudonym("anna"), "note": "ring [phone]",
        "deep": [{"email": "[masked]"}], "colour": "黑色", "ean": 6901234567892, "number": "[phone]", "[phone]": True,
        "nothing": None,
    }  # fmt: skip
