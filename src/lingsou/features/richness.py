"""How much the shop tells of a product."""

import numpy as np

from lingsou.features.feature import Feature, Floats, RankingBatch


def title_length(batch: RankingBatch) -> Floats:
    """Terms of the title."""
    return batch.match("title").length


def short_length(batch: RankingBatch) -> Floats:
    """Terms of the short description."""
    return batch.match("short_description").length


def description_length(batch: RankingBatch) -> Floats:
    """Ln (1 + characters) of the description."""
    return np.log1p(np.asarray([len(product.description) for product in batch.products], np.float64))


def attributes(batch: RankingBatch) -> Floats:
    """Number of attributes."""
    return np.asarray([len(product.attributes) for product in batch.products], np.float64)


def images(batch: RankingBatch) -> Floats:
    """Number of pictures."""
    return np.asarray([len(product.images) for product in batch.products], np.float64)


TITLE_LENGTH = Feature("title-length", title_length, "words in the title", "标题词数")
SHORT_LENGTH = Feature("short_description-length", short_length, "words in the short description", "简介词数")
DESCRIPTION_LENGTH = Feature(
    "description-length", description_length, "ln (1 + characters of the description)", "描述长度的对数"
)
ATTRIBUTES = Feature("attribute-count", attributes, "number of attributes", "属性数量")
IMAGES = Feature("image-count", images, "number of pictures", "图片数量")
