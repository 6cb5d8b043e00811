"""`lingsou rules`: merchandising rules from files, published, undone, listed."""

import tomllib
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.core.errors import InputError
from lingsou.pipeline.merchandising import check_rules
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.rules.schema import Rule, parse_rules
from lingsou.rules.store import PublishedVersion, RuleSets, rules_as_json

AUTHOR = "command line"

rules = typer.Typer(
    help="Merchandising rules: draft, publish, undo.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
File = Annotated[Path, typer.Argument(help="JSON or TOML (by its ending): a list of rules under `rules`.")]


@rules.command("list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """The rules of the draft, and how they differ from what is published."""
    with _shop(data) as shop:
        _print_sets(shop.rules.store.sets(), as_json)


@rules.command("put")
def put(file: File, data: Data = None, as_json: AsJson = False) -> None:
    """Add the file's rules to the draft; those with a known id replace it."""
    _put(file, data, as_json, replace=False)


@rules.command("import")
def import_(file: File, data: Data = None, as_json: AsJson = False) -> None:
    """Make the draft exactly the file's rules."""
    _put(file, data, as_json, replace=True)


@rules.command("export")
def export(
    data: Data = None,
    draft: Annotated[bool, typer.Option("--draft", help="The draft instead of what is published.")] = False,
) -> None:
    """Print the published rules as JSON that `import` and `put` read."""
    with _shop(data) as shop:
        sets = shop.rules.store.sets()
    print_json({"rules": orjson.loads(rules_as_json(sets.draft if draft else sets.published))})


@rules.command("remove")
def remove(
    ids: Annotated[list[str], typer.Argument(help="Ids of rules.")], data: Data = None, as_json: AsJson = False
) -> None:
    """Take rules out of the draft."""
    with _shop(data) as shop:
        _print_sets(shop.rules.store.remove(ids, AUTHOR), as_json)


@rules.command("publish")
def publish(
    data: Data = None,
    note: Annotated[str, typer.Option(help="For the history.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put the draft in force; a running service follows within `index.poll_ms`."""
    with _shop(data) as shop:
        store = shop.rules.store
        check_rules(store.sets().draft, shop.engine.fields())
        _print_versions([store.publish(AUTHOR, note=note)], as_json)


@rules.command("undo")
def undo(
    data: Data = None,
    to: Annotated[int | None, typer.Option(help="Which version; default: the one before. 0 is no rules.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put an older version in force again, as a new version."""
    with _shop(data) as shop:
        _print_versions([shop.rules.store.undo(AUTHOR, to=to)], as_json)


@rules.command("history")
def history(
    data: Data = None,
    limit: Annotated[int, typer.Option(min=1, help="How many versions.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Who published what and when, newest first."""
    with _shop(data) as shop:
        _print_versions(shop.rules.store.history(limit), as_json)


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a file.

    Raises:
        InputError: not JSON or TOML, or a rule is not acceptable; names file, rule, field and cure.
    """
    content = path.read_bytes()
    try:
        raw: Any = tomllib.loads(content.decode("utf-8-sig")) if path.suffix == ".toml" else orjson.loads(content)
    except (ValueError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.", cure="Write JSON, or TOML in a file that ends in .toml."
        ) from error
    if isinstance(raw, dict):
        if set(raw) != {"rules"}:
            raise InputError(f"{path} has no list `rules`, or more beside it.", cure='Write {"rules": [{…}]}.')
        raw = raw["rules"]
    return parse_rules(raw)


def _put(file: Path, data: Path | None, as_json: bool, *, replace: bool) -> None:
    read = read_rules(file)
    with _shop(data) as shop:
        check_rules(read, shop.engine.fields())
        _print_sets(shop.rules.store.put(read, AUTHOR, replace=replace), as_json)


def _shop(data: Path | None) -> closing[Shop]:
    return closing(open_shop(folder_of(data).root))


def _print_sets(sets: RuleSets, as_json: bool) -> None:
    if as_json:
        print_json(sets.model_dump(mode="json", exclude_defaults=True))
        return
    waiting = {change.id: change.change for change in sets.changes}
    table = Table("rule", "name", "priority", "does", "draft", box=None)
    for rule in sets.draft:
        does = ", ".join(action.do for action in rule.then) + ("" if rule.enabled else " (off)")
        table.add_row(rule.id, escape(rule.name), str(rule.priority), does, waiting.get(rule.id, ""))
    for change in sets.changes:
        if change.change == "removed":
            table.add_row(change.id, "", "", "", "removed")
    output.print(table if table.row_count else "No rules yet: lingsou rules put FILE")
    if sets.changes:
        output.print(f"{len(sets.changes)} changes wait for: lingsou rules publish", highlight=False)


def _print_versions(versions: list[PublishedVersion], as_json: bool) -> None:
    if as_json:
        print_json({"versions": [each.model_dump(mode="json") for each in versions]})
        return
    table = Table("version", "when", "by", "rules", "changes", "note", box=None)
    for each in versions:
        changes = ", ".join(f"{change.id} {change.change}" for change in each.changes)
        note = each.note if each.restores is None else f"undo: version {each.restores} again"
        when = f"{each.published_at:%Y-%m-%d %H:%M:%S} UTC"
        table.add_row(str(each.version), when, escape(each.author), str(each.rules), changes, escape(note))
    output.print(table if versions else "Nothing was published yet: lingsou rules publish")
