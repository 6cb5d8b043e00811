"""The shipped tables are well formed."""

from lingsou.query.tables import asked_fields, concepts, measures, ordinary_words, unit_named
from lingsou.text.normalise import has_han, normalise
from lingsou.text.units import units


def test_bilingual_tables() -> None:
    found = concepts()
    assert len(found) >= 300
    for concept in found:
        assert concept.zh, concept
        assert concept.en, concept
        assert all(name == normalise(name) for name in concept.names), "terms are written normalised"
        assert not any(has_han(name) for name in concept.en), concept
        assert concept.number not in concept.narrower


def test_broader_things_end() -> None:
    """No concept is a kind of itself, over any number of steps."""
    broader = {narrow: concept.number for concept in concepts() for narrow in concept.narrower}
    for number in broader:
        seen = {number}
        while (number := broader.get(number, -1)) >= 0:
            assert number not in seen
            seen.add(number)


def test_measures_name_known_units() -> None:
    dimensions = {unit.dimension for unit in units().values()}
    for rule in measures():
        assert rule.dimension in dimensions, rule
        assert unit_named(rule.unit) is not None, rule


def test_words() -> None:
    assert {"apple", "小米", "black", "黑色"} <= ordinary_words()
    assert {asked.field for asked in asked_fields()} == {"brand", "category", "attributes"}
