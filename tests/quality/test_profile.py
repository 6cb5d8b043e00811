"""Profiles: the shipped ones, a shop's own, and what they make of a report."""

from pathlib import Path

import pytest

from lingsou.core import plugins
from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.core.types import Product
from lingsou.quality.check import Edit, Finding
from lingsou.quality.profile import Profile, load_profile, shipped_profiles
from lingsou.quality.report import CheckReport, run_checks
from lingsou.quality.tally import Problem

ROWS = [
    Product(id="a", title="Lamp &amp; shade", price=0),
    Product(id="b", title="Lamp", description="<script>", price=9),
    Product(id="b", title="Lamp <i>two</i>", price=9),
]


def report(profile: Profile) -> CheckReport:
    return profile.applied(run_checks(enumerate(ROWS, 1), checks=profile.checks_to_run(5)))


def own(tmp_path: Path, text: str) -> Profile:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile("own.toml", tmp_path)


def finding(check: str, problem: str, confidence: float = 0.9) -> Finding:
    edit = Edit(field="title", value="x")
    return Finding(check=check, severity="error", problem=problem, product_id="a", row=1, field="title", evidence="",
                   repair="", confidence=confidence, edit=edit)  # fmt: skip


def test_shipped_profiles_load_and_say_what_they_are_for() -> None:
    assert [path.stem for path in shipped_profiles()] == ["default", "lenient", "strict"]
    for path in shipped_profiles():
        profile = load_profile(path.stem)
        assert profile.name == path.stem
        assert profile.about
        assert all(profile.wants(check) for check in plugins.names("check")), "no check is silent unless a shop says so"


@pytest.mark.parametrize("name", ["default", "lenient", "strict"])
def test_shipped_profiles_name_problems_that_checks_have(name: str) -> None:
    for check, how in load_profile(name).checks.items():
        module = vars(__import__(plugins.resolve("check", check).__module__, fromlist=["*"]))
        known = {value.text for value in module.values() if isinstance(value, Problem)}
        assert set(how.problems) <= known, check


def test_the_default_changes_no_report() -> None:
    assert report(load_profile("default")) == run_checks(enumerate(ROWS, 1))


def test_what_a_level_leaves_out_comes_from_the_one_above(tmp_path: Path) -> None:
    profile = own(
        tmp_path,
        'quarantine = true\nfrom_confidence = 0.5\n[checks.html]\nfrom_confidence = 0.6\nfail_on = "never"\n'
        '[checks.html.problems.tags]\nquarantine = false\nfields = ["title"]\n',
    )
    tags = profile.treatment("html", "tags")
    assert (tags.quarantine, tags.from_confidence, tags.fail_on, tags.fields) == (False, 0.6, "never", ("title",))
    other = profile.treatment("html", "scripts")
    assert (other.quarantine, other.from_confidence, other.fields) == (True, 0.6, None)
    assert profile.treatment("price", "x").from_confidence == 0.5


def test_a_check_that_is_off_does_not_run_and_a_problem_that_is_off_is_not_counted(tmp_path: Path) -> None:
    profile = own(
        tmp_path,
        '[checks.price]\non = false\n[checks.html.problems."HTML tags in a plain text"]\non = false\n'
        '[checks.html.problems."HTML entities in a plain text"]\nseverity = "info"\n',
    )
    found = {result.id: result for result in report(profile).checks}
    assert "price" not in found
    html = found["html"]
    assert [(each.severity, each.problem) for each in html.problems] == [
        ("error", "markup that runs or loads something"),
        ("info", "HTML entities in a plain text"),
    ]
    assert html.counts == {"error": 1, "warning": 0, "info": 1}
    assert [each.severity for each in html.examples] == ["error", "info"]


def test_one_problem_of_a_check_that_is_off_may_be_on(tmp_path: Path) -> None:
    profile = own(
        tmp_path, '[checks.html]\non = false\n[checks.html.problems."HTML tags in a plain text"]\non = true\n'
    )
    (html,) = (result for result in report(profile).checks if result.id == "html")
    assert [each.problem for each in html.problems] == ["HTML tags in a plain text"]


def test_all_checks_but_some_may_be_off(tmp_path: Path) -> None:
    profile = own(tmp_path, "on = false\n[checks.html]\non = true\n")
    assert [check.id for check in profile.checks_to_run(5)] == ["html"]
    assert not profile.wants("price")


def test_the_shop_adds_words_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "banned.txt").write_text("error\tfraud\tzibbit\n", encoding="utf-8")
    profile = own(tmp_path, 'words = "banned.txt"\n')
    (words,) = (check for check in profile.checks_to_run(5) if check.id == "words")
    words.observe(1, Product(id="a", title="A zibbit lamp"))
    assert [each.severity for each in words.finish()] == ["error"]
    with pytest.raises(ConfigurationError, match="nowhere"):
        own(tmp_path, 'words = "nowhere.txt"\n').checks_to_run(5)


def test_each_problem_fails_by_its_own_line(tmp_path: Path) -> None:
    assert load_profile("default").exit_code(report(load_profile("default"))) == 1
    assert load_profile("lenient").exit_code(report(load_profile("lenient"))) == 0
    never = (
        '[checks.price]\nfail_on = "never"\n[checks.duplicate-id]\nfail_on = "never"\n[checks.html]\nfail_on = "never"'
    )
    for text, code in [(never, 0), (never.replace('"never"', '"error"', 1), 1), ('fail_on = "warning"\n' + never, 0)]:
        profile = own(tmp_path, text)
        assert profile.exit_code(report(profile)) == code, text


def test_repairs_are_applied_only_where_a_profile_says_so(tmp_path: Path) -> None:
    assert not any(load_profile(path.stem).repairs(finding("html", "x", 1.0)) for path in shipped_profiles())
    profile = own(tmp_path, "repair_confidence = 0.9\n[checks.html]\nrepair_confidence = 0.95\n")
    assert profile.repairs(finding("price", "x", 0.9))
    assert not profile.repairs(finding("html", "x", 0.9))
    assert not profile.repairs(finding("price", "x", 0.9).model_copy(update={"edit": None}))


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ("[checks.htlm]\nquarantine = true\n", "checks.htlm", "no check 'htlm'"),
        ("[checks.html]\nquarantaine = true\n", "checks.html.quarantaine", "not permitted"),
        ("from_confidence = 2\n", "from_confidence", "less than or equal to 1"),
        ("fail_on = 'info'\n", "fail_on", "'error'"),
        ("[checks\n", None, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_cure(tmp_path: Path, text: str, field: str | None, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        own(tmp_path, text)
    assert caught.value.field == field
    assert caught.value.cure
    if field == "checks.htlm":
        assert "html" in caught.value.cure


def test_a_profile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="strickt") as caught:
        load_profile("strickt", tmp_path)
    assert "default, lenient, strict" in (caught.value.cure or "")
