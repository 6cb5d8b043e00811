"""Both languages say everything, and the language is chosen as the shopper would expect."""

import re
import string
from pathlib import Path

import pytest
from starlette.requests import Request

from lingsou.console import texts
from lingsou.console.texts import FIELDS, LANGUAGES, TEXTS, Texts, language_of

CONSOLE = Path(texts.__file__).parent


@pytest.mark.parametrize("key", list(TEXTS))
def test_every_text_is_there_in_both_languages_with_the_same_places(key: str) -> None:
    chinese, english = TEXTS[key]
    assert chinese.strip()
    assert english.strip()
    places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (chinese, english)]
    assert places[0] == places[1]


def test_every_text_is_used_and_every_used_one_exists() -> None:
    sources = [*(CONSOLE / "templates").glob("*.html"), *CONSOLE.glob("*.py")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources if path.name != "texts.py")
    used = set(re.findall(r"\b(?:t|text)\(\s*f?['\"]([\w{}.-]+)['\"]", code))
    assert not {key for key in used if "{" not in key and key not in TEXTS and not key.endswith("_")}
    built = re.compile(r"(sort|suggest|error|price)_.+|error_\d+_more|total_.+|at_.+|between")
    quoted = set(re.findall(r"['\"]([a-z_]+)['\"]", code))
    assert not {key for key in TEXTS if key not in used | quoted and not built.fullmatch(key)}


def test_field_names_are_there_in_both_languages() -> None:
    assert all(chinese and english for chinese, english in FIELDS.values())
    assert [Texts(each).field("attributes.colour") for each in LANGUAGES] == ["颜色", "Colour"]
    assert Texts("en").field("attributes.unheard_of") is None


def asked(query: str = "", cookie: str = "", accept: str = "") -> Request:
    headers = [(b"cookie", cookie.encode()), (b"accept-language", accept.encode())]
    return Request({"type": "http", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("request_", "setting", "expected"),
    [
        (asked(), "auto", "en"),
        (asked(accept="zh-CN,zh;q=0.9,en;q=0.8"), "auto", "zh"),
        (asked(accept="fr, en;q=0.5, zh;q=0.7"), "auto", "zh"),
        (asked(accept="de"), "auto", "en"),
        (asked(accept="zh;q=nonsense, en"), "auto", "en"),
        (asked(accept="zh"), "en", "en"),
        (asked(cookie="lingsou_lang=zh"), "en", "zh"),
        (asked(query="lang=en", cookie="lingsou_lang=zh"), "zh", "en"),
        (asked(query="lang=xx", accept="zh"), "auto", "zh"),
    ],
)
def test_language(request_: Request, setting: str, expected: str) -> None:
    assert language_of(request_, setting) == expected
