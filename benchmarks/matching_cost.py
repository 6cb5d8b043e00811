"""What finding the same product costs against the size of the catalogue.

    python -m benchmarks.matching_cost --data DIR [--sizes 2000,5000,10000,20000] [--audit]

DIR is one folder with a catalogue. Where it has fewer products than a size, the rest are its own products written
otherwise (`lingsou.quality.matching.noise`), which is harder than a real catalogue of that size: every word is in
proportionally more products. `repeated` is their share.

By size: processor seconds of reading the terms and finding what is most like each record (`neighbours_s`), of choosing
candidates (`candidates_s`) and of their features (`features_s`), the pairs, and the most memory so far (`peak_mb`);
with --audit the whole of the audit `near-duplicate`, which also learns (`audit_s`). `growth` is the exponent of the
seconds between the smallest and the largest size: 1 is linear.
"""

import argparse
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damage.shops import read_shops
from lingsou.evaluation.report import result_line
from lingsou.quality.matching.noise import noisy
from lingsou.quality.matching.pairs import PairFeatures
from lingsou.quality.matching.records import Records, records_of
from lingsou.quality.matching.unlabelled import likely_pairs

CANDIDATES, OF_TEXT = 10, 3


def main() -> None:
    """Measure every size, the smallest first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", default="2000,5000,10000,20000")
    parser.add_argument("--audit", action="store_true", help="also the whole audit")
    given = parser.parse_args()
    (shop,) = read_shops(given.data)
    records = records_of(shop.products)
    sizes = sorted(int(size) for size in given.sizes.split(","))
    metrics: dict[str, Any] = {}
    for size in sizes:
        metrics[str(size)] = measured(of_size(records, size), audit=given.audit)
        metrics[str(size)]["repeated"] = max(0, size - len(records)) / size
        print(size, metrics[str(size)], file=sys.stderr, flush=True)
    if len(sizes) > 1:
        few, many = metrics[str(sizes[0])], metrics[str(sizes[-1])]
        steps = [name for name in few if name.endswith("_s")]
        ratio = math.log(sizes[-1] / sizes[0])
        metrics["growth"] = {name: math.log(many[name] / few[name]) / ratio for name in steps}
    print(result_line("matching_cost", given.data.name, metrics, products=len(records), sizes=sizes))


def of_size(records: Records, size: int) -> Records:
    """The first `size` of the records in random order, then copies of them."""
    rng = np.random.default_rng(0)
    order = rng.permutation(len(records))
    if size <= len(records):
        return records.take(order[:size])
    return records.followed_by(noisy(records, rng.integers(0, len(records), size - len(records)), seed=0))


def measured(records: Records, *, audit: bool) -> dict[str, float]:
    """Seconds, pairs and memory."""
    began = time.process_time()
    space = PairFeatures(records)
    neighbours = time.process_time()
    left, right = space.candidates(CANDIDATES, OF_TEXT)
    candidates = time.process_time()
    space.of(left, right)
    features = time.process_time()
    found = {
        "neighbours_s": neighbours - began,
        "candidates_s": candidates - neighbours,
        "features_s": features - candidates,
        "pairs": float(len(left)),
    }
    if audit:
        del space
        began = time.process_time()
        likely_pairs(records)
        found["audit_s"] = time.process_time() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"peak_mb": most / (2**20 if sys.platform == "darwin" else 2**10)}


if __name__ == "__main__":
    main()
