"""Contract of `lingsou.quality.check.Check`: run every function of `CONTRACT` over your own check.

@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_contract(clause):
    clause("my-check", MyCheck)
"""

import gc
import weakref
from collections.abc import Callable, Iterable
from decimal import Decimal

from lingsou.core.types import Attribute, Product
from lingsou.quality.check import SEVERITIES, Check, Finding, Kind

MakeCheck = Callable[..., Check]


def healthy_products(number: int = 200) -> list[Product]:
    """A small bilingual shop without a defect, in which no check may find an error or a warning."""
    lines = (
        ("连衣裙 女 夏季新款 收腰显瘦 2024", "Women's summer dress, cotton", ("服饰", "连衣裙"), 199),
        ("无线蓝牙耳机 主动降噪 30小时续航", "Wireless earbuds with noise cancelling", ("数码", "耳机"), 299),
        ("不锈钢保温杯 500ml 便携", "Vacuum flask, 500 ml, keeps 12 h hot", ("家居", "水杯"), 89),
        ("Café crème espresso beans 1 kg", "法式烘焙咖啡豆，低酸香醇", ("食品", "咖啡"), 128),
    )
    colours = ("黑色", "白色", "red", "crème")
    return [
        Product(
            id=f"P-{number:05}",
            title=f"{lines[number % 4][0]} {number}",
            short_description=lines[number % 4][1],
            description='100% new & original.\n尺寸 ≤ 30 cm × 20 cm；Size < 30" & > 5". 售后 7 天无理由。',
            brand="Löwenherz" if number % 2 else "鑫喆",
            category=lines[number % 4][2],
            price=Decimal(lines[number % 4][3]) + number % 50,
            currency="CNY",
            sku=f"SKU{number:05}",
            attributes={"颜色": Attribute(value=colours[number % 3]), "weight": Attribute(value=1.5, unit="kg")},
            stock=number % 90,
        )
        for number in range(1, number + 1)
    ]


def defective_products() -> list[Product]:
    """Products with the defects that the built-in checks look for, many times over."""
    names = (
        "鐧惧害缃戠洏",
        "锟斤拷锟斤拷 phone",
        "CafÃ© crÃ¨me",
        "soft\u200bware",
        "<b>bold</b> &amp;nbsp; title",
        "<script>alert(1)</script>",
        "?????? 2024",
        "bell\x07",
    )
    odd = [
        Product(
            id=f"D{number % 6}", title=names[number % len(names)], price=(0, "0.01", 5, None)[number % 4], stock=99_999
        )
        for number in range(24)
    ]
    named = [
        Product(id=f"A{number}", title="x", attributes={f"名称{number}": "&nbsp;"}, stock=2**31 - 1)
        for number in range(24)
    ]
    return [*healthy_products(), *odd, *named]


def names_itself(name: str, make: MakeCheck) -> None:
    """It is registered under its id, and says in one sentence what the problem costs."""
    check = make()
    assert check.id == name
    assert check.severity in SEVERITIES
    assert check.cost.endswith("."), "one sentence, ended by a full stop"
    assert ". " not in check.cost, "one sentence"


def finds_nothing_in_nothing(_name: str, make: MakeCheck) -> None:
    """An empty catalogue has no findings."""
    check = make()
    assert check.finish() == []
    assert dict(check.counts()) == {}


def lets_a_healthy_catalogue_pass(_name: str, make: MakeCheck) -> None:
    """Nothing worse than an info in a healthy bilingual shop."""
    findings, _ = _run(make(), healthy_products())
    assert [finding for finding in findings if finding.severity != "info"] == []


def makes_sound_findings(name: str, make: MakeCheck) -> None:
    """Findings carry its id, point at a row that it saw, and are never graver than it declares."""
    products = defective_products()
    check = make()
    findings, _ = _run(check, products)
    for finding in findings:
        assert finding.check == name
        assert SEVERITIES.index(finding.severity) >= SEVERITIES.index(check.severity)
        assert finding.problem
        assert finding.repair
        assert finding.evidence
        assert len(finding.evidence) <= 200
        if finding.row is None:
            assert finding.product_id == ""
        else:
            assert products[finding.row - 1].id == finding.product_id


def keeps_few_and_counts_all(_name: str, make: MakeCheck) -> None:
    """It keeps at most `examples` findings of each kind, and the counts cover every finding kept."""
    everything, counts = _run(make(examples=10_000), defective_products())
    few, same_counts = _run(make(examples=2), defective_products())
    assert counts == same_counts
    for kind, number in counts.items():
        assert number >= 1
        kept = [each for each in few if Kind(each.severity, each.field, each.problem) == kind]
        all_kept = [each for each in everything if Kind(each.severity, each.field, each.problem) == kind]
        assert len(kept) == min(2, number)
        assert len(all_kept) <= number
    assert {Kind(each.severity, each.field, each.problem) for each in everything} == set(counts)


def is_repeatable(_name: str, make: MakeCheck) -> None:
    """The same products give the same findings in the same order."""
    assert _run(make(), defective_products()) == _run(make(), defective_products())


def keeps_no_products(_name: str, make: MakeCheck) -> None:
    """It streams: no product is alive because the check has seen it."""
    check = make()
    seen = []
    for row, product in enumerate(defective_products(), start=1):
        check.observe(row, product)
        seen.append(weakref.ref(product))
    del product
    gc.collect()
    assert not [ref for ref in seen if ref() is not None]


def bears_the_extremes(_name: str, make: MakeCheck) -> None:
    """The least and the most that a valid product can hold."""
    products = [
        Product(id="0", title="?"),
        Product(id="\x01", title="\uffff", description="<" * 200_000, price=Decimal("0.0001"), stock=0),
        Product(id="é" * 256, title="鐧" * 2_000, price=Decimal("999999999999.9999"), stock=2**31 - 1),
        Product(id="&", title="&#99999999;&#x0;&#xd800;&amp;#xd800;", category=("&lt;",), tags=("",) * 0),
        Product(
            id="many", title="x", attributes={f"{n}": value for n, value in enumerate((True, 1, 1e308, "", ("a", "")))}
        ),
    ]
    _run(make(), products)


CONTRACT: tuple[Callable[[str, MakeCheck], None], ...] = (
    names_itself,
    finds_nothing_in_nothing,
    lets_a_healthy_catalogue_pass,
    makes_sound_findings,
    keeps_few_and_counts_all,
    is_repeatable,
    keeps_no_products,
    bears_the_extremes,
)
"""Every clause, as a function of the check's name and of what makes a new one."""


def _run(check: Check, products: Iterable[Product]) -> tuple[list[Finding], dict[Kind, int]]:
    for row, product in enumerate(products, start=1):
        check.observe(row, product)
    return check.finish(), dict(check.counts())
