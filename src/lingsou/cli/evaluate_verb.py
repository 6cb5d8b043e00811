"""`lingsou evaluate`: two configurations on judged or logged queries, as figures and as an HTML report."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from lingsou import __version__
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json, progress_bar
from lingsou.core.errors import ConfigurationError, InputError, StorageError
from lingsou.evaluation.comparison import DEPTH, METRICS
from lingsou.evaluation.comparison_page import Judged, Report, Side, page, verdict
from lingsou.evaluation.judgements import read_judgements
from lingsou.evaluation.report import machine
from lingsou.events.shown import frequency
from lingsou.pipeline.comparing import Pair, asked, sold
from lingsou.pipeline.configurations import Configuration, described
from lingsou.pipeline.judged_comparison import judged_part
from lingsou.pipeline.logged_comparison import logged_part
from lingsou.pipeline.shop import Shop, open_shop

FREQUENCY_DAYS = 90.0
"""So far back the log tells head from tail where no other span is asked for."""

FEW_QUERIES = 30
LOW_JUDGED = 0.7


def evaluate(
    b: Annotated[str, typer.Option("--b", help="What is to be judged: a name, key=value,…, or a TOML file.")],
    a: Annotated[str, typer.Option("--a", help="What it is compared with, in the same form.")] = "live",
    data: Data = None,
    judgements: Annotated[
        Path | None, typer.Option(help="CSV with query,docid,rating; or TREC qrels, with --queries.")
    ] = None,
    queries: Annotated[Path | None, typer.Option(help="The texts of TREC query ids: id, tab, text a line.")] = None,
    log_days: Annotated[
        float | None, typer.Option(min=0.01, max=36_500, help="Ask what was searched in so long.")
    ] = None,
    log_texts: Annotated[
        int, typer.Option(min=1, max=100_000, help="So many texts of the log, the most frequent.")
    ] = 1000,
    html: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two configurations on judged or logged queries."""
    sides = described(a), described(b)
    if judgements is None and log_days is None:
        raise InputError("There is nothing to compare on.", cure="Give --judgements FILE, --log-days N, or both.")
    given = None
    if judgements:
        given = read_judgements(judgements, queries)
    shop = open_shop(folder_of(data).root)
    try:
        _make_ready(shop, sides)
        known = sold(shop.store, given) if given else None
        counts = frequency(shop.behaviour, log_days) if log_days else None
        if counts is not None and not counts:
            raise InputError(f"Nobody searched in {log_days:g} days.", cure="Give more days, or --judgements.")
        judged_queries = known.relevant_queries() if known else ()
        texts = [text for text, _ in counts.most_common(log_texts)] if counts else []
        pairs = _answers(shop, sides, (*judged_queries, *texts))
        judged_pairs, logged_pairs = pairs[: len(judged_queries)], pairs[len(judged_queries) :]
        judged = judged_part(shop, judged_pairs, given, known, log_days or FREQUENCY_DAYS) if given and known else None
        report = Report(
            a=_side(sides[0], pairs, "a"),
            b=_side(sides[1], pairs, "b"),
            provenance=_provenance(shop, (judgements, queries)),
            warnings=tuple(_warnings(shop, judged, pairs)),
            judged=judged,
            logged=logged_part(shop, logged_pairs, counts, log_days) if counts and log_days else None,
        )
    finally:
        shop.close()
    if html:
        html.write_text(page(report), encoding="utf-8")
    if as_json:
        print_json({"verdict": verdict(report), **asdict(report)})
    else:
        _print(report)
    for warning in report.warnings:
        errors.print(warning, style="yellow", highlight=False)
    if html:
        errors.print(f"Written: {html}", highlight=False)


def _make_ready(shop: Shop, sides: Sequence[Configuration]) -> None:
    if not shop.engine.size:
        raise StorageError("The index is empty.", cure="lingsou index")
    shop.warm_up()
    if shop.encoder_name and shop.encoder.encoder is None and any(side.meaning for side in sides):
        raise ConfigurationError(
            f"The encoder '{shop.encoder_name}' cannot be opened, so meaning cannot be judged.",
            cure="`lingsou models pull e5-small`, or set LINGSOU_ENCODER__NAME= for a shop that goes by words.",
        )


def _answers(shop: Shop, sides: tuple[Configuration, Configuration], queries: Sequence[str]) -> list[Pair]:
    with progress_bar() as bar:
        return list(bar.track(asked(shop, *sides, queries, DEPTH), len(queries), description="searching"))


def _side(chosen: Configuration, pairs: Sequence[Pair], letter: str) -> Side:
    answers = [getattr(pair, letter) for pair in pairs]
    p50, p95 = np.percentile([each.ms for each in answers], (50, 95))
    settings = chosen.model_dump(exclude={"name"}, exclude_none=True)
    return Side(chosen.name, settings, float(p50), float(p95), sum(each.late for each in answers))


def _provenance(shop: Shop, files: Sequence[Path | None]) -> dict[str, str]:
    search, encoder, host = shop.settings.search, shop.encoder.encoder, machine()
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": f"lingsou {__version__}",
        **{f"sha256 of {path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path},
        "catalogue": f"{shop.engine.size:,} products, store {shop.store.identity()}, change {shop.engine.sequence}",
        "encoder": f"{shop.encoder_name} {encoder.fingerprint}" if encoder else "none",
        "settings of the shop": f"lexical_weight = {search.lexical_weight:g}, coverage = {search.coverage:g}",
        "machine": f"{host['cores']} cores ({host['cpu']}), Python {host['python']}",
    }


def _warnings(shop: Shop, judged: Judged | None, pairs: Sequence[Pair]) -> list[str]:
    found = []
    if late := sum(answer.late for pair in pairs for answer in (pair.a, pair.b)):
        found.append(f"{late:,} of {2 * len(pairs):,} answers lack plan, meaning or learned order, which were late.")
    if shop.encoder.encoder and (missing := shop.engine.count_without_vectors()):
        found.append(f"{missing:,} products have no vector yet, so meaning cannot find them: lingsou index")
    if judged:
        rows = {row.name: row for row in judged.comparison.metrics}
        shares = rows["judged@10"]
        if shares.queries < FEW_QUERIES:
            found.append(f"{shares.queries} queries are few: only large differences can show.")
        if min(shares.a, shares.b) < LOW_JUDGED:
            found.append(
                f"Of the first ten results {shares.a:.0%} of a and {shares.b:.0%} of b are judged. Judge the others: "
                "whoever finds what judges never saw looks worse than it is."
            )
    return found


def _print(report: Report) -> None:
    output.print(verdict(report), highlight=False, markup=False)
    if report.judged:
        table = Table("metric", "a", "b", "difference", "95 % interval", "p", "p, Holm", box=None)
        rows = {row.name: row for row in report.judged.comparison.metrics}
        for row in (rows[name] for name in METRICS):
            low, high = row.difference.low, row.difference.high
            figures = f"{row.a:.4f}", f"{row.b:.4f}", f"{row.difference.value:+.4f}", f"{low:+.4f} to {high:+.4f}"
            table.add_row(row.name, *figures, f"{row.p:.4f}", f"{row.corrected_p:.4f}")
        output.print(table, highlight=False, markup=False)
    if report.logged:
        logged = report.logged
        lines = [
            f"{logged.asked:,} of {logged.texts:,} logged texts, {logged.share:.0%} of {logged.searches:,} searches",
            f"shared by the first ten: {logged.overlap.value:.3f}; rank-biased overlap: {logged.alikeness.value:.3f}",
            f"texts without results: {logged.zero.a:.3f} with a, {logged.zero.b:.3f} with b",
        ]
        if logged.replayed:
            kept, estimate = logged.replayed.kept, logged.replayed.estimate
            lines += [
                f"logged clicks kept among the first ten: {kept.a.value:.3f} with a, {kept.b.value:.3f} with b",
                f"clicks a search, by inverse propensity: {estimate.a.value:.4f} with a, {estimate.b.value:.4f} with b",
            ]
        for line in lines:
            output.print(line, highlight=False)
    for letter, side in (("a", report.a), ("b", report.b)):
        output.print(
            f"{letter}: {side.name}, p50 {side.p50_ms:.2f} ms, p95 {side.p95_ms:.2f} ms", highlight=False, markup=False
        )
