"""`lingsou query`: a label in, in force, and out again; and every belief with its source."""

from pathlib import Path

from .conftest import Run


def test_a_label_is_kept_once_and_taken_back(tmp_path: Path, lingsou_here: Run) -> None:
    own = tmp_path / "shop"
    lingsou_here("init", "--data", own)

    def query(*arguments: str, code: int = 0) -> str:
        outcome = lingsou_here("query", *arguments, "--data", own, code=code)
        return outcome.out + outcome.err

    words = ("label", "Orbit laptop")
    assert query(*words, "--intent", "find", "--entity", "0:5:brand", "--entity", "6:12:product").strip() == "kept"
    assert query(*words, "--intent", "find").strip() == "nothing new"
    assert "Orbit (brand), laptop (product)" in query("labels")
    (label,) = lingsou_here("query", "labels", "--data", own, "--json").json["labels"]
    assert (label["query"], label["intent"], len(label["entities"])) == ("Orbit laptop", "find", 2)
    assert lingsou_here("query", *words, "--forget", "--data", own, "--json").json["changed"]
    assert lingsou_here("query", "labels", "--data", own, "--json").json == {"labels": []}
    assert "has no label" in query(*words, "--forget", code=2)


def test_what_makes_no_sense_is_refused(tmp_path: Path, lingsou_here: Run) -> None:
    own = tmp_path / "shop"
    lingsou_here("init", "--data", own)
    for arguments, said in (
        ((), "nothing to say"),
        (("--intent", "shop"), "no intent 'shop'"),
        (("--entity", "0-3-brand"), "no piece of a query"),
        (("--entity", "0:30:brand"), "outside the"),
        (("--entity", "0:3:mood"), "pattern"),
        (("--intent", "find", "--forget"), "either said or taken back"),
        (("--category", "Shoes"), "The index is empty"),
    ):
        outcome = lingsou_here("query", "label", "laptop", *arguments, "--data", own, code=2)
        assert said in outcome.err, (arguments, outcome)
    assert "lingsou init" in lingsou_here("query", "labels", "--data", tmp_path / "none", code=2).err


def test_a_label_overrules_what_is_understood(shop: Path, lingsou_here: Run) -> None:
    assert (
        "no product is in the category"
        in lingsou_here("query", "label", "orbit", "--category", "laptops", "--data", shop, code=2).err.lower()
    )
    lingsou_here("query", "label", "orbit", "--category", "Electronics > Laptops", "--data", shop)
    plan = lingsou_here("query", "explain", "Orbit", "--data", shop, "--json").json
    assert plan["categories"] == [{"category": "Electronics > Laptops", "probability": 1.0, "source": "merchandiser"}]
    shown = lingsou_here("query", "explain", "orbit", "--data", shop).out
    assert "merchandiser" in shown
    assert "Orbit" in shown
    lingsou_here("query", "label", "orbit", "--forget", "--data", shop)


def test_names_are_listed_dropped_and_restored(tmp_path: Path, lingsou_here: Run) -> None:
    own = tmp_path / "shop"
    lingsou_here("init", "--data", own)
    table = own / "expansions" / "mined_names.tsv"
    table.parent.mkdir()
    head = "# lingsou names 1\tversion 3\nphrase\tname\tweight\tsource\tevidence\n"
    table.write_text(f"{head}sofa\tcouch\t0.4\tsearches\t5\nlamp\tlight\t0.2\tencoder\t9\n", encoding="utf-8")

    def names(*arguments: str, code: int = 0) -> str:
        outcome = lingsou_here("query", "expansions", *arguments, "--data", own, code=code)
        return outcome.out + outcome.err

    assert "couch" in names("list")
    assert "couch" not in names("list", "--source", "encoder")
    assert names("drop", "sofa", "couch").strip() == "dropped"
    assert names("drop", "sofa", "couch").strip() == "nothing new"
    assert "couch" not in names("list")
    assert "couch" in names("list", "--dropped")
    listed = lingsou_here("query", "expansions", "list", "--data", own, "--json").json
    assert (listed["version"], [each["name"] for each in listed["names"]]) == (3, ["light"])
    assert names("drop", "sofa", "couch", "--restore").strip() == "restored"
    assert "was not dropped" in names("drop", "sofa", "couch", "--restore", code=2)
    assert "no products" in names("mine", code=2)
