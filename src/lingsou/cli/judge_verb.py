"""`lingsou judge`: grades from files, to files, and how far the judges agree."""

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.errors import ConflictError, InputError
from lingsou.core.settings import load_settings
from lingsou.evaluation.judge_agreement import agreement as agreement_of
from lingsou.evaluation.judgements import icecat_text, queries_text, read_judgements, trec_text
from lingsou.evaluation.judging import Grading, JudgingStore, combined, gradings_of

judge = typer.Typer(
    help="Grades of search results: import, export, agreement of the judges.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Queries = Annotated[
    Path | None, typer.Option(help="The texts of query ids: id, tab, text a line. Makes FILE TREC qrels.")
]
OfSet = Annotated[str, typer.Option("--set", help="Only the queries of this set; default: all grades.")]


@judge.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with query,docid,rating from 0 to 3; or TREC qrels.")],
    judge: Annotated[str, typer.Option(help="Who gave the grades.")],
    data: Data = None,
    queries: Queries = None,
    as_json: AsJson = False,
) -> None:
    """Take up the grades of a file as those of one judge; a later grade counts instead of an earlier one."""
    judged = read_judgements(file, queries)
    gradings = gradings_of(judged, judge)
    with closing(_store(data)) as store:
        JudgingStore(store.database).grade(gradings)
    if as_json:
        print_json({"judge": judge, "queries": len(judged), "grades": len(gradings)})
    else:
        output.print(f"{len(gradings):,} grades of {len(judged):,} queries by {judge}.", highlight=False, markup=False)


@judge.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="A file that does not exist yet.")],
    data: Data = None,
    queries: Queries = None,
    of_set: OfSet = "",
) -> None:
    """Write one grade for each query and product, the median of its judges, as `lingsou tune` reads it."""
    judged = combined(_gradings(data, of_set))
    if not judged.grades:
        raise InputError("There are no grades yet.", cure="Grade results at /ops/judge, or import a file.")
    for path in filter(None, (file, queries)):
        if path.exists():
            raise ConflictError(f"{path} exists.", cure="Name a file that does not exist yet.")
    if queries:
        numbered, texts = judged.numbered()
        lines, topics = trec_text(numbered), queries_text(texts)
        queries.write_text(topics, encoding="utf-8")
    else:
        lines = icecat_text(judged)
    file.write_text(lines, encoding="utf-8", newline="")
    count = sum(map(len, judged.grades.values()))
    errors.print(f"{count:,} grades of {len(judged):,} queries are in {file}.", highlight=False, markup=False)


@judge.command("agreement")
def agreement(data: Data = None, of_set: OfSet = "", as_json: AsJson = False) -> None:
    """How far the judges agree, beyond chance, on what at least two of them graded."""
    found = agreement_of(_gradings(data, of_set))
    if as_json:
        print_json({"agreement": asdict(found) if found else None})
        return
    if found is None:
        errors.print("No query and product was graded by two judges.", highlight=False)
        return
    value = "cannot be told, all grades are the same" if found.value is None else f"{found.value:.3f}"
    interval = "" if found.low is None else f", 95 % interval {found.low:.3f} to {found.high:.3f}"
    lines = (
        f"{found.products:,} products of {found.queries:,} queries, graded by {', '.join(found.judges)}",
        f"{found.statistic}: {value}{interval}",
        f"same grade: {found.same:.1%}",
    )
    for line in lines:
        output.print(line, highlight=False, markup=False)


def _store(data: Path | None) -> Store:
    folder = folder_of(data)
    return Store.of(folder, load_settings(folder))


def _gradings(data: Path | None, name: str) -> list[Grading]:
    with closing(_store(data)) as store:
        judging = JudgingStore(store.database)
        return judging.grades(judging.named(name).queries if name else None)
