"""The gate: which products are held back, and what is reported of the others."""

from pathlib import Path

import pytest

from lingsou.core.types import Product
from lingsou.demo import generate
from lingsou.quality.gate import Gate
from lingsou.quality.profile import Profile, load_profile

SCRIPT = "<script src=x></script>"
MISREAD = "CafÃ© Lanterne Ã©toilÃ©e"


def gate(tmp_path: Path, text: str) -> Gate:
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    return Gate(load_profile("own.toml", tmp_path))


def checks(gate: Gate, product: Product, row: int = 1) -> list[str]:
    return [reason.check for reason in gate(row, product)]


@pytest.mark.parametrize(
    ("product", "held"),
    [
        (Product(id="1", title="Plain lamp", price=10), []),
        (Product(id="1", title=f"Lamp {SCRIPT}"), ["html"]),
        (Product(id="1", title="Lamp", attributes={"colour": SCRIPT}), ["html"]),
        (Product(id="1", title="Lamp", description=f"A video <iframe src=x> {SCRIPT}"), []),
        (Product(id="1", title=MISREAD), ["encoding"]),
        (Product(id="1", title="Lamp", description=MISREAD), []),
        (Product(id="1", title="Lamp <b>bold</b>", price=0), []),
        (Product(id="1", title="EIO\ufffd cotton rompers for the baby"), []),
        (Product(id="1", title=f"{MISREAD} {SCRIPT}"), ["encoding", "html"]),
    ],
)
def test_the_default_holds_back_only_what_is_sure_to_hurt(product: Product, held: list[str]) -> None:
    assert checks(Gate(load_profile("default")), product) == held


def test_strict_holds_back_every_sure_error_and_lenient_nothing() -> None:
    rows = [
        Product(id="1", title="Lamp", price=0),
        Product(id="2", title="Lamp", description=SCRIPT),
        Product(id="2", title="Lamp"),
        Product(id="3", title="Lamp &amp; shade"),
    ]
    strict, lenient = Gate(load_profile("strict")), Gate(load_profile("lenient"))
    assert [checks(strict, product, row) for row, product in enumerate(rows, 1)] == [
        ["price"], ["html"], ["duplicate-id"], [],
    ]  # fmt: skip
    assert not any(lenient(row, product) for row, product in enumerate(rows, 1))


def test_severity_confidence_and_field_draw_the_line(tmp_path: Path) -> None:
    tags, entity = Product(id="1", title="Lamp <b>bold</b>"), Product(id="2", title="Lamp", brand="A &amp; B")
    only = "[checks.html]\nquarantine = true\n"
    for text, expected in [
        (only, (0, 0)),
        (only + 'from_severity = "warning"\n', (1, 1)),
        (only + 'from_severity = "warning"\nfrom_confidence = 0.96\n', (0, 1)),
        (only + 'from_severity = "warning"\nfields = ["brand", "attributes"]\n', (0, 1)),
        (only + 'severity = "error"\n', (1, 1)),
        (only + 'severity = "error"\nfrom_confidence = 0.0\non = false\n', (0, 0)),
    ]:
        own = gate(tmp_path, text)
        assert (len(own(1, tags)), len(own(2, entity))) == expected, text
    attribute = Product(id="1", title="Lamp", attributes={"colour": "<b>red</b>"})
    own = gate(tmp_path, only + 'from_severity = "warning"\nfields = ["attributes"]\n')
    assert [each.field for each in own(1, attribute)] == ["attributes.colour"]


def test_a_reason_says_what_where_and_how_to_mend_it() -> None:
    (reason,) = Gate(load_profile("default"))(3, Product(id="1", title=f"Lamp {SCRIPT}"))
    assert (reason.severity, reason.field, reason.confidence) == ("error", "title", 0.95)
    assert "<script" in reason.evidence
    assert reason.repair


def test_what_is_known_at_the_end_is_reported_and_holds_nothing_back() -> None:
    gate = Gate(load_profile("strict"))
    usual = [Product(id=f"p{number}", title=f"Lamp {number}", price=100 + number, stock=3) for number in range(60)]
    rows = [*usual, Product(id="far", title="Lamp", price=100_000, stock=3), Product(id="none", title="Lamp", stock=3)]
    assert not any(gate(row, product) for row, product in enumerate(rows, 1))
    report = gate.finish()
    assert report.rows == 62
    found = {problem.problem for result in report.checks for problem in result.problems}
    assert {"price far outside its category", "no price, though most products have one"} <= found


def test_of_a_request_only_the_checks_run_that_may_hold_back() -> None:
    gate = Gate.of_requests(load_profile("default"))()
    assert checks(gate, Product(id="1", title=f"{MISREAD} {SCRIPT}", price=0)) == ["encoding", "html"]
    assert [result.id for result in gate.finish().checks] == ["encoding", "html"]
    assert Gate.of_requests(load_profile("lenient"))().finish().checks == ()


def test_a_finding_about_another_row_does_not_hold_this_one_back() -> None:
    gate = Gate(Profile(name="x", quarantine=True))
    assert checks(gate, Product(id="1", title=f"Lamp {SCRIPT}"), 1) == ["html"]
    assert checks(gate, Product(id="2", title="Lamp"), 2) == []


def test_the_demo_shop_passes_whole() -> None:
    for name in ("default", "strict"):
        gate = Gate(load_profile(name))
        assert not any(gate(row, product) for row, product in enumerate(generate(400), 1))
