"""Each part of query understanding on real data, beside the obvious baseline.

    python -m benchmarks.query_understanding --data DIR [DIR…] [--sections NAME…] [--seeds 7 8 9] [--work DIR]

Every section runs on every folder that has its files; those that need none run once, and only when all or they
themselves are asked for. One folder: `metrics` has the sections' names as keys. Several: the folders' names first, and
beside them the sections that need no folder. The modules in `benchmarks/understanding` say what each section does.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.understanding import (
    ablation,
    category,
    cross_lingual,
    entities,
    expansion,
    intent,
    latency,
    robustness,
    typos_en,
    typos_zh,
)
from benchmarks.understanding.section import Options, Section
from lingsou.evaluation.report import result_line

SECTIONS: tuple[Section, ...] = (
    typos_en.SECTION,
    typos_zh.SECTION,
    entities.SECTION,
    intent.SECTION,
    category.SECTION,
    robustness.SECTION,
    expansion.SECTION,
    cross_lingual.SECTION,
    ablation.SECTION,
    latency.SECTION,
)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="folders with the public data sets")
    parser.add_argument("--sections", nargs="*", choices=[each.name for each in SECTIONS], default=None)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7, 8, 9])
    parser.add_argument("--work", type=Path, help="folder that keeps encoded vectors between runs")
    arguments = parser.parse_args()
    chosen = [each for each in SECTIONS if arguments.sections is None or each.name in arguments.sections]
    options = Options(tuple(arguments.seeds), arguments.work)
    metrics: dict[str, Any] = {}
    for folder in arguments.data:
        of_folder = metrics.setdefault(folder.resolve().name, {}) if len(arguments.data) > 1 else metrics
        measure([each for each in chosen if each.files and each.runs_on(folder)], folder, options, of_folder)
    measure([each for each in chosen if not each.files], Path(), options, metrics)
    data = ", ".join(folder.resolve().name for folder in arguments.data) or "none"
    print(result_line("query_understanding", data, metrics, seeds=arguments.seeds))


def measure(sections: Sequence[Section], folder: Path, options: Options, metrics: dict[str, Any]) -> None:
    """Run sections on a folder, and show each when it is done."""
    for section in sections:
        start = time.perf_counter()
        metrics[section.name] = dict(section.measure(folder, options))
        print(f"{section.name} on {folder.name or 'no data'}: {time.perf_counter() - start:.0f} s")
        for name, value in metrics[section.name].items():
            print(f"  {name:24} {value}")


if __name__ == "__main__":
    main()
