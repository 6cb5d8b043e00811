"""Settings: the file, the environment over it, and errors that name the field."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import DataFolder, Settings, default_data_folder, load_settings
from lingsou.core.settings_file import settings_toml


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.chdir(tmp_path)
    return DataFolder(tmp_path)


def read(folder: DataFolder, text: str) -> Settings:
    folder.settings_file.write_text(text, encoding="utf-8")
    return load_settings(folder)


def count(model: type[BaseModel]) -> int:
    """How many settings there are, those of inner sections included."""
    kinds = [field.annotation for field in model.model_fields.values()]
    return sum(count(kind) if isinstance(kind, type) and issubclass(kind, BaseModel) else 1 for kind in kinds)


def test_an_empty_file_means_the_defaults(folder: DataFolder) -> None:
    settings = read(folder, "")
    assert settings == Settings()
    assert (settings.currency, settings.server.port, settings.search.k1, settings.store.url) == ("CNY", 8080, 1.2, None)


def test_the_environment_wins_over_the_file(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[server]\nport = 9000\nhost = "0.0.0.0"\n[search.weights]\nbrand = 7\n'
    monkeypatch.setenv("LINGSOU_SERVER__PORT", "9001")
    monkeypatch.setenv("LINGSOU_SEARCH__WEIGHTS__TITLE", "5")
    monkeypatch.setenv("LINGSOU_STORE__URL", "postgresql+psycopg://u:hunter2@h/d")
    settings = read(folder, text)
    assert (settings.server.port, settings.server.host) == (9001, "0.0.0.0")
    assert (settings.search.weights.title, settings.search.weights.brand) == (5, 7)
    assert settings.store.url
    assert "hunter2" not in repr(settings)
    monkeypatch.setenv("LINGSOU_STORE__URL", "")
    assert read(folder, text).store.url is None, "empty means none, as compose files write it"


def test_the_written_file_loads_and_its_comments_are_the_defaults(folder: DataFolder) -> None:
    text = settings_toml(currency="EUR", store_url=None)
    assert read(folder, text) == Settings(currency="EUR")
    uncommented = re.sub(r"^# (?=[a-z0-9_]+ = )", "", text, flags=re.MULTILINE)
    commented = re.findall(r"^# [a-z0-9_]+ = ", text, flags=re.MULTILINE)
    assert len(commented) == count(Settings) - 1, "every setting but the currency"
    assert read(folder, uncommented) == Settings(currency="EUR")
    url = 'postgresql+psycopg://u:p"\\é@h/d'
    stored = read(folder, settings_toml(currency="CNY", store_url=url)).store.url
    assert stored
    assert stored.get_secret_value() == url


def test_a_byte_order_mark_is_no_matter(folder: DataFolder) -> None:
    assert read(folder, '\ufeffcurrency = "USD"\n').currency == "USD"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("speed = 11", "speed"),
        ('_env_file = "elsewhere"', "_env_file"),
        ("__pydantic_self__ = 1", "__pydantic_self__"),
        ("[server]\nprot = 1", "server.prot"),
        ('[server]\nport = "eighty"', "server.port"),
        ("[server]\nport = 65536", "server.port"),
        ("server = 5", "server"),
        ('currency = "eur"', "currency"),
        ("[search]\nb = nan", "search.b"),
        ("[search.weights]\ntitle = 2.5", "search.weights.title"),
        ('[server]\nlog_format = "xml"', "server.log_format"),
        ("[store]\nurl = 0", "store.url"),
    ],
)
def test_an_error_names_file_and_field(text: str, field: str, folder: DataFolder) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(str(folder.settings_file))) as caught:
        read(folder, text)
    assert caught.value.field == field
    assert caught.value.cure


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("LINGSOU_SERVER__PORT", "eighty", "LINGSOU_SERVER__PORT"),
        ("LINGSOU_SERVER__PORT", "", "LINGSOU_SERVER__PORT"),
        ("LINGSOU_SERVER__PROT", "1", "LINGSOU_SERVER__PROT: there is no such setting"),
        ("LINGSOU_SERVER", "{broken", '"server"'),
    ],
)
def test_an_error_of_the_environment_says_so(
    variable: str, value: str, said: str, folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(folder, "")
    assert caught.value.cure


@pytest.mark.parametrize("content", [b"[server\n", b"port = ", "# 灯".encode("gb18030")])
def test_what_is_not_toml_is_said(content: bytes, folder: DataFolder) -> None:
    folder.settings_file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        load_settings(folder)


def test_a_folder_without_settings_was_not_initialised(folder: DataFolder) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(folder)
    assert caught.value.cure == f"lingsou init --data {folder.root}"


def test_settings_cannot_be_changed(folder: DataFolder) -> None:
    settings = read(folder, "")
    for section, name in ((settings, "currency"), (settings.server, "port"), (settings.search.weights, "title")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(section, name, "EUR")


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINGSOU_DATA_DIR", raising=False)
    assert default_data_folder() == Path("lingsou-data")
    monkeypatch.setenv("LINGSOU_DATA_DIR", "/srv/shop")
    assert default_data_folder() == Path("/srv/shop")
    monkeypatch.setenv("LINGSOU_DATA_DIR", "")
    assert default_data_folder() == Path("lingsou-data")
