"""`lingsou train recommend`: the recommender, from what shoppers did."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from lingsou.catalog.store import Store
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.core.settings import load_settings
from lingsou.events.behaviour import open_behaviour
from lingsou.events.log import Selection
from lingsou.recommend.artefact import install
from lingsou.training.recommendation import train as fit


def recommend(
    data: Data = None,
    days: Annotated[float, typer.Option(min=1, help="So far back.")] = 365,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and install nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train what `/v1/recommend` answers with, from clicks, carts and purchases. Run it every night."""
    folder = folder_of(data)
    settings = load_settings(folder)
    with Store.of(folder, settings) as store, open_behaviour(folder, settings) as behaviour:
        now = datetime.now(UTC)
        columns = behaviour.events.read(Selection(since=now - timedelta(days=days)))
        with errors.status("training"):
            trained = fit(columns, (product for batch in store.products() for product in batch))
    version = None
    if not dry_run:
        version = install(
            folder.recommender,
            trained.model,
            created=now,
            measurements=trained.measurements,
            report=trained.report,
        )
    if as_json:
        print_json({**trained.report, "installed": version})
        return
    told = "{events:,} events of {shoppers:,} shoppers on {products:,} products"
    output.print(told.format(**trained.report), highlight=False)
    for name, value in trained.report.get("ndcg@10", {}).items():
        output.print(f"ndcg@10 {value:.4f}  {name}", highlight=False)
    if "ndcg@10" not in trained.report:
        output.print("Too few shoppers to learn a blend from: what most sources agree on comes first.", highlight=False)
    if version:
        errors.print(f"Installed: {version}. A running service follows within `index.poll_ms`.", highlight=False)
    else:
        errors.print("Nothing was changed (--dry-run).", highlight=False)
