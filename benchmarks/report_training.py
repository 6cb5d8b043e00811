"""The sections of docs/benchmarks.md on training."""

from collections.abc import Callable, Iterator
from typing import Any

Section = Callable[[dict[str, Any]], Iterator[str]]


def finetune(result: dict[str, Any]) -> Iterator[str]:
    """Method by method."""
    transfers = list(result["transfer"])
    yield f"## Fine-tuning: {result['data']}, {result['pairs']:,} pairs, one epoch\n"
    also = f" --transfer {' '.join(f'…/{name}' for name in transfers)}" if transfers else ""
    seeds = max(len(found["seeds"]) for found in result["metrics"].values())
    chosen = f" --methods {','.join(result['metrics'])} --seeds {seeds}"
    yield f"`python -m benchmarks.finetune --data …/{result['data']}{also}{chosen}`. {machine_of(result)}\n"
    yield f"nDCG@10 of re-ranking the judged products of {result['queries']:,} test queries ({result['split']}), and"
    yield "of other folders with the same models unchanged; gains over `base` are paired over queries, with 95 %"
    yield "bootstrap intervals.\n"
    head = ["method", result["data"], "gain", "seeds", *(f"{name} | gain" for name in transfers)]
    yield "| " + " | ".join([*head, "weights that move", "seconds", "peak MB"]) + " |"
    yield "|---" * (len(head) + len(transfers) + 3) + "|"
    for method, found in result["metrics"].items():
        each = ", ".join(f"{value:.4f}" for value in found["seeds"]) if len(found["seeds"]) > 1 else ""
        cells = [f"{found['ndcg@10']:.4f}", _gain(found), each]
        for name in transfers:
            cells += [f"{found['transfer'][name]['ndcg@10']:.4f}", _gain(found["transfer"][name])]
        cells += [f"{found['trainable']:,}", f"{found['train_s']:.0f}", f"{found['peak_mb']:,.0f}"]
        yield f"| {method} | " + " | ".join(cells) + " |"
    yield ""


def training_speed(result: dict[str, Any]) -> Iterator[str]:
    """Pairs a second beside a plain loop."""
    yield f"## Speed of fine-tuning: {result['data']}, {result['pairs']:,} pairs\n"
    yield f"`python -m benchmarks.training_speed --data …/{result['data']}`. {machine_of(result)}\n"
    metrics = result["metrics"]
    yield f"`ours` trains {metrics['ratio']:.2f} times as many pairs a second as the plain loop,"
    yield f"{metrics['ratio_fp32']:.2f} times in the same precision.\n"
    yield "| | pairs/s | nDCG@10 |"
    yield "|---|---|---|"
    for name, found in metrics.items():
        if isinstance(found, dict):
            yield f"| {name} | {found['pairs_per_s']:.1f} | {found['ndcg@10']:.4f} |"
    spent = ", ".join(f"`{name}` {share:.0%}" for name, share in metrics["ours"]["profile"].items())
    yield f"\nWhere the time of `ours` goes: {spent}.\n"


def compression(result: dict[str, Any]) -> Iterator[str]:
    """Forms of one model side by side."""
    yield f"## Compression: {result['data']}, {result['pairs']:,} pairs\n"
    yield f"`python -m benchmarks.compression --data …/{result['data']}`. {machine_of(result)}\n"
    yield f"nDCG@10 on {result['queries']:,} test queries through the artefact; milliseconds of a query, or of 50 pairs"
    yield "of at most 40 tokens, on one thread; changes against fp32 are paired over queries, with 95 % intervals.\n"
    yield "| form | nDCG@10 | change | ms | MB | epochs | training, s |"
    yield "|---|---|---|---|---|---|---|"
    for name, found in result["metrics"].items():
        change, trained = _change(found, "change"), found.get("trained", "")
        seconds = f"{found['train_s']:.0f}" if "train_s" in found else ""
        yield (
            f"| {name} | {found['ndcg@10']:.4f} | {change} | {found['ms']:.1f} | {found['mb']:.1f} | {trained} "
            f"| {seconds} |"
        )
    yield ""


def few_shot(result: dict[str, Any]) -> Iterator[str]:
    """A handful of examples."""
    yield f"## Few examples: {result['data']}, {result['shots']} labelled reviews\n"
    yield f"`python -m benchmarks.few_shot --data …/{result['data']}`. {machine_of(result)}\n"
    yield f"Accuracy on {result['rows']:,} reviews, the mean over {result['parts']} training sets, with its 95 %"
    yield f"interval; `pseudo` adds sure ones of {result['unlabelled']:,} reviews without labels.\n"
    yield "| method | accuracy | interval | each |"
    yield "|---|---|---|---|"
    for name, found in result["metrics"].items():
        low, high = found["ci"]
        each = ", ".join(f"{value:.3f}" for value in found["each"])
        yield f"| {name} | {found['accuracy']:.3f} | {low:.3f} to {high:.3f} | {each} |"
    yield ""


def _gain(found: dict[str, Any]) -> str:
    return _change(found, "gain")


def _change(found: dict[str, Any], key: str) -> str:
    if key not in found:
        return ""
    low, high = found[key]["ci"]
    return f"{found[key]['value']:+.4f} ({low:+.4f} to {high:+.4f})"


def machine_of(result: dict[str, Any]) -> str:
    """What a result was measured on."""
    machine = result["machine"]
    cores = "1 core" if machine["cores"] == 1 else f"{machine['cores']} cores"
    return f"{cores} ({machine['cpu']}), Python {machine['python']}, {machine['platform']}."


SECTIONS: dict[str, Section] = {
    "finetune": finetune,
    "training_speed": training_speed,
    "compression": compression,
    "few_shot": few_shot,
}
