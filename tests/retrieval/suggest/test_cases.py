"""Judged suggestions over the demo shop: what a shopper types, and what has to be among the first five.

The first 62 of `cases.tsv` were written before any weight was set, and were looked at while setting them. The other 20
were a first set kept aside, of which 18 were met; the two that were not led to attribute values being suggested.
`held_out.tsv` was written after that, and nothing was changed for it.
"""

import csv
from pathlib import Path

import pytest

from lingsou.retrieval.suggest import SuggestIndex
from lingsou.text.normalise import normalise

HERE = Path(__file__).parent


def missed(index: SuggestIndex, name: str) -> tuple[list[str], int]:
    """The cases whose wanted text is not among five suggestions, all groups together; and how many cases there are."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file, delimiter="\t"))
    wrong = []
    for case in cases:
        shown = [item.text for group in index.suggest(case["typed"], 5) for item in group.items]
        assert len(shown) <= 5
        if not {normalise(text) for text in shown} & {normalise(text) for text in case["wanted"].split("|")}:
            wrong.append(f"{case['kind']} {case['typed']}: {case['wanted']} not in {shown}")
    return wrong, len(cases)


@pytest.mark.parametrize(("name", "least"), [("cases.tsv", 50), ("held_out.tsv", 15)])
def test_at_least_95_percent_are_among_the_first_five(demo: SuggestIndex, name: str, least: int) -> None:
    wrong, count = missed(demo, name)
    assert count >= least
    assert len(wrong) <= 0.05 * count, "\n".join(wrong)
