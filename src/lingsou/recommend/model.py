"""All that a shop recommends with, fitted: the sources, the blend, and which number is which product.

On the disk every array is a `.npy` file of its own, so a process that serves maps them and reads what it needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from lingsou.core.errors import StorageError
from lingsou.core.plugins import resolve
from lingsou.encoders.optional import require
from lingsou.models.choice import ChoiceModel
from lingsou.recommend.blend import Blend, BlendSettings
from lingsou.recommend.interactions import IdMap
from lingsou.recommend.pool import Facts
from lingsou.recommend.recommender import Stored

FOR_YOU = ("transitions", "next", "item-knn", "content", "content-last", "popularity")
"""Sources of the blend."""
ALONE = ("similar", "bought-together", "trending", "replenish")
"""Sources that are asked by their own name."""
_CURE = "Train it anew: lingsou train recommend"


@dataclass(frozen=True)
class Model:
    """Sources by name, fitted on the same products; the blend is of some of them."""

    products: IdMap
    """Product id ↔ number of the item."""
    sources: Mapping[str, Stored]
    blend: Blend


def source_named(name: str) -> Stored:
    """A source that is not fitted.

    Raises:
        ConfigurationError: no source has this name.
    """
    source: Stored = resolve("recommender", name)()
    return source


def save(model: Model, folder: Path) -> None:
    """Write a model into a folder that exists and is empty."""
    for name, source in model.sources.items():
        _write(folder / name, source.state())
    facts = model.blend.facts
    _write(folder / "blend", {"popularity": facts.popularity, "attributes": facts.attributes})
    choice = model.blend.model
    for number, booster in enumerate(choice.boosters if choice else ()):
        (folder / "blend" / f"trees-{number}.txt").write_text(booster.model_to_string(), encoding="utf-8")
    about = {
        "products": list(model.products.names),
        "settings": {name: asdict(source.settings) for name, source in model.sources.items()},
        "blended": [source.name for source in model.blend.sources],
        "blend": asdict(model.blend.settings),
        "weights": None if choice is None else choice.weights.tolist(),
        "boosters": 0 if choice is None else len(choice.boosters),
    }
    (folder / "model.json").write_bytes(orjson.dumps(about))


def load(folder: Path) -> Model:
    """Open what `save` wrote; large arrays are mapped, not read.

    Raises:
        StorageError: something is missing or malformed.
        ConfigurationError: a source of the model is not registered here.
        MissingExtraError: it has trees, and LightGBM is not installed.
    """
    try:
        about = orjson.loads((folder / "model.json").read_bytes())
        sources = {name: _opened(name, own, folder / name) for name, own in about["settings"].items()}
        blend = Blend([sources[name] for name in about["blended"]], BlendSettings(**about["blend"]))
        facts = _read(folder / "blend")
        blend.facts = Facts(facts["popularity"], facts["attributes"])
        if about["weights"] is not None:
            names = [folder / "blend" / f"trees-{number}.txt" for number in range(about["boosters"])]
            blend.model = ChoiceModel(np.array(about["weights"]), tuple(map(_booster, names)))
        return Model(IdMap(about["products"]), sources, blend)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"The recommender in '{folder}' cannot be read: {error}.", cure=_CURE) from error


def _opened(name: str, settings: Mapping[str, Any], folder: Path) -> Stored:
    source: Any = source_named(name)
    source.settings = type(source.settings)(**settings)
    source.restore(_read(folder))
    opened: Stored = source
    return opened


def _write(folder: Path, arrays: Mapping[str, Any]) -> None:
    folder.mkdir()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)


def _read(folder: Path) -> dict[str, Any]:
    return {path.stem: _mapped(path) for path in sorted(folder.glob("*.npy"))}


def _mapped(path: Path) -> Any:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(array)  # a view of the same mapping, without the subclass, which is slower to index


def _booster(path: Path) -> Any:
    lightgbm = require("lightgbm", "rank")
    try:
        return lightgbm.Booster(model_str=path.read_text(encoding="utf-8"))
    except lightgbm.basic.LightGBMError as error:
        raise StorageError(f"'{path}' is no model: {error}.", cure=_CURE) from error


def sources_named(names: Sequence[str]) -> dict[str, Stored]:
    """Sources that are not fitted, by name."""
    return {name: source_named(name) for name in names}
