"""Size, speed and quality of an encoder and of a cross-encoder in every form that they can be shipped in.

    python -m benchmarks.compression --data DIR [--pairs 10000] [--parts encoder,reranker]

DIR and its split as for `benchmarks.finetune`. Each form is an artefact on disk, measured through ONNX Runtime as it
is served: one text, or one pair, a forward pass, on one thread.

    encoder     fp32, int8, int8 with the vocabulary cut to the training texts, and three of the twelve layers: as they
                are, trained on the pairs' grades, and distilled from the whole encoder
    reranker    a cross-encoder trained on the pairs, in fp32 and int8, and a student of three layers distilled from it

`ms` is the median of a query (encoder), or of 50 pairs of at most 40 tokens (reranker); `mb` is graph and tokenizer.
Students and their teacher are trained for the epochs that `trained` says.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.finetune import judged, recipe
from lingsou.core.manifests import ModelManifest
from lingsou.encoders.graph import Precision
from lingsou.encoders.manifest import MODEL, TOKENIZER
from lingsou.evaluation.report import result_line
from lingsou.evaluation.significance import compare
from lingsou.ranking.reranker import Reranker
from lingsou.training.examples import PairSet, Splits
from lingsou.training.pools import rank_pools
from lingsou.training.recipe import Recipe

if TYPE_CHECKING:
    from lingsou.training.neural.run import Prepared
    from lingsou.training.neural.tasks.distil import Teacher

LAYERS = 3
PAIRS, PAIR_TOKENS = 50, 40
TASK = "judged"


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--parts", default="encoder,reranker")
    given = parser.parse_args()
    splits = judged(given.data, given.pairs)
    forms: dict[str, dict[str, Any]] = {}
    for part in given.parts.split(","):
        with tempfile.TemporaryDirectory() as folder:
            PARTS[part](splits, Path(folder), forms)
    metrics = {name: told(name, form, forms) for name, form in forms.items()}
    print(
        result_line(
            "compression",
            given.data.name,
            metrics,
            products=len(splits.test.texts),
            queries=forms[next(iter(forms))]["queries"],
            pairs=len(splits.train),
            layers=LAYERS,
        )
    )


def told(name: str, form: dict[str, Any], forms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A form's figures, and its paired difference to the fp32 form of its kind."""
    found = {key: value for key, value in form.items() if key not in ("each", "queries")}
    whole = forms[f"{name.split()[0]} fp32"]
    if whole is not form:
        difference = compare(form["each"], whole["each"]).difference
        found["change"] = {"value": difference.value, "ci": [difference.low, difference.high]}
    return found


def encoder(splits: Splits[PairSet], folder: Path, forms: dict[str, dict[str, Any]]) -> None:
    """Every form of the encoder; the base is not trained, so that the forms differ in nothing else."""
    from lingsou.training.neural.compression import rows_to_keep
    from lingsou.training.neural.continual import open_teacher
    from lingsou.training.neural.device import choose

    taught = _recipe("full", {"teacher": "base"})
    whole = run_of(_recipe("full"), splits, folder)
    used = {
        piece
        for table in (
            whole.model.queries(splits.train.queries, 512),
            whole.model.documents(splits.train.texts, 512),
        )
        for piece in table.used().tolist()
    }
    shop = rows_to_keep(whole.base, used)
    measure("encoder fp32", whole, splits, folder, forms, precision="fp32")
    measure("encoder int8", whole, splits, folder, forms)
    measure("encoder int8, vocabulary of the shop", whole, splits, folder, forms, vocabulary=shop)
    teacher = open_teacher(taught, None, choose("auto"))
    student = run_of(_recipe("full"), splits, folder, LAYERS)
    measure(f"encoder int8, {LAYERS} layers untrained", student, splits, folder, forms)
    for name, teaches in (("graded", None), ("distilled", teacher)):
        told = _recipe("full", {"train.epochs": 3.0, "train.learning_rate": 2e-4})
        student = run_of(told, splits, folder, LAYERS, teaches)
        seconds = student.train(_progress(name)).seconds
        form = f"encoder int8, {LAYERS} layers {name}"
        measure(form, student, splits, folder, forms)
        forms[form] |= {"trained": told.train.epochs, "train_s": seconds}
        if teaches is not None:
            form += ", vocabulary of the shop"
            measure(form, student, splits, folder, forms, vocabulary=shop)


def reranker(splits: Splits[PairSet], folder: Path, forms: dict[str, dict[str, Any]]) -> None:
    """Every form of the cross-encoder."""
    from lingsou.training.neural.tasks.distil import Teacher

    told = _recipe("cross_encoder")
    whole = run_of(told, splits, folder)
    seconds = whole.train(_progress("cross-encoder")).seconds
    for precision in ("fp32", "int8"):
        form = f"reranker {precision}"
        measure(form, whole, splits, folder, forms, precision=precision)
        forms[form] |= {"trained": told.train.epochs, "train_s": seconds}
    heads = {f"{TASK}.{name}": value.detach() for name, value in whole.head(TASK).named_parameters()}
    told = _recipe("cross_encoder", {"train.epochs": 3.0, "train.learning_rate": 2e-4})
    # The student begins with layers of its trained teacher.
    student = run_of(told, splits, folder, LAYERS, Teacher(whole.model.eval(), heads), begun=whole)
    seconds = student.train(_progress("student")).seconds
    form = f"reranker int8, {LAYERS} layers distilled"
    measure(form, student, splits, folder, forms)
    forms[form] |= {"trained": told.train.epochs, "train_s": seconds}


PARTS = {"encoder": encoder, "reranker": reranker}


def _recipe(method: str, changes: dict[str, Any] | None = None) -> Recipe:
    told = recipe(method, 0).model_dump(mode="json")
    for key, value in (changes or {}).items():
        *path, last = key.split(".")
        place = told
        for step in path:
            place = place[step]
        place[last] = value
    return Recipe.model_validate(told)


def run_of(
    told: Recipe,
    splits: Splits[PairSet],
    folder: Path,
    layers: int = 0,
    teacher: "Teacher | None" = None,
    begun: "Prepared | None" = None,
) -> "Prepared":
    """The recipe in memory, over so many layers of the base or of what `begun` has learned."""
    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.compression import drop_layers
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble

    base, device = begun.base if begun else open_base(told.base), choose(told.train.precision)
    base = drop_layers(base, layers) if layers else base
    device.prepare(base.model)
    place = Path(tempfile.mkdtemp(dir=folder))
    return assemble(told, base, {TASK: splits}, {}, device, place, teacher)


def measure(
    form: str,
    run: "Prepared",
    splits: Splits[PairSet],
    folder: Path,
    forms: dict[str, dict[str, Any]],
    *,
    precision: Precision = "int8",
    vocabulary: list[int] | None = None,
) -> None:
    """Export, read back, and measure on the test pairs and by the clock."""
    from lingsou.training.neural.export import export_encoder, export_reranker
    from lingsou.training.neural.tasks.relevance import PairTokens

    place, about = Path(tempfile.mkdtemp(dir=folder)) / "artefact", ModelManifest(task="", method=form)
    if form.startswith("reranker"):
        head = run.tasks[0].export(run.head(TASK))
        assert head is not None
        tokens = run.recipe.tasks[TASK].max_tokens
        export_reranker(
            run.model, head, place, about=about, max_tokens=tokens, precision=precision, vocabulary=vocabulary
        )
        lengths = PairTokens(splits.test, run.model, tokens).lengths
        scores, ms = _reranked(place, splits.test, lengths)
    else:
        export_encoder(run.model, [], place, name="form", about=about, precision=precision, vocabulary=vocabulary)
        scores, ms = _encoded(place, splits.test)
    result = rank_pools(splits.test, scores)
    size = sum((place / name).stat().st_size for name in (MODEL, TOKENIZER))
    forms[form] = {
        "ndcg@10": result.values()["ndcg@10"],
        "ms": ms,
        "mb": size / 2**20,
        "each": result.ndcg,
        "queries": len(result.queries),
    }
    print(f"{form}: {forms[form]['ndcg@10']:.4f}, {ms:.2f} ms, {size / 2**20:.1f} MB", file=sys.stderr, flush=True)


def _encoded(place: Path, pairs: PairSet) -> tuple[NDArray[np.float64], float]:
    from lingsou.encoders.runtime import OnnxEncoder

    served = OnnxEncoder.open(place)
    asked, shown = served.encode_queries(pairs.queries), served.encode_documents(pairs.texts)
    scores = np.einsum("ij,ij->i", asked[pairs.query], shown[pairs.text])
    return scores.astype(np.float64), _median([partial(served.encode_queries, [text]) for text in pairs.queries[:200]])


def _reranked(place: Path, pairs: PairSet, lengths: NDArray[np.int64]) -> tuple[NDArray[np.float64], float]:
    from lingsou.ranking.cross_encoder import open_onnx

    def scored(reranker: Reranker, rows: NDArray[np.int64]) -> list[float]:
        found = []
        for row in rows.tolist():
            numbers = reranker.score(pairs.queries[pairs.query[row]], [pairs.texts[pairs.text[row]]], math.inf)
            assert numbers is not None
            found.append(float(numbers[0]))
        return found

    scores = np.array(scored(open_onnx(place), np.arange(len(pairs))))
    fitting = np.flatnonzero(lengths <= PAIR_TOKENS)
    longest = fitting[np.argsort(-lengths[fitting], kind="stable")][: 11 * PAIRS]
    fresh = open_onnx(place)  # one that remembers no score
    return scores, _median([partial(scored, fresh, rows) for rows in np.array_split(longest, 11)])


def _median(calls: Sequence[Callable[[], Any]]) -> float:
    spent = []
    for call in calls:
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e3


def _progress(name: str) -> Callable[[int, int, float], None]:
    def show(done: int, of: int, loss: float) -> None:
        if done % 50 == 0 or done == of:
            print(f"  {name} {done}/{of} loss {loss:.3f}", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    main()
