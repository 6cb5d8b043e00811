"""`lingsou query`: what words mean to this shop, why, and saying what they mean instead."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from lingsou.cli.console import AsJson, Data, folder_of, output, print_json
from lingsou.cli.expansions_verb import expansions
from lingsou.core.errors import InputError
from lingsou.core.plan import QueryPlan
from lingsou.core.settings import DataFolder, load_settings
from lingsou.pipeline.labelling import categories_of, checked_label
from lingsou.pipeline.shop import open_shop
from lingsou.query.intents import INTENTS
from lingsou.query.labels import QueryLabel, QueryLabels, new_label

query = typer.Typer(
    help="What words mean, why, and what they should mean.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
query.add_typer(expansions, name="expansions")
Words = Annotated[str, typer.Argument(help="The query, as shoppers type it.")]


@query.command("explain")
def explain(words: Words, data: Data = None, as_json: AsJson = False) -> None:
    """Show every belief with its source and confidence, and what each word does for what was learned."""
    shop = open_shop(folder_of(data).root)
    try:
        shop.warm_up()
        shop.understanding.learn(shop.encoder.encoder)
        plan = shop.pipeline.understand(words, explain=True)
    finally:
        shop.close()
    if plan is None:
        raise InputError("The query is blank.", cure="Give at least one word.")
    if as_json:
        print_json(plan.model_dump(mode="json"))
    else:
        _print(plan)


@query.command("label")
def label(
    words: Words,
    data: Data = None,
    intent: Annotated[str | None, typer.Option(help=f"What is wanted: {', '.join(INTENTS)}.")] = None,
    category: Annotated[str | None, typer.Option(help="The category that is meant: names joined by ' > '.")] = None,
    sentiment: Annotated[str | None, typer.Option(help="As the labels of the shop's sentiment head.")] = None,
    entities: Annotated[
        list[str] | None,
        typer.Option("--entity", help="START:END:KIND in characters from 0, such as 0:3:brand; all of the query."),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Take back all that was said of the query.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a query means: it holds at once, and is an example for training."""
    folder = folder_of(data)
    settled = {"intent": intent, "category": category, "sentiment": sentiment}
    said: dict[str, Any] = {name: value for name, value in settled.items() if value is not None}
    if entities:
        said["entities"] = [_span(each) for each in entities]
    if forget == bool(said):
        raise InputError(
            "There is nothing to say of the query." if not said else "A label is either said or taken back.",
            cure="Give --intent, --category, --sentiment or --entity; or --forget alone.",
        )
    made = new_label(words, forget=True) if forget else checked_label(lambda: _categories(folder), words, **said)
    changed = _labels(folder).add(made)
    if as_json:
        print_json({"changed": changed, "label": made.model_dump(mode="json", exclude_none=True)})
    else:
        output.print("kept" if changed else "nothing new", highlight=False)


@query.command("labels")
def labels(data: Data = None, as_json: AsJson = False) -> None:
    """Every query that somebody said something of."""
    known = _labels(folder_of(data))
    known.refresh()
    if as_json:
        print_json({"labels": [each.model_dump(mode="json", exclude_none=True) for each in known.all()]})
        return
    table = Table("query", "intent", "category", "sentiment", "entities", "since", box=None)
    for each in known.all():
        table.add_row(*map(escape, (each.query, *_cells(each), f"{each.at:%Y-%m-%d %H:%M}")))
    output.print(table)


def _labels(folder: DataFolder) -> QueryLabels:
    load_settings(folder)  # an error names the cure where there is no shop
    return QueryLabels(folder.query_labels)


def _categories(folder: DataFolder) -> Mapping[str, int]:
    shop = open_shop(folder.root)
    try:
        return categories_of(shop.engine)
    finally:
        shop.close()


def _span(text: str) -> dict[str, Any]:
    start, _, rest = text.partition(":")
    end, _, kind = rest.partition(":")
    if not (start.isdecimal() and end.isdecimal() and kind):
        raise InputError(f"'{text}' is no piece of a query.", field="entity", cure="START:END:KIND, such as 0:3:brand.")
    return {"start": int(start), "end": int(end), "kind": kind}


def _cells(known: QueryLabel) -> tuple[str, ...]:
    spans = (f"{known.query[span.start : span.end]} ({span.kind})" for span in known.entities or ())
    return known.intent or "", known.category or "", known.sentiment or "", ", ".join(spans)


def _print(plan: QueryPlan) -> None:
    table = Table("belief", "what", "confidence", "source", box=None)
    for each in plan.corrections:
        kind = "corrected" if each.applied else "meant?"
        table.add_row(kind, escape(f"{each.surface} → {each.replacement}"), f"{each.confidence:.2f}", each.source)
    for intent in plan.intents[:3]:
        table.add_row("intent", intent.intent, f"{intent.probability:.2f}", intent.source)
    for sentiment in plan.sentiment:
        table.add_row("sentiment", escape(sentiment.sentiment), f"{sentiment.probability:.2f}", sentiment.source)
    for category in plan.categories:
        table.add_row("category", escape(category.category), f"{category.probability:.2f}", category.source)
    for entity in plan.entities:
        what = f"{'not ' * entity.negated}{entity.surface} → {entity.field} {'|'.join(entity.values[:3])}".rstrip()
        table.add_row(entity.kind, escape(what), f"{entity.confidence:.2f}", entity.source)
    for limit in plan.constraints:
        what = f"{limit.surface} → {limit.field} {dict(limit.condition)}"
        table.add_row("limit" if limit.hard else "wish", escape(what), f"{limit.confidence:.2f}", limit.source)
    for name in plan.expansions:
        table.add_row("also", escape(f"{name.of or 'all of it'} → {name.term}"), f"{name.weight:.2f}", name.source)
    output.print(table)
    for head in dict.fromkeys(each.head for each in plan.attributions):
        own = [each for each in plan.attributions if each.head == head]
        parts = "  ".join(f"{each.surface} {each.change:+.2f}" for each in own)
        output.print(f"{head} {own[0].label}: {parts}", markup=False, highlight=False)
