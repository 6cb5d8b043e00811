"""A made-up bilingual shop whose titles tell category and price."""

import random
from decimal import Decimal

from lingsou.core.types import Product

LINES = {
    ("Kitchen", "Pans"): (["frying pan", "wok", "saucepan", "平底锅", "炒锅"], 40),
    ("Kitchen", "Knives"): (["chef knife", "bread knife", "菜刀", "水果刀"], 25),
    ("Shoes", "Running"): (["running shoes", "trail shoes", "跑步鞋", "运动鞋"], 90),
    ("Garden", "Tools"): (["garden rake", "pruning shears", "园艺剪刀", "铁锹"], 30),
    ("Phones", "Cases"): (["phone case", "screen protector", "手机壳", "钢化膜"], 9),
    ("Phones", "Smartphones"): (["smartphone 128GB", "dual sim phone", "智能手机", "老人手机"], 600),
}
BRANDS = ("Nordwind", "Calypso", "青禾", "Brightoak", "海岚")
WORDS = ("new", "classic", "light", "strong", "blue", "black", "经典", "轻便", "黑色", "新款")


def shop(number: int = 300, seed: int = 1) -> list[Product]:
    """Products whose prices end in 9 and spread by a fifth around that of their kind."""
    rng = random.Random(seed)
    lines = list(LINES.items())
    made = []
    for place in range(number):
        category, (kinds, price) = lines[place % len(lines)]
        brand, kind = rng.choice(BRANDS), rng.choice(kinds)
        whole = round(price * rng.uniform(0.8, 1.2))
        made.append(
            Product(
                id=f"P{place}",
                title=f"{brand} {rng.choice(WORDS)} {kind} {rng.choice(WORDS)} {place}",
                brand=brand,
                category=category,
                price=Decimal(f"{whole}.99"),
                currency="EUR",
            )
        )
    return made
