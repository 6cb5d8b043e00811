"""Configurations: ways to answer the same query that the pipeline has anyway, to be judged side by side."""

import time
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from lingsou.core.errors import InputError
from lingsou.core.types import Frozen, SearchRequest, SearchResponse
from lingsou.evaluation.judging import JudgingSet, Pool
from lingsou.pipeline.shop import Shop

_TRIES, _PAUSE_S = 3, 0.2
_LATE = frozenset({"understand", "encode", "rank", "rerank"})


class Configuration(Frozen):
    """One way to answer. All as by default is how shoppers are answered."""

    name: str
    rules: Literal["published", "draft", "none"] = "published"
    understand: bool = True
    meaning: bool = True
    ranking: bool = Field(True, description="the learned order acts, where the shop has one")
    lexical_weight: float | None = Field(None, ge=0.01, le=5, description="of words beside meaning; none: the shop's")


CONFIGURATIONS = {
    each.name: each
    for each in (
        Configuration(name="live"),
        Configuration(name="draft-rules", rules="draft"),
        Configuration(name="no-rules", rules="none"),
        Configuration(name="no-ranking", ranking=False),
        Configuration(name="no-understanding", understand=False),
        Configuration(name="words-only", understand=False, meaning=False, ranking=False),
    )
}


def configuration(name: str) -> Configuration:
    """The configuration of that name.

    Raises:
        InputError: there is none.
    """
    if name not in CONFIGURATIONS:
        raise InputError(f"There is no configuration '{name}'.", cure=f"Use one of {', '.join(CONFIGURATIONS)}.")
    return CONFIGURATIONS[name]


def described(text: str) -> Configuration:
    """A configuration by its name, by a path of a TOML file, or in words such as `words-only,lexical_weight=0.3`.

    The words change `live`, or the configuration whose name they begin with. A file has the same keys.

    Raises:
        InputError: no such name, key or value, or the file cannot be read.
    """
    if text.endswith(".toml"):
        try:
            with Path(text).open("rb") as file:
                return _varied(CONFIGURATIONS["live"], {"name": Path(text).stem, **tomllib.load(file)}, text)
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise InputError(f"'{text}' cannot be read: {error}.", cure="Write `key = value` lines.") from error
    first, *rest = text.split(",")
    base = configuration("live" if "=" in first else first.strip())
    parts = [first, *rest] if "=" in first else rest
    if not parts:
        return base
    cut = (part.partition("=") for part in parts)
    return _varied(base, {"name": text, **{key.strip(): value.strip() for key, _, value in cut}}, text)


def _varied(base: Configuration, changes: dict[str, Any], text: str) -> Configuration:
    try:
        return Configuration.model_validate({**base.model_dump(), **changes})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            f"The configuration '{text}' is wrong at '{'.'.join(map(str, first['loc']))}': {first['msg']}.",
            cure=f"Use a name ({', '.join(CONFIGURATIONS)}) or key=value with the keys "
            f"{', '.join(key for key in Configuration.model_fields if key != 'name')}.",
        ) from error


def answer(shop: Shop, chosen: Configuration, q: str, depth: int) -> SearchResponse:
    """The first `depth` results. What was late is known when it is asked again."""
    request = SearchRequest(q=q, page_size=depth, understand=chosen.understand)
    pipeline = shop.pipeline
    if not chosen.meaning:
        pipeline = pipeline.without("encoder")
    if not chosen.ranking:
        pipeline = pipeline.without("ranking")
    if chosen.lexical_weight is not None:
        pipeline = pipeline.over(shop.engine.weighing(chosen.lexical_weight))
    for attempt in range(_TRIES):
        if chosen.rules == "published":
            response = pipeline.search(request)
        else:
            rules = shop.rules.store.sets().draft if chosen.rules == "draft" else ()
            response = pipeline.preview(request, shop.rules.index_of(rules)).draft
        if not is_late(response):
            break
        time.sleep(_PAUSE_S * (attempt + 1 < _TRIES))
    return response


def is_late(response: SearchResponse) -> bool:
    """Whether plan, meaning or learned order are missing in an answer that should have them."""
    return any(each.fallback and each.stage in _LATE for each in response.stages)


def pools(shop: Shop, judged: JudgingSet) -> tuple[list[Pool], int]:
    """What the set's two configurations find for its queries, and how many answers came with something late."""
    sides, late, found = [configuration(name) for name in (judged.a, judged.b)], 0, []
    for query in judged.queries:
        answers = [answer(shop, side, query, judged.depth) for side in sides]
        late += sum(map(is_late, answers))
        a, b = (tuple(hit.id for hit in each.hits) for each in answers)
        found.append(Pool(query, a, b))
    return found, late
