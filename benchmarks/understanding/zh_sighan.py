"""Chinese spelling check by sentences, as in the SIGHAN-15 format: files of wrong and right, and their F1.

The definitions are those of the SIGHAN bake-offs (Wu et al., SIGHAN 2013, sections 4.1 and 4.2; Tseng et al., SIGHAN
2015) in the form in which later work counts them (Xu et al., "Read, Listen, and See", Findings of ACL 2021): a sentence
is detected if the places that were changed are all those that are wrong and no others, and corrected if it then reads
as it should. Precision is of the sentences that were changed, recall of those that are wrong. The organisers' own
program of 2015 leaves wrong changes in wrong sentences out of precision; here they count against it.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

from lingsou.core.errors import FeedError
from lingsou.text.normalise import normalise


def read(path: Path) -> tuple[list[str], list[str]]:
    """The wrong and the right sentences of a file with both on each line, a tab between them.

    Raises:
        FeedError: a line has not two columns.
    """
    wrong: list[str] = []
    right: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 2:
            raise FeedError(
                f"Line {number} of {path.name} has {len(columns)} columns.",
                field="wrong, right",
                cure="Write the wrong and the right sentence, with one tab between them.",
            )
        wrong.append(columns[0])
        right.append(columns[1])
    return wrong, right


def sentence_f1(wrong: Sequence[str], right: Sequence[str], corrected: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of `detection` and `correction`; 0 where nothing was changed or nothing is wrong.

    Sentences are compared once normalised (`lingsou.text.normalise`): width, case and traditional characters are no
    errors.
    """
    changed = erroneous = detected = mended = 0
    for before, meant, after in zip(wrong, right, corrected, strict=True):
        typed, goal, got = normalise(before), normalise(meant), normalise(after)
        changed += got != typed
        erroneous += goal != typed
        if goal != typed:
            detected += _changed_places(typed, got) == _changed_places(typed, goal)
            mended += got == goal
    return {"detection": _f1(detected, changed, erroneous), "correction": _f1(mended, changed, erroneous)}


def _f1(hits: int, changed: int, erroneous: int) -> dict[str, float]:
    return {
        "precision": hits / changed if changed else 0.0,
        "recall": hits / erroneous if erroneous else 0.0,
        "f1": 2 * hits / (changed + erroneous) if changed + erroneous else 0.0,
    }


def _changed_places(typed: str, now: str) -> list[int] | list[tuple[int, int]]:
    """The characters of what was typed that are others now; spans of them where characters came or went."""
    if len(typed) == len(now):
        return [place for place, (one, other) in enumerate(zip(typed, now, strict=True)) if one != other]
    codes = SequenceMatcher(None, typed, now, autojunk=False).get_opcodes()
    return [(start, end) for tag, start, end, _, _ in codes if tag != "equal"]
