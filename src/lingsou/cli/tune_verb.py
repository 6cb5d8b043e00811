"""`lingsou tune`: the weight of words beside meaning, fitted to the shop's own judgements."""

from pathlib import Path
from typing import Annotated, Any

import typer

from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import ConfigurationError, ConflictError, InputError, StorageError
from lingsou.core.settings import load_settings
from lingsou.core.settings_file import change_setting
from lingsou.evaluation.judgements import Judgements, read_judgements
from lingsou.pipeline.comparing import sold
from lingsou.pipeline.planned import PlannedSearch
from lingsou.pipeline.shop import Shop, open_shop
from lingsou.training.fusion import PARTS, Fit, JudgedAnswer, answers, fit

SETTING = "search.lexical_weight"
LEAST_QUERIES = 30
"""Fewer say too little: the interval of a mean over 30 queries is already some tenths wide."""


def tune(
    judgements: Annotated[Path, typer.Argument(help="CSV with query,docid,rating; or TREC qrels, with --queries.")],
    data: Data = None,
    queries: Annotated[Path | None, typer.Option(help="The texts of TREC query ids: id, tab, text a line.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and change nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write the weight whatever the report says of it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Fit the weight of words beside meaning to judgements of this shop's products."""
    judged = read_judgements(judgements, queries)
    shop = open_shop(folder_of(data).root)
    try:
        if not shop.engine.size:
            raise StorageError("The index is empty.", cure="lingsou index")
        before = shop.settings.search.lexical_weight
        known = sold(shop.store, judged)
        found = _answers(shop, known, before)
        if len(found) < PARTS:
            raise InputError(
                f"{len(found)} queries cannot be cut into {PARTS} parts.",
                cure=f"Judge {LEAST_QUERIES} queries or more.",
            )
        fitted = fit(found, before)
        report = _report(judged, known, fitted, before)
        objection = _objection(fitted, before, len(found))
        writing = not dry_run and (objection is None or (force and fitted.weight != before))
        if writing:
            change_setting(shop.folder.settings_file, SETTING, fitted.weight)
            _check_it_counts(shop, fitted.weight)
    finally:
        shop.close()
    if as_json:
        print_json({**report, "objection": objection, "written": writing})
    else:
        _print(report)
    if writing:
        errors.print(f"Written: {SETTING} = {fitted.weight:g} in {shop.folder.settings_file}.", highlight=False)
        errors.print("It counts from the next start: restart `lingsou serve`.", highlight=False)
    elif dry_run:
        verdict = objection or "The weight would be written."
        errors.print(f"Nothing was changed (--dry-run). {verdict}", highlight=False)
    elif objection:
        raise ConflictError(
            f"The weight stays {before:g}. {objection}",
            cure="Judge more queries. --force writes the weight all the same.",
        )


def _answers(shop: Shop, judged: Judgements, weight: float) -> list[JudgedAnswer]:
    shop.warm_up()
    encoder = shop.encoder.encoder
    if encoder is None:
        raise ConfigurationError(
            "There is no encoder, so there is no meaning to weigh words against.", cure="lingsou models pull e5-small"
        )
    if missing := shop.engine.count_without_vectors():
        raise StorageError(
            f"{missing:,} products have no vector yet, so the fit would be unfair.", cure="lingsou index"
        )
    search = PlannedSearch(shop.engine, shop.understanding, encoder).search
    with progress_bar() as bar:
        return list(bar.track(answers(judged, search, weight), len(judged.relevant_queries()), description="searching"))


def _objection(fitted: Fit, before: float, queries: int) -> str | None:
    """Why the fitted weight is not to be taken up."""
    gain = fitted.gain.difference
    if queries < LEAST_QUERIES:
        return f"{queries} queries with a relevant product are fewer than {LEAST_QUERIES}."
    if fitted.weight == before:
        return "It is the best already."
    if gain.value <= 0:
        return f"On queries that a fit had not seen, it gained nothing: {gain.value:+.4f}."
    return None


def _report(judged: Judgements, known: Judgements, fitted: Fit, before: float) -> dict[str, Any]:
    gain = fitted.gain
    return {
        "queries": len(fitted.before),
        "judgements": sum(map(len, judged.grades.values())),
        "judgements_of_products_in_the_shop": sum(map(len, known.grades.values())),
        "weight_before": before,
        "weight_fitted": fitted.weight,
        "metric": "mean of ndcg@10 and mrr@10",
        "before": float(fitted.before.mean()),
        "out_of_fold": float(fitted.after.mean()),
        "gain": gain.difference.value,
        "gain_ci": [gain.difference.low, gain.difference.high],
        "gain_p": gain.p,
    }


def _print(report: dict[str, Any]) -> None:
    low, high = report["gain_ci"]
    lines = (
        "{queries:,} queries with a relevant product",
        "{judgements_of_products_in_the_shop:,} of {judgements:,} judgements are of products in the shop",
        "weight of words: {weight_before:g} now, {weight_fitted:g} fitted to all queries",
        "{metric}: {before:.4f} with the weight of now",
        "{metric}: {out_of_fold:.4f} with weights fitted without the query that is measured",
        "gain {gain:+.4f}, 95 % interval {low:+.4f} to {high:+.4f}, p {gain_p:.3f}",
    )
    for line in lines:
        output.print(line.format(**report, low=low, high=high), highlight=False)
    if low <= 0 < report["gain"]:
        output.print("The interval holds 0: the gain may be chance. More judged queries would tell.", highlight=False)


def _check_it_counts(shop: Shop, weight: float) -> None:
    if load_settings(shop.folder).search.lexical_weight != weight:
        errors.print(
            "The variable LINGSOU_SEARCH__LEXICAL_WEIGHT wins over the file: unset it for the fitted weight to count.",
            style="yellow",
            highlight=False,
        )
