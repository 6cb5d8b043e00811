"""Contract of `lingsou.quality.audit.Audit`: run every function of `CONTRACT` over your own audit.

@pytest.mark.parametrize("clause", CONTRACT, ids=lambda clause: clause.__name__)
def test_contract(clause):
    clause("my-audit", MyAudit)
"""

from collections.abc import Callable

import numpy as np

from lingsou.core.types import Product
from lingsou.quality.audit import Audit, Flags, findings
from lingsou.quality.check import SEVERITIES
from lingsou.quality.columns import Columns, columns_of
from lingsou.testing.check import defective_products, healthy_products

MakeAudit = Callable[[], Audit]
FEW = 8


def names_itself(name: str, make: MakeAudit) -> None:
    """It is registered under its id, and says in one sentence what the problem costs."""
    audit = make()
    assert audit.id == name
    assert audit.severity in SEVERITIES
    assert audit.cost.endswith("."), "one sentence, ended by a full stop"
    assert ". " not in audit.cost, "one sentence"


def flags_nothing_in_nothing(_name: str, make: MakeAudit) -> None:
    """An empty catalogue has no flags."""
    assert make().judge(columns_of([])) == []


def flags_little_in_a_small_healthy_catalogue(_name: str, make: MakeAudit) -> None:
    """A handful of sound products teaches nothing, so nothing graver than an info is said of it."""
    found = make().judge(_columns(healthy_products(FEW)))
    assert [flags for flags in found if flags.problem.severity != "info"] == []


def makes_sound_flags(name: str, make: MakeAudit) -> None:
    """Flags name places in the columns, each once, the surest first, and make valid findings."""
    columns = _columns(defective_products())
    audit = make()
    for flags in audit.judge(columns):
        assert len(flags) > 0
        assert len(set(flags.places.tolist())) == len(flags)
        assert set(flags.places.tolist()) <= set(range(len(columns)))
        assert (np.diff(flags.confidence) <= 0).all()
        assert ((flags.confidence >= 0) & (flags.confidence <= 1)).all()
        assert len(flags.evidence) == len(flags.edits) == len(flags)
        assert len(flags.repairs) in (0, len(flags))
        assert SEVERITIES.index(flags.problem.severity) >= SEVERITIES.index(audit.severity)
        for finding in findings(audit, columns, flags):
            assert finding.check == name
            assert finding.problem
            assert finding.repair
            assert finding.evidence.isprintable()
            assert 0 < len(finding.evidence) <= 200


def is_repeatable(_name: str, make: MakeAudit) -> None:
    """The same columns give the same flags in the same order."""
    columns = _columns(defective_products())
    once, again = make().judge(columns), make().judge(columns)
    assert [_plain(flags) for flags in once] == [_plain(flags) for flags in again]


CONTRACT: tuple[Callable[[str, MakeAudit], None], ...] = (
    names_itself,
    flags_nothing_in_nothing,
    flags_little_in_a_small_healthy_catalogue,
    makes_sound_flags,
    is_repeatable,
)
"""Every clause, as a function of the audit's name and of what makes a new one."""


def _columns(products: list[Product]) -> Columns:
    return columns_of(enumerate(products, start=1))


def _plain(flags: Flags) -> object:
    return (flags.problem, flags.field, flags.places.tolist(), flags.confidence.tolist(), flags.edits, flags.repairs)
