"""The page of a query's plan: what is believed, a label in by form, wrong ones refused, and out again."""

from collections.abc import Iterator
from typing import Any

import pytest

from lingsou.console.ops import teaching, teaching_texts
from lingsou.console.texts import LANGUAGES
from tests.console.ops import Console, console


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with console(tmp_path_factory.mktemp("teaching") / "shop") as running:
        running.shop.understanding.refresh(at_once=True)
        running.sign_in()
        yield running


@pytest.mark.parametrize(("lang", "words"), [("en", ("Brand", "catalogue", "Kestrel")), ("zh", ("品牌", "Kestrel"))])
def test_what_is_believed_is_shown(ops: Console, lang: str, words: tuple[str, ...]) -> None:
    text = ops.page("/understand?q=Kestrel+running+shoes+under+$90", lang=lang)
    assert all(word in text for word in words)
    assert "price" in text
    assert text.count("<h1") == 1
    assert 'value="Kestrel"' in text, "what was understood stands in the form"


def test_a_label_goes_in_overrules_and_comes_out(ops: Console) -> None:
    """Two names in order; the second `shoes` is the one behind the first, and everything else is no name."""
    said: dict[str, Any] = {
        "q": "shoes for shoes", "intent": "browse", "category": "", "names": "1",
        "words": ["shoes", "shoes", ""], "kind": ["brand", "product", "brand"],
    }  # fmt: skip
    answer = ops.send("/understand", **said)
    assert (answer.status_code, "done=label_kept" in answer.headers["location"]) == (303, True)
    label = ops.shop.labels.of("Shoes for  SHOES")
    assert label is not None
    assert [(span.start, span.end, span.kind) for span in label.entities or ()] == [
        (0, 5, "brand"),
        (10, 15, "product"),
    ]
    page = ops.page("/understand?q=shoes+for+shoes&done=label_kept")
    assert "Kept. It holds at once." in page
    assert "merchandiser" in page
    assert "done=label_same" in ops.send("/understand", **said).headers["location"]
    assert "done=label_forgotten" in ops.send("/understand", q="shoes for shoes", do="forget").headers["location"]
    assert ops.shop.labels.of("shoes for shoes") is None
    assert "None yet." in ops.page("/understand")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "nothing to say"),
        ({"intent": "dance"}, "no intent 'dance'"),
        ({"category": "Nothing"}, "No product is in the category"),
        ({"names": "1", "words": "boots", "kind": "brand"}, "“boots” is not in the query"),
        ({"names": "1", "words": "shoes", "kind": "mood"}, "String should match"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_lost(ops: Console, said: dict[str, str], told: str) -> None:
    answer = ops.send("/understand", q="running shoes", sentiment="", **said)
    assert answer.status_code == 422
    assert told in answer.text.replace("&#39;", "'")
    assert all(f'value="{value}"' in answer.text for name, value in said.items() if name in ("category", "words"))
    assert len(ops.shop.labels) == 0


def test_words_of_a_name_are_looked_for_behind_the_one_before() -> None:
    names = [teaching.Named("red", "brand"), teaching.Named("red", "attributes.colour")]
    assert teaching.spans_of("red shoes red", names) == [
        {"start": 0, "end": 3, "kind": "brand"},
        {"start": 10, "end": 13, "kind": "attributes.colour"},
    ]
    with pytest.raises(teaching.WordsError):
        teaching.spans_of("red shoes", names)


@pytest.mark.parametrize("key", list(teaching_texts.TEXTS))
def test_every_text_is_there_in_both_languages(key: str) -> None:
    assert len(teaching_texts.TEXTS[key]) == len(LANGUAGES)
    assert all(text.strip() for text in teaching_texts.TEXTS[key])
