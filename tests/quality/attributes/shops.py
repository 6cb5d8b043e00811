"""Made-up shops whose attributes follow rules that a test can state."""

from typing import Any

import numpy as np

from lingsou.core.types import Product
from lingsou.quality.columns import Columns, columns_of

COLOURS = ("Black", "White", "Blue", "Green", "Pink")
KINDS = ("Shirt", "Jacket", "Skirt", "Sneakers", "Backpack")
ZH_COLOURS = ("黑色", "白色", "蓝色", "绿色", "粉色")
ZH_KINDS = ("衬衫", "外套", "半身裙", "运动鞋", "双肩包")


def product(number: int, title: str, **fields: Any) -> Product:
    return Product(id=f"p{number}", title=title, **fields)


def columns(products: list[Product]) -> Columns:
    return columns_of(enumerate(products, 1))


def fashion(n: int = 200) -> list[Product]:
    """Titles name a main colour and a colour of the trim, in either order; dark colours are always the main one."""
    rng = np.random.default_rng(3)
    products = []
    for number in range(n):
        main, trim = sorted(rng.choice(len(COLOURS), 2, replace=False).tolist())
        first, second = (COLOURS[main], COLOURS[trim]) if rng.random() < 0.5 else (COLOURS[trim], COLOURS[main])
        title = f"Ardena {first} & {second} {KINDS[int(rng.integers(len(KINDS)))]} {number}"
        products.append(product(number, title, brand="Ardena", attributes={"colour": COLOURS[main]}))
    return products


def chinese(n: int = 120) -> list[Product]:
    """Titles name one colour."""
    rng = np.random.default_rng(4)
    products = []
    for number in range(n):
        colour = ZH_COLOURS[int(rng.integers(len(ZH_COLOURS)))]
        title = f"云朵 {colour}{ZH_KINDS[int(rng.integers(len(ZH_KINDS)))]} 第{number}款"
        products.append(product(number, title, brand="云朵", attributes={"颜色": colour}))
    return products
