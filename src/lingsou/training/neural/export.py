"""The trained model as an artefact folder that serving loads: ONNX, tokenizer, manifest, and a CRF's transitions."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from safetensors.numpy import save_file
from torch import Tensor

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.gates import gain
from lingsou.core.manifests import MANIFEST, Measurement, ModelManifest, facts, write_manifest
from lingsou.encoders.build import put_in_place
from lingsou.encoders.graph import Head, Precision, build_graph, build_scorer
from lingsou.encoders.manifest import MODEL, TOKENIZER, EncoderManifest, HeadManifest, Origin
from lingsou.ranking.cross_encoder import RerankerManifest
from lingsou.training.neural.export_general import general_graph
from lingsou.training.neural.export_source import ModelSource, is_bert_shaped, positions_of, to_array
from lingsou.training.neural.tasks.task import ExportedHead
from lingsou.training.neural.text_model import TextModel
from lingsou.training.neural.vocabulary import prune_tokenizer

_HEAD = "head."
_ROUNDING = 1e-9
_WEIGHTS: dict[Precision, str] = {
    "int8": "int8 matrices, dynamic int8 activations",
    "fp32": "fp32",
}


def export_encoder(
    model: TextModel,
    heads: Sequence[ExportedHead],
    folder: Path,
    *,
    name: str,
    about: ModelManifest,
    precision: Precision = "int8",
    vocabulary: Sequence[int] | None = None,
    turn: Tensor | None = None,
) -> EncoderManifest:
    """Write the encoder with all `heads` into `folder`, which it replaces when it is whole.

    Args:
        model: the trained encoder; what can be merged into its weights is merged.
        heads: each an output of the same forward pass.
        folder: the artefact; may exist only as an artefact or empty.
        name: of the artefact.
        about: how it was made and measured: `base`, `method`, `measurements`, `data`, `parent`, `recipe`.
        precision: of matrices and activations. A word table that came out of 4 bits and did not change stays so.
        vocabulary: rows of the word table to keep (`compression.rows_to_keep`); none: all.
        turn: `[hidden, hidden]`, by which the pooled state is multiplied before it becomes the sentence vector.

    Raises:
        ConfigurationError: the model has parameters that were not merged, or `folder` holds something else.
        MissingExtraError: `onnx` is not installed, or `onnxscript`, which models unlike BERT need.
        StorageError: `folder` cannot be written.
    """
    base = model.base
    with _draft(folder) as draft:
        longest = _write(draft, model, heads, precision, vocabulary, turn=turn)
        manifest = EncoderManifest(
            **_told(about, base.published or base.name, precision),
            name=name,
            licence=base.licence,
            origin=Origin(source=base.published or base.name),
            dimension=model.hidden,
            max_tokens=longest,
            query_prefix=base.query_prefix,
            document_prefix=base.document_prefix,
            heads={_name(head): _head(draft, head) for head in heads},
            files=_files(draft),
        )
        write_manifest(manifest, draft)
    return manifest


def export_reranker(
    model: TextModel,
    head: ExportedHead,
    folder: Path,
    *,
    about: ModelManifest,
    max_tokens: int,
    precision: Precision = "int8",
    vocabulary: Sequence[int] | None = None,
) -> RerankerManifest:
    """Write a cross-encoder, whose only output is `head`'s number, into `folder`, which it replaces when it is whole.

    Args:
        model: the trained encoder.
        head: one row over the pooled states.
        folder: the artefact; may exist only as an artefact or empty.
        about: as for `export_encoder`.
        max_tokens: of a pair, as in training.
        precision: as for `export_encoder`.
        vocabulary: as for `export_encoder`.

    Raises:
        As `export_encoder`.
    """
    base = model.base
    with _draft(folder) as draft:
        longest = _write(draft, model, [head], precision, vocabulary, scorer=True)
        manifest = RerankerManifest(
            **_told(about, base.published or base.name, precision),
            max_tokens=min(max_tokens, longest),
            query_prefix=base.query_prefix,
            document_prefix=base.document_prefix,
            output=head.manifest.output,
            files=_files(draft),
        )
        write_manifest(manifest, draft)
    return manifest


@dataclass(frozen=True)
class Chosen:
    """What `choose_precision` decided, and why."""

    precision: Precision
    folder: Path
    measurements: Mapping[Precision, Mapping[str, Measurement]]
    """Of each precision, by the test set's name."""
    says: str


def choose_precision(
    build: Callable[[Precision], Path],
    measure: Callable[[Path], Mapping[str, Measurement]],
    most_lost: float,
    *,
    wanted: Precision = "int8",
) -> Chosen:
    """Build int8 and fp32, measure both as they will be served, and keep int8 unless it loses too much.

    The manifest of the folder kept gets the measurements, with the deciding metric of both precisions beside the
    others (`int8 …` and `fp32 …`), and its `method` says what was decided.

    Args:
        build: writes the artefact of a precision and returns its folder, another for each.
        measure: the artefact's figures by test set; the first value of each decides.
        most_lost: int8 may be worse by so much, on every test set.
        wanted: fp32 is kept, whatever int8 would lose, if it is asked for.
    """
    folders: dict[Precision, Path] = {precision: build(precision) for precision in ("fp32", "int8")}
    measured = {precision: measure(folder) for precision, folder in folders.items()}
    lost: dict[str, float] = {}
    sentences = []
    for test_set, exact in measured["fp32"].items():
        metric = next(iter(exact.values))
        before, after = exact.values[metric], measured["int8"][test_set].values[metric]
        lost[test_set] = -gain(metric, before, after)
        sentences.append(f"{test_set}: {metric} is {after:.4f} in int8 and {before:.4f} in fp32")
    much = [test_set for test_set, by in lost.items() if by > most_lost + _ROUNDING]
    chosen: Precision = "fp32" if much else wanted
    if much:
        sentences.append(f"int8 loses more than {most_lost:g} on {', '.join(much)}, so fp32 is kept")
    else:
        sentences.append(f"int8 loses at most {most_lost:g}" + (", fp32 was asked for" if wanted == "fp32" else ""))
    says = "; ".join(sentences)
    _tell(folders[chosen], chosen, measured, says)
    return Chosen(chosen, folders[chosen], measured, says)


def _tell(folder: Path, chosen: Precision, measured: Mapping[Precision, Mapping[str, Measurement]], says: str) -> None:
    """Add to the manifest of the folder, whatever its task."""
    path = folder / MANIFEST
    manifest = orjson.loads(path.read_bytes())
    for test_set, own in measured[chosen].items():
        metric = next(iter(own.values))
        both = {f"{precision} {metric}": found[test_set].values[metric] for precision, found in measured.items()}
        manifest["measurements"][test_set] = own.model_dump(mode="json") | {"values": {**own.values, **both}}
    manifest["method"] = "; ".join(filter(None, [manifest["method"], says]))
    path.write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n")


def _write(
    folder: Path,
    model: TextModel,
    heads: Sequence[ExportedHead],
    precision: Precision,
    vocabulary: Sequence[int] | None,
    *,
    turn: Tensor | None = None,
    scorer: bool = False,
) -> int:
    """Write graph and tokenizer; tokens of the longest input."""
    base = model.base
    late = heads[0].late if scorer else None
    if late and vocabulary is not None:
        late = replace(late, end=list(vocabulary).index(late.end))
    general = not is_bert_shaped(base.model)
    if general and vocabulary is not None:
        raise ConfigurationError(
            f"The words of a {type(base.model).__name__} can only be cut down before training.",
            field="vocabulary",
            cure="prune_vocabulary, or the whole vocabulary.",
        )
    tokenizer = base.tokenizer if vocabulary is None else prune_tokenizer(base.tokenizer, vocabulary)
    (folder / TOKENIZER).write_bytes(tokenizer)
    if general:
        general_graph(model, heads, folder / MODEL, precision=precision, scorer=scorer, turn=turn)
        return positions_of(base.model)
    source = ModelSource(model, vocabulary)
    additions = replace(source.additions, turn=None if turn is None else to_array(turn))
    linear = [Head(head.manifest.output, head.over, to_array(head.weight), to_array(head.bias)) for head in heads]
    if scorer:
        graph = build_scorer(source, linear[0], precision=precision, additions=additions, late=late)
    else:
        graph = build_graph(source, precision=precision, heads=linear, additions=additions)
    (folder / MODEL).write_bytes(graph)
    prompt = additions.prompt
    return source.shape.positions - (0 if prompt is None else len(prompt))


def _name(head: ExportedHead) -> str:
    return head.manifest.output.removeprefix(_HEAD)


def _head(folder: Path, head: ExportedHead) -> HeadManifest:
    """What the manifest says of a head; what its CRFs learned is written beside the graph."""
    files: dict[str, str] = {}
    if head.crf:
        files["transitions"] = f"{_name(head)}.crf.safetensors"
        save_file({name: to_array(value) for name, value in head.crf.items()}, folder / files["transitions"])
    if head.characters:
        files["characters"] = f"{_name(head)}.characters.safetensors"
        save_file(dict(head.characters), folder / files["characters"])
    return head.manifest.model_copy(update=files)


def _told(about: ModelManifest, base: str, precision: Precision) -> dict[str, Any]:
    """The fields that every manifest has, of `about`."""
    own = {name: getattr(about, name) for name in ModelManifest.model_fields if name not in ("task", "files")}
    return own | {"base": about.base or base, "method": "; ".join(filter(None, [about.method, _WEIGHTS[precision]]))}


def _files(folder: Path) -> dict[str, Any]:
    return {path.name: facts(path) for path in sorted(folder.iterdir())}


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """A folder that takes the place of `target` after the block."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            folder = Path(scratch) / "artefact"
            folder.mkdir()
            yield folder
            put_in_place(folder, target)
    except OSError as error:
        raise StorageError(
            f"The model cannot be written to '{target}': {error}.", cure="Check the folder and free space."
        ) from error
