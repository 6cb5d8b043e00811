"""Pairs a second while fine-tuning, beside a plain sentence-transformers loop: same weights, pairs, batch and method.

    python -m benchmarks.training_speed --data DIR [--pairs 2000] [--threads 2]

DIR as for `benchmarks.finetune`, cut as there. All move every layer and leave the word table as it is, one epoch, AdamW
with the same rate and schedule, CoSENT within the batch or the query, sentences by mean pooling:

    sentence_transformers       its tokenizer, collation and `CoSENTLoss`, float32, batches of random pairs
    sentence_transformers_bf16  the same under bfloat16 autocast, where the processor multiplies it
    ours_fp32, ours             texts cut once, each text of a batch encoded once, batches of like length;
                                `ours` in the precision that `auto` chooses here

Each runs in a process of its own, in turn. `ndcg@10` is on the same test queries after training, `profile` is where the
time of `ours` goes, by operator.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.finetune import MAX_TOKENS, judged, recipe
from lingsou.evaluation.report import result_line
from lingsou.training.examples import PairSet
from lingsou.training.pools import rank_pools

WAYS = ("sentence_transformers", "ours", "sentence_transformers_bf16", "ours_fp32")
RATE = 3e-5
BATCH = 32


def main() -> None:
    """Run every way in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        run = theirs if given.one.startswith("sentence") else ours
        print(orjson.dumps(run(given)).decode())
        return
    metrics: dict[str, Any] = {}
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.training_speed", *sys.argv[1:], "--one", way]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        metrics[way] = json.loads(done.stdout.splitlines()[-1])
        print(f"{way}: {metrics[way]['pairs_per_s']:.1f} pairs/s", file=sys.stderr, flush=True)
    ratio = metrics["ours"]["pairs_per_s"] / metrics["sentence_transformers"]["pairs_per_s"]
    alike = metrics["ours_fp32"]["pairs_per_s"] / metrics["sentence_transformers"]["pairs_per_s"]
    metrics |= {"ratio": ratio, "ratio_fp32": alike}
    splits = judged(given.data, given.pairs)
    print(result_line("training_speed", given.data.name, metrics, products=len(splits.train), pairs=len(splits.train)))


def ours(given: argparse.Namespace) -> dict[str, Any]:
    """Our trainer with the order loss alone, which is CoSENT within each query."""
    from torch.profiler import ProfilerActivity, profile

    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose
    from lingsou.training.neural.run import assemble
    from lingsou.training.recipe import Recipe

    told = recipe("full", 0).model_dump(mode="json")
    told["tasks"]["judged"]["loss"] = "order"
    told["train"] |= {"learning_rate": RATE, "threads": given.threads, "batch": BATCH}
    told["train"]["precision"] = "fp32" if given.one == "ours_fp32" else "auto"
    made, splits, base = Recipe.model_validate(told), judged(given.data, given.pairs), open_base("e5-small")
    device = choose(made.train.precision, given.threads)
    device.prepare(base.model)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = assemble(made, base, {"judged": splits}, {}, device, Path(folder))
        run.train()
        seconds = time.perf_counter() - began  # cutting texts into tokens counts for both sides
        evaluation = run.evaluate("test")["judged"]
        with profile(activities=[ProfilerActivity.CPU]) as profiler:
            run.trainer.rehearse(4)
    spent = sorted(
        ((each.key, each.self_cpu_time_total) for each in profiler.key_averages()), key=lambda each: -each[1]
    )
    whole = sum(time for _, time in spent)
    return {
        "pairs_per_s": len(splits.train) / seconds,
        "ndcg@10": evaluation.values["ndcg@10"],
        "precision": str(device.precision or "float32").removeprefix("torch."),
        "profile": {name: time / whole for name, time in spent[:8]},
    }


def theirs(given: argparse.Namespace) -> dict[str, Any]:
    """A plain loop with sentence-transformers: random batches, both texts of every pair encoded."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import CoSENTLoss
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import PreTrainedTokenizerFast, get_linear_schedule_with_warmup

    from lingsou.training.neural.base import open_base
    from lingsou.training.neural.device import choose

    splits, base = judged(given.data, given.pairs), open_base("e5-small")
    choose("fp32", given.threads)
    with tempfile.TemporaryDirectory() as folder:
        base.model.save_pretrained(folder)
        tokenizer = Path(folder) / "tokenizer.json"
        tokenizer.write_bytes(base.tokenizer)
        fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
            tokenizer_file=str(tokenizer), pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
        )
        fast.save_pretrained(folder)
        encoder = Transformer(folder, max_seq_length=MAX_TOKENS)
    model = SentenceTransformer(
        modules=[encoder, Pooling(base.model.config.hidden_size, "mean"), Normalize()], device="cpu"
    )
    bf16 = given.one == "sentence_transformers_bf16"
    moving = [(name, value) for name, value in model.named_parameters()]
    for name, value in moving:
        value.requires_grad_("embeddings.word" not in name and "embeddings.pos" not in name)
    loss = CoSENTLoss(model)
    train = splits.train
    began = time.perf_counter()
    steps = -(-len(train) // BATCH)
    optimiser = torch.optim.AdamW([value for _, value in moving if value.requires_grad], lr=RATE, weight_decay=0.01)
    warmup = round(0.1 * steps)
    schedule = get_linear_schedule_with_warmup(optimiser, warmup, steps)  # type: ignore[no-untyped-call]
    order = np.random.default_rng(0).permutation(len(train))
    model.train()
    for at in range(0, len(order), BATCH):
        rows = order[at : at + BATCH]
        features = [model.tokenize(texts) for texts in _texts(train, rows)]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            value = loss(features, torch.from_numpy(train.grades[rows] / 2))
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
    seconds = time.perf_counter() - began
    test = splits.test
    queries = model.encode([f"query: {text}" for text in test.queries], batch_size=64)
    texts = model.encode([f"passage: {text}" for text in test.texts], batch_size=64)
    scores = np.einsum("ij,ij->i", queries[test.query], texts[test.text])
    return {"pairs_per_s": len(train) / seconds, "ndcg@10": rank_pools(test, scores).values()["ndcg@10"]}


def _texts(pairs: PairSet, rows: Any) -> tuple[list[str], list[str]]:
    queries = [f"query: {pairs.queries[pairs.query[row]]}" for row in rows]
    return queries, [f"passage: {pairs.texts[pairs.text[row]]}" for row in rows]


if __name__ == "__main__":
    main()
