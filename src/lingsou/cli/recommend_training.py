"""`lingsou train recommend`: the recommender, from what shoppers did."""

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from lingsou.catalog.vectors import VectorStore
from lingsou.cli.console import AsJson, Data, errors, folder_of, output, print_json
from lingsou.encoders.optional import require
from lingsou.events.log import Selection
from lingsou.pipeline.shop import open_shop
from lingsou.recommend.artefact import install
from lingsou.recommend.sources.sequence import Sequence
from lingsou.training.product_vectors import product_vectors
from lingsou.training.recommendation import train as fit

_BEHAVIOUR = (
    "{name}: AUC {auc:.3f}, log loss {log_loss:.4f} against {base_log_loss:.4f} by the rate alone, "
    "calibration error {calibration_error:.4f}"
)


def recommend(
    data: Data = None,
    days: Annotated[float, typer.Option(min=1, help="So far back.")] = 365,
    sequence: Annotated[
        bool, typer.Option("--sequence", help="The neural sequence model too, for sessions. Needs the extra 'train'.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, and install nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train what `/v1/recommend` answers with, from clicks, carts and purchases. Run it every night."""
    folder = folder_of(data)
    with ExitStack() as held:
        neural = _sequence(Path(held.enter_context(TemporaryDirectory()))) if sequence else None
        shop = held.enter_context(closing(open_shop(folder.root)))
        held.enter_context(errors.status("training"))
        now = datetime.now(UTC)
        columns = shop.behaviour.events.read(Selection(since=now - timedelta(days=days)))
        products = [product for batch in shop.store.products() for product in batch]
        centring = shop.engine.centring
        stored = VectorStore(shop.store.database, centring.encoder) if centring else None
        vectors = product_vectors(products, centring, stored) if centring and stored else None
        trained = fit(columns, products, vectors=vectors, sequence=neural)
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
    for what, own in (("shoppers", trained.report), ("sessions", trained.report.get("session", {}))):
        for name, value in own.get("ndcg@10", {}).items():
            output.print(f"ndcg@10 {value:.4f}  {what}: {name}", highlight=False)
        if "trees" not in own:
            output.print(f"Too few {what} to learn a blend from.", highlight=False)
    for name, figure in trained.report["behaviour"].items():
        if name != "sessions":
            output.print(_BEHAVIOUR.format(name=name.replace("_", " "), **figure), highlight=False)
    if version:
        errors.print(f"Installed: {version}. A running service follows within `index.poll_ms`.", highlight=False)
    else:
        errors.print("Nothing was changed (--dry-run).", highlight=False)


def _sequence(folder: Path) -> Sequence:
    """The neural source, which trains into `folder`."""
    require("torch", "train")
    from lingsou.training.neural.sequence.export import train_and_export

    return Sequence(train=partial(train_and_export, folder=folder))
