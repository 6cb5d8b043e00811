"""The page of a training: everything is there, nothing of it can run, and it can be read without seeing it."""

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import orjson
import pytest

from lingsou.core.errors import StorageError
from lingsou.training.report import TrainingReport
from lingsou.training.report_findings import findings, verdict
from lingsou.training.report_page import page, write_report
from lingsou.training.report_tables import OTHERS
from tests.training.report_example import ATTRIBUTE, HOSTILE, classes, example, many_classes, matching

VOID = {"meta", "br", "rect", "line", "circle", "polyline"}


class Reader(HTMLParser):
    """Elements with their attributes, cells of tables by caption, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.text = ""
        self._open: list[str] = []
        self._caption = ""
        self.feed(html)
        assert not self._open, "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in {"th", "td"}:
            self.tables[self._caption][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are nested"

    def handle_data(self, data: str) -> None:
        self.text += data
        if "caption" in self._open:
            self._caption += data
        elif "th" in self._open or "td" in self._open:
            self.tables[self._caption][-1][-1] += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.elements if name == tag)

    def rows(self, caption: str) -> list[list[str]]:
        return [[cell.strip() for cell in row] for row in self.tables[caption]]


@pytest.fixture(scope="module")
def read() -> Reader:
    return Reader(page(replace(example(), tasks=(matching(), classes(), many_classes()))))


def test_nothing_hostile_is_markup(read: Reader) -> None:
    assert read.text.count(HOSTILE) >= 3, "a slice, an example and the recipe are shown as they are"
    assert ATTRIBUTE in read.text
    assert not {tag for tag, _ in read.elements} & {"script", "img", "iframe", "link", "object", "embed", "form"}
    names = {name for _, attributes in read.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | names & {"src"}
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    assert {str(each["href"]) for each in read.all("a")} <= {f"#{each}" for each in ids}


def test_it_needs_no_other_host_and_forbids_scripts() -> None:
    html = page(example())
    assert "default-src 'none'" in html
    for each in ("http://", "https://", "url(", "@import"):
        assert each not in html


def test_it_can_be_read_without_seeing_it(read: Reader) -> None:
    ids = [str(attributes["id"]) for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(each.get("scope") in {"col", "row"} for each in read.all("th"))
    drawings = list(read.all("svg"))
    assert len([each for each in drawings if each.get("role") == "img"]) == 5, (
        "the rate, and two curves of each task with points"
    )
    for each in drawings:
        if each.get("role") == "img":
            assert set(str(each["aria-labelledby"]).split()) <= set(ids)
        else:
            assert each["aria-hidden"] == "true", "its figure stands beside it"
    assert len(list(read.all("table"))) == len(list(read.all("caption")))
    scrolled = [each for each in read.all("div") if str(each.get("class")).startswith("scroll")]
    assert len(scrolled) == len(list(read.all("table")))
    assert all(each.get("tabindex") == "0" and each.get("aria-label") for each in scrolled)


def test_the_training_is_described(read: Reader) -> None:
    rows = dict(read.rows("The training"))
    assert rows["base"] == "e5-small"
    assert rows["weights that moved"] == "1,327,104 of 118,980,000 (1.1 %)"
    assert rows["weights kept"] == "the mean of those after steps 240, 320"
    assert rows["time"] == "72 min, evaluations included"
    assert rows["torch"] == "2.9"
    assert 'name = "lora"' in read.text
    bits = read.rows("Each task's metric with weights of 32 and of 8 bits, on the same rows")
    assert bits[1] == ["match", "0.5500", "0.5389", "-0.0111"]


def test_figures_stand_beside_those_of_the_base(read: Reader) -> None:
    rows = read.rows("Figures of match")
    decides = next(row for row in rows if row[0].startswith("ndcg@10"))
    assert decides[1:] == ["0.5800", "0.5500 0.5321 to 0.5679", "0.5300", "+0.0200"]
    loss = next(row for row in read.rows("Figures of intent") if row[0] == "ece_loss")
    assert loss[1:] == ["0.0200", "0.0300", "0.3100", "+0.2800"], "a lower loss is better"


def test_bad_slices_stand_on_top_and_small_ones_are_marked(read: Reader) -> None:
    rows = read.rows("Slices of the test part of match")
    assert rows[1][:4] == ["frequency: tail", "120", "0.4700", "-0.0800"]
    assert rows[-1][:3] == ["frequency: unseen few", "2", "too few for a figure"]
    brands = read.rows("By brand, match")
    assert brands[1][:4] == [f"{HOSTILE} few", "12", "0.2000", "-0.3500"]
    assert "a gap of 0.1800 between slices of 30 queries or more" in read.text
    assert "no slices of it: audience words, brand, language, price band." in read.text, "of intent"


def test_a_slice_that_the_metric_does_not_measure_is_not_called_small() -> None:
    task = matching()
    found = Reader(page(replace(example(), tasks=(replace(task, metric="mrr@10"),))))
    assert found.rows("By language, match")[1][1:] == ["120", "not measured by this metric"]


def test_confusion_robustness_and_examples_are_there(read: Reader) -> None:
    matrix = read.rows("Confusion matrix of intent")
    assert matrix[0][1:] == ["buy", "ask", "return", ATTRIBUTE]
    assert matrix[2] == ["ask", "10", "60", "0", "0"]
    assert read.rows("Confusion matrix of category")[-1][0] == OTHERS
    assert len(read.rows("Labels of category")) == 41
    robust = read.rows("Quality of match under perturbation")
    assert [row[0] for row in robust[1:3]] == ["none", "typos: a slip on the keyboard"]
    assert robust[3][:2] == ["typos: pinyin, or a character of the same sound", "48.0 %"]
    assert robust[2][4:] == ["0.4100", "-0.1400", "74.5 %"]
    worst = read.rows("Worst examples of match")
    assert worst[1] == ["1", f"红色连衣裙 → {HOSTILE}", "3 of 3", "0.112, above 2% of all pairs", "0.98"]
    assert worst[2][1].endswith("…")
    assert read.rows("Worst examples of intent")[1][-1] == "∞"


def test_the_data_is_described(read: Reader) -> None:
    rows = dict(read.rows("Data card of match"))
    assert rows["usable rows"] == "12,345 in 2,100 groups that no split parts"
    assert rows["not usable"] == "no text: 4"
    assert rows["read"] == "2026-05-01 12:30 UTC"
    assert read.rows("Parts of the data of match")[1][:3] == ["train", "9,000", "1,500"]
    assert read.rows("The most doubtful labels of match")[1] == ["12", "儿童雨靴 防滑", "men", "children", "0.97"]


def test_what_speaks_against_the_model_is_said_first() -> None:
    found = "\n".join(findings(example()))
    for said in (
        "match: ndcg@10 is 0.5500 on test and 0.5800 on validation",
        "match: ndcg@10 is more than 0.05 behind the whole on language zh (0.4400), frequency tail (0.4700).",
        "match: The training made ndcg@10 worse on frequency tail (-0.0500).",
        "match: By language, ndcg@10 reaches from 0.4400 (zh) to 0.6200 (en).",
        "match: Less than 90 % of ndcg@10 is left with typos: a slip on the keyboard (75 %).",
        "match: Of the data: one class has 9 of 10 rows.",
        f"intent: Never found although expected: {ATTRIBUTE}.",
        "int8 was not taken: int8 lost 0.0111",
    ):
        assert said in found
    assert HOSTILE not in found, "twelve queries prove nothing"


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    good = matching()
    good = replace(
        good,
        validation=good.test,
        before=None,
        test=replace(good.test, slices={}),
        robustness={},
        card=good.card.model_copy(update={"warnings": ()}),
    )
    report = replace(example(), tasks=(good,), precision=None, points=(), kept=(), versions={}, about="")
    assert findings(report) == []
    text = Reader(page(report)).text
    assert "That is no proof" in text
    assert "Look here first" not in text
    assert "Not measured for this task." in text


def test_the_verdict_compares_with_the_base() -> None:
    task = matching()
    assert task.before
    told = "ndcg@10 on the test part is 0.5500 (95 % interval 0.5321 to 0.5679, 4,210 rows)"
    assert verdict(task) == f"{told}, 0.0200 better than the untrained base (0.5300)."
    assert verdict(replace(task, before=None)) == f"{told}; the untrained base was not measured."
    assert verdict(replace(task, before=task.test)) == f"{told}, the same as the untrained base."
    worse = replace(task, before=replace(task.before, values={"ndcg@10": 0.6}))
    assert verdict(worse).endswith("0.0500 worse than the untrained base (0.6000).")
    assert "match: ndcg@10 is worse than that of the untrained base." in findings(replace(example(), tasks=(worse,)))


def test_both_files_are_written_and_json_has_everything(tmp_path: Path) -> None:
    report = example()
    assert write_report(report, tmp_path / "new") == tmp_path / "new" / "report.html"
    assert (tmp_path / "new" / "report.html").read_text(encoding="utf-8") == page(report)
    found = orjson.loads((tmp_path / "new" / "report.json").read_bytes())
    assert set(found) == set(TrainingReport.__dataclass_fields__)
    assert found["points"][0] == orjson.loads(report.points[0].model_dump_json())  # type: ignore[attr-defined]
    match, intent = found["tasks"]
    assert match["test"]["slices"]["language: zh"] == {"ndcg@10": 0.44}
    assert match["counts"]["frequency: unseen"] == 2
    assert match["robustness"]["keyboard"]["evaluation"]["values"]["mrr@10"] == pytest.approx(0.46)
    assert len(match["test"]["worst"][1]["text"]) > 700, "not cut"
    assert match["card"]["created"] == "2026-05-01T12:30:00Z"
    assert intent["test"]["confusion"][1][2] == [5, 3, 22, 0]
    assert intent["test"]["worst"][0]["loss"] is None, "JSON has no infinity"
    assert found["precision"]["figures"]["match"] == [0.55, 0.5389]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_report(example(), tmp_path / "file")
