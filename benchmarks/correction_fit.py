"""Fit the weights of the English corrector that come with the package.

    python -m benchmarks.correction_fit --data DIR --out src/lingsou/query/data/english_correction.tsv

DIR is as for the section `typos_en` of `benchmarks.query_understanding`, with both files. Only rows that seed 7 does
not hold back are used. The file has a line for each feature and a column for each standing of the typed word.
"""

import argparse
from pathlib import Path

from benchmarks.understanding.english_fit import examples, fit
from benchmarks.understanding.typos_en import lexicons_of, rows_of, searches_of, split, titles_of, with_clean
from lingsou.evaluation.report import result_line
from lingsou.query.correction.options import FEATURES, STANDINGS

SEED = 7


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = rows_of(arguments.data)
    train, _ = split(rows, SEED)
    found = [
        example
        for words in lexicons_of(titles_of(arguments.data), searches_of(arguments.data, rows))
        for example in examples(words, with_clean(train))
    ]
    weights = fit(found)
    lines = [
        "# Weights of the English corrector, made by benchmarks/correction_fit.py: a feature a line, a column for each",
        f"# standing of the typed word: {', '.join(STANDINGS)}.",
        *(
            "\t".join([name, *(f"{weight:.5g}" for weight in row)])
            for name, row in zip(FEATURES, weights.values.tolist(), strict=True)
        ),
    ]
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(result_line("correction_fit", arguments.data.resolve().name, {"examples": len(found)}, seed=SEED))


if __name__ == "__main__":
    main()
