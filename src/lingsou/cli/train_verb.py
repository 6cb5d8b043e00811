"""`lingsou train`: models made from the shop's own data."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import ConflictError, InputError, StorageError
from lingsou.evaluation.judgements import Judgements, read_judgements
from lingsou.features import all_features
from lingsou.pipeline.candidates import CandidateFeatures
from lingsou.pipeline.comparing import sold
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.ranking.artefact import install
from lingsou.ranking.dataset import Group
from lingsou.ranking.lambdamart import LambdaMart
from lingsou.ranking.lambdamart import train as fit
from lingsou.ranking.validation import PARTS, Validation, choose, cross_validate
from lingsou.training.ranking import groups, informative

train = typer.Typer(
    help="Models made from the shop's own data.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)
LEAST_QUERIES = 30
"""Fewer say too little: the interval of a mean over 30 queries is already some tenths wide."""


@train.callback()
def _train() -> None:
    pass


@train.command("ranker")
def ranker(
    judgements: Annotated[
        Path, typer.Option("--judgements", help="CSV with query,docid,rating; or TREC qrels, with --queries.")
    ],
    data: Data = None,
    queries: Annotated[Path | None, typer.Option(help="The texts of TREC query ids: id, tab, text a line.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and install nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Install the model whatever the report says of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train the order of results on judgements of this shop's products, and put it in force if it is no worse."""
    judged = read_judgements(judgements, queries)
    shop = open_shop(folder_of(data).root)
    try:
        if not shop.engine.size:
            raise StorageError("The index is empty.", cure="lingsou index")
        known = sold(shop.store, judged)
        features, found = informative(all_features(), _groups(shop, known))
        if len(found) < PARTS:
            raise InputError(
                f"{len(found)} queries cannot be cut into {PARTS} parts.",
                cure=f"Judge {LEAST_QUERIES} queries or more.",
            )
        names, monotone = [each.name for each in features], [each.monotone for each in features]
        with errors.status("training"):
            validation = cross_validate(found, names, monotone)
            model = fit(found, names, monotone, choose(found, names, monotone))
        report = _report(judged, known, validation, model)
        objection = _objection(validation, len(found))
        installing = not dry_run and (force or objection is None)
        if installing:
            files = {"judgements": _sha256(judgements), **({"queries": _sha256(queries)} if queries else {})}
            version = install(shop.folder.ranker, model, metrics=report, data=files, created=datetime.now(UTC))
    finally:
        shop.close()
    if as_json:
        print_json({**report, "objection": objection, "installed": version if installing else None})
    else:
        _print(report)
    if installing:
        errors.print(f"Installed: {version}. A running service follows within `index.poll_ms`.", highlight=False)
    elif dry_run:
        errors.print(f"Nothing was changed (--dry-run). {objection or 'It would be installed.'}", highlight=False)
    elif objection:
        raise ConflictError(
            f"The model is not installed. {objection}",
            cure="Judge more queries. --force installs the model all the same.",
        )


def _groups(shop: Shop, judged: Judgements) -> list[Group]:
    shop.warm_up()
    found = groups(
        judged,
        PlannedSearch(shop.engine, shop.understanding, shop.encoder.encoder),
        shop.store.get,
        CandidateFeatures(shop.engine.segmenter),
        all_features(),
        time=datetime.now(UTC),
        depth=shop.settings.ranking.depth,
    )
    with progress_bar() as bar:
        return list(bar.track(found, len(judged.relevant_queries()), description="searching"))


def _objection(validation: Validation, queries: int) -> str | None:
    """Why the model is not to be put in force."""
    gain = validation.gain.difference
    if queries < LEAST_QUERIES:
        return f"{queries} queries with a relevant product are fewer than {LEAST_QUERIES}."
    if gain.high < 0:
        return f"On queries that it had not seen, it lost: {gain.value:+.4f}, 95 % interval up to {gain.high:+.4f}."
    return None


def _report(judged: Judgements, known: Judgements, validation: Validation, model: LambdaMart) -> dict[str, Any]:
    gain = validation.gain
    return {
        "queries": len(validation.before),
        "judgements": sum(map(len, judged.grades.values())),
        "judgements_of_products_in_the_shop": sum(map(len, known.grades.values())),
        "features": len(model.features),
        "metric": "ndcg@10",
        "before": float(validation.before.mean()),
        "out_of_fold": float(validation.after.mean()),
        "gain": gain.difference.value,
        "gain_ci": [gain.difference.low, gain.difference.high],
        "gain_p": gain.p,
        "importance": dict(model.importance()[:10]),
    }


def _print(report: dict[str, Any]) -> None:
    low, high = report["gain_ci"]
    lines = (
        "{queries:,} queries with a relevant product",
        "{judgements_of_products_in_the_shop:,} of {judgements:,} judgements are of products in the shop",
        "{metric}: {before:.4f} in the order by words, meaning and plan",
        "{metric}: {out_of_fold:.4f} by models trained without the query that is measured",
        "gain {gain:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}, p {gain_p:.3f}",
    )
    for line in lines:
        output.print(line.format(**report, low=low, high=high), highlight=False)
    heaviest = ", ".join(f"{name} {share:.0%}" for name, share in report["importance"].items())
    output.print(f"what the model looks at most: {heaviest or 'nothing'}", highlight=False)
    if low <= 0 < report["gain"]:
        output.print("The interval holds 0: the gain may be chance. More judged queries would tell.", highlight=False)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
