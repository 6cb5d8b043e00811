"""Section `typos_zh`: errors injected into words of Chinese titles, and in sentences of learners.

The shop's words are those of the train titles. For each seed, `zh_errors` spoils words of the test titles (a dev file
where there is none), and the corrector and both obvious baselines get the same cases; they must leave alone the
stretches that the cases were made of (`false_rate`) and others around any word (`false_rate_any`). Corrected is what a
search would apply unasked. `ceiling` is what the best choice among the corrector's candidates would reach.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.understanding import zh_errors, zh_sighan
from benchmarks.understanding.entities import tagged_file
from benchmarks.understanding.section import Options, Section
from benchmarks.understanding.zh_baselines import CharacterSymSpell, PinyinDictionary
from lingsou.query.correction import Correctors, ShopWords, corrected
from lingsou.query.correction.chinese import ChineseCorrector
from lingsou.text.normalise import has_han
from lingsou.text.segment import Segmenter
from lingsou.training.data.load import load
from lingsou.training.examples import TagSet
from lingsou.training.recipe import DataSpec

CASES = 2_000
Correct = Callable[[Sequence[str]], list[str]]


class ChineseTypos(Section):
    """Runs on tagged titles in a train file and a test or dev file, and on files of wrong and right sentences."""

    def runs_on(self, folder: Path) -> bool:
        """Whether the folder has either."""
        return _has_titles(folder) or bool(sentence_files(folder))


def measure(folder: Path, options: Options) -> Mapping[str, Any]:
    """Means over the seeds of everything, ours at the top and the baselines by name; sentence F1 by file."""
    found: dict[str, Any] = dict(_of_titles(folder, options)) if _has_titles(folder) else {}
    sentences = {path.stem: of_sentences(path) for path in sentence_files(folder)}
    return found | ({"sentences": sentences} if sentences else {})


def _of_titles(folder: Path, options: Options) -> Mapping[str, Any]:
    train, held = titles_of(folder, "train"), titles_of(folder, _held_back(folder) or "")
    ours = ChineseCorrector(ShopWords(titles=train), Segmenter())
    correctors: dict[str, Correct] = {
        "ours": partial(applied, ours),
        "pinyin_dictionary": PinyinDictionary(train).corrected,
        "symspell_characters": CharacterSymSpell(train).corrected,
    }
    runs = [_of_seed(ours, correctors, train, held, seed) for seed in options.seeds]
    means = _means(runs)
    own = means.pop("ours")
    baselines = {name: means.pop(name) for name in (*means,) if name in correctors}
    found: dict[str, Any] = (
        own | means | {"baseline": baselines, "seeds": runs, "bytes_per_title": ours.nbytes / len(train)}
    )
    return found


def of_sentences(path: Path) -> Mapping[str, Any]:
    """F1 of the sentences of a file. The right sentences of one half are the shop's texts for the other half."""
    wrong, right = zh_sighan.read(path)
    made = list(wrong)
    for half in (0, 1):
        ours = ChineseCorrector(ShopWords(titles=right[1 - half :: 2]), Segmenter())
        made[half::2] = applied(ours, wrong[half::2])
    return zh_sighan.sentence_f1(wrong, right, made)


def applied(corrector: ChineseCorrector, texts: Sequence[str]) -> list[str]:
    """Each text with what would be corrected unasked."""
    correct = Correctors([corrector]).correct
    return [corrected(text, [each for each in correct(text) if each.applied]) for text in texts]


def sentence_files(folder: Path) -> list[Path]:
    """Files of a wrong and a right Chinese sentence on each line, as long as each other in nine of ten lines."""
    return [path for path in sorted(folder.glob("*.tsv")) if _is_sentences(path)]


def _is_sentences(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            rows = [line.rstrip("\n").split("\t") for line, _ in zip(file, range(200), strict=False) if line.strip()]
    except UnicodeDecodeError:
        return False
    if not rows or any(len(row) != 2 or not all(map(has_han, row)) for row in rows):
        return False
    return sum(len(one) == len(other) for one, other in rows) >= 0.9 * len(rows)


def _has_titles(folder: Path) -> bool:
    return tagged_file(folder, "train") is not None and _held_back(folder) is not None


def titles_of(folder: Path, part: str) -> list[str]:
    """The texts of a file of tagged characters."""
    path = tagged_file(folder, part)
    found = path and load(DataSpec(format="tags", path=path.name), "tags", folder)
    return list(found.texts) if isinstance(found, TagSet) else []


def _held_back(folder: Path) -> str | None:
    return next((part for part in ("test", "dev") if tagged_file(folder, part)), None)


def _of_seed(
    ours: ChineseCorrector, correctors: Mapping[str, Correct], train: Sequence[str], held: Sequence[str], seed: int
) -> dict[str, Any]:
    cases = zh_errors.cases(held, train, seed, CASES)
    clean, around = zh_errors.clean(cases), zh_errors.any_stretches(held, seed, CASES)
    wrong = [case.wrong for case in cases]
    found: dict[str, Any] = {}
    for name, correct in correctors.items():
        made = correct(wrong)
        found[name] = {
            "correction@1": zh_errors.correction_at_1(cases, made),
            "false_rate": zh_errors.false_rate(clean, correct(clean)),
            "false_rate_any": zh_errors.false_rate(around, correct(around)),
            "by_kind": dict(zh_errors.by_kind(cases, made)),
        }
    reachable = 0
    for case in cases:
        found_here = ours.candidates(case.wrong, [True] * len(case.wrong))
        texts = {case.wrong[: each.start] + each.meant + case.wrong[each.end :] for each in found_here}
        reachable += case.right in texts
    found["ceiling"] = reachable / max(len(cases), 1)
    found["cases"] = len(cases)
    return found


def _means(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        name: _means([run[name] for run in runs]) if isinstance(first, Mapping) else fmean(run[name] for run in runs)
        for name, first in runs[0].items()
    }


SECTION = ChineseTypos("typos_zh", ("train", "test"), measure)
