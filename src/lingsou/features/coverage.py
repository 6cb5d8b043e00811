"""How much of the query's information stands in one field: Σ IDF of its terms that do, over Σ IDF."""

from functools import partial

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch
from lingsou.features.tokens import TextField


def coverage(field: TextField, batch: RankingBatch) -> Floats:
    """Share of the query's IDF, 0 to 1."""
    return np.asarray((batch.match(field).counts > 0) @ batch.idf / batch.information)


def _feature(field: TextField, en: str, zh: str, praise: tuple[str, str] | None = None) -> Feature:
    return Feature(
        f"{field}-coverage",
        partial(coverage, field),
        f"share of the query's information that the {en} holds",
        f"{zh}包含查询信息的比例",
        monotone=1,
        praise=praise,
    )


TITLE = _feature("title", "title", "标题", ("the title has your words", "标题与您的搜索相符"))
BRAND = _feature("brand", "brand", "品牌", ("it is of the brand you named", "是您提到的品牌"))
CATEGORY = _feature("category", "category", "类目", ("its category is what you named", "类目与您的搜索相符"))
SHORT_DESCRIPTION = _feature(
    "short_description", "short description", "简介", ("its description has your words", "简介与您的搜索相符")
)
ATTRIBUTES = _feature("attributes", "attributes", "属性", ("its properties are what you named", "属性与您的搜索相符"))
