"""All that a shop recommends with, fitted: the sources, the blends, and which number is which product.

On the disk every array is a `.npy` file of its own, so a process that serves maps them and reads what it needs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from lingsou.core.errors import StorageError
from lingsou.core.plugins import resolve
from lingsou.encoders.optional import require
from lingsou.models.choice import ChoiceModel
from lingsou.recommend.behaviour import Behaviour
from lingsou.recommend.blend import Blend, BlendSettings
from lingsou.recommend.interactions import IdMap
from lingsou.recommend.pool import Facts
from lingsou.recommend.recommender import Recommender, Stored

FOR_YOU = ("transitions", "next", "item-knn", "content", "content-last", "popularity")
"""Sources of the blend for shoppers with a history."""
SESSION = ("session-knn", "item-walk", "session-transitions", "revisit", "content", "popularity")
"""Sources of the blend that goes by the session alone."""
ALONE = ("similar", "bought-together", "trending", "replenish")
"""Sources that are asked by their own name."""
_CURE = "Train it anew: lingsou train recommend"


@dataclass(frozen=True)
class Model:
    """Sources by name, fitted on the same products; each blend is of some of them."""

    products: IdMap
    """Product id ↔ number of the item."""
    sources: Mapping[str, Stored]
    blend: Blend
    """Of what a shopper did, however long ago."""
    session: Blend
    """Of what a shopper did since the last pause. Without a model `blend` answers in its place."""
    behaviour: Behaviour
    """Chances that a running session buys, or is over."""


def shopper_blend(sources: Mapping[str, Recommender]) -> Blend:
    """The blend of `FOR_YOU`, which has learnt nothing."""
    return Blend([sources[name] for name in FOR_YOU])


def session_blend(sources: Mapping[str, Recommender], more: Sequence[str] = ()) -> Blend:
    """The blend of `SESSION` and more, which has learnt nothing: items of the session may come again."""
    return Blend([sources[name] for name in (*SESSION, *more)], BlendSettings(depth=30, seen=True), "session")


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
    _write(folder / "facts", {"popularity": facts.popularity, "attributes": facts.attributes})
    about = {
        "products": list(model.products.names),
        "settings": {name: asdict(source.settings) for name, source in model.sources.items()},
        "blends": {blend.name: _save_blend(blend, folder) for blend in (model.blend, model.session)},
        "behaviour": model.behaviour.state(),
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
        arrays = _read(folder / "facts")
        facts = Facts(arrays["popularity"], arrays["attributes"])
        blend, session = (_load_blend(name, about, sources, facts, folder) for name in ("blend", "session"))
        return Model(IdMap(about["products"]), sources, blend, session, Behaviour.of(about["behaviour"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(f"The recommender in '{folder}' cannot be read: {error}.", cure=_CURE) from error


def _save_blend(blend: Blend, folder: Path) -> dict[str, Any]:
    choice = blend.model
    for number, booster in enumerate(choice.boosters if choice else ()):
        (folder / f"{blend.name}-trees-{number}.txt").write_text(booster.model_to_string(), encoding="utf-8")
    return {
        "sources": [source.name for source in blend.sources],
        "settings": asdict(blend.settings),
        "weights": None if choice is None else choice.weights.tolist(),
        "boosters": 0 if choice is None else len(choice.boosters),
    }


def _load_blend(
    name: str, about: Mapping[str, Any], sources: Mapping[str, Stored], facts: Facts, folder: Path
) -> Blend:
    own = about["blends"][name]
    blend = Blend([sources[each] for each in own["sources"]], BlendSettings(**own["settings"]), name)
    blend.facts = facts
    if own["weights"] is not None:
        paths = [folder / f"{name}-trees-{number}.txt" for number in range(own["boosters"])]
        blend.model = ChoiceModel(np.array(own["weights"]), tuple(map(_booster, paths)))
    return blend


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


def sources_named(names: Iterable[str]) -> dict[str, Stored]:
    """Sources that are not fitted, by name."""
    return {name: source_named(name) for name in names}
