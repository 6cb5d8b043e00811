"""Faults put into catalogues, and what the checks, audits and repairs find of them.

    python -m benchmarks.data_quality --data DIR [--sections NAME…] [--seeds 0,1,2] [--clean]

DIR is a folder with a table of products in any format that `lingsou import` reads, mapped as it would guess, or with
labelled reviews (columns `label` and `review`); or a folder of such folders. Each section (`benchmarks/damage/`) puts
its faults into 1 to 5 % of the products, looks for them, and says what it cannot score and why.

Nothing here is fitted: lines, weights and models are those of the package, which were chosen on other seeds and other
damage. `metrics` has the mean over the seeds of each section, `by_seed` the single numbers, for each shop.

`--clean` prints the first 50 flags on the catalogue as it is, for a person to read, and scores nothing.
"""

import argparse
import importlib
import pkgutil
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import damage
from benchmarks.damage.scoring import FIRST, mean_of
from benchmarks.damage.shops import Shop, read_shops
from lingsou.evaluation.report import result_line


def main() -> None:
    """Run the sections on every shop."""
    known = sections()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sections", nargs="+", choices=known, default=list(known), metavar="NAME")
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--clean", action="store_true", help="print what is flagged when nothing was put in")
    given = parser.parse_args()
    shops = read_shops(given.data)
    if given.clean:
        for shop in shops:
            for name in given.sections:
                _print_clean(shop, name, known[name])
        return
    metrics: dict[str, Any] = {}
    by_seed: dict[str, Any] = {}
    for shop in shops:
        place = shop.folder.name
        for name in given.sections:
            began = time.process_time()
            runs = [run for seed in given.seeds if (run := known[name].run(shop, seed)) is not None]
            if runs:
                metrics.setdefault(place, {})[name] = mean_of(runs)
                by_seed.setdefault(place, {})[name] = runs
                spent = time.process_time() - began
                print(f"{place}, {name}: {spent:.0f} cpu-s, {metrics[place][name]}", file=sys.stderr, flush=True)
    columns = {shop.folder.name: shop.columns() for shop in shops}
    print(result_line("data_quality", given.data.name, metrics, seeds=given.seeds, columns=columns, by_seed=by_seed))


def sections() -> dict[str, ModuleType]:
    """Every module of `benchmarks.damage` that has a `run`, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(damage.__path__))
    modules = {name: importlib.import_module(f"benchmarks.damage.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def _print_clean(shop: Shop, name: str, section: ModuleType) -> None:
    if hasattr(section, "on_clean"):
        print(f"# {shop.folder.name}: {name}")
        for line in section.on_clean(shop)[:FIRST]:
            print(line)


if __name__ == "__main__":
    main()
