"""How many products a second one core puts through the streaming checks, and in how much memory.

    python -m benchmarks.check_throughput [--products 1000000] [--data DIR] [--checks title,price] [--profile]

Without `--data` products are made up from a seed: half Chinese, half English, each with a title, a description of three
to seven sentences, a brand, a category of three levels, four attributes, an image, a price and a stock; their mean
length is told. With it, the products of the catalogue in DIR are repeated under new ids, as often as it takes.

Products come in batches. Making them (reading, mapping and validating in real life) is told apart from checking them:
`rows_per_second` counts only the time within the checks, `products_per_second` only that of making them.
`--profile` also times each check alone, on the first rows.
"""

import argparse
import random
import resource
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path

from benchmarks.damage.shops import read_shops
from lingsou.core.types import Attribute, Product
from lingsou.evaluation.report import result_line
from lingsou.quality.check import Check, registered_checks
from lingsou.quality.fields import all_text

BATCH = 10_000
PROFILED = 50_000

_ENGLISH = (
    "steel cotton travel kitchen outdoor wireless compact garden leather storage summer classic portable "
    "folding ceramic bamboo running office winter daily soft strong light quiet simple modern vintage large "
    "small wide narrow bottle lamp chair table jacket shoes backpack charger speaker pillow blanket knife pan "
    "kettle mirror clock brush towel basket rack stand cover sleeve holder cable filter mat rug shelf with for "
    "and of the in to from on by"
)
_CHINESE = (
    "不锈钢 纯棉 旅行 厨房 户外 无线 便携 花园 真皮 收纳 夏季 经典 折叠 陶瓷 竹制 跑步 办公 "
    "冬季 日常 柔软 结实 轻便 静音 简约 现代 复古 大号 小号 水杯 台灯 椅子 桌子 外套 鞋子 "
    "背包 充电器 音箱 枕头 毛毯 刀具 平底锅 水壶 镜子 时钟 刷子 毛巾 篮子 架子 支架 保护套 "
    "数据线 滤芯 地垫 地毯 书架 适合 可以 使用 和 的 在 家庭 学生 女士 男士 儿童 老人 礼物 "
    "质量 设计 颜色 尺寸 方便 清洗 安装"
)
_BRANDS = tuple(f"{first}{last}" for first in ("Nor", "Kel", "Bri", "Tam") for last in ("da", "lux", "on", "mi"))
_COLOURS = {False: ("black", "white", "red", "blue"), True: ("黑色", "白色", "红色", "蓝色")}


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--checks", default="")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    chosen = set(given.checks.split(",")) - {""}
    products = repeated(given.data) if given.data else made_up(0)
    alone = {}
    if given.profile:
        sample = list(islice(products, min(PROFILED, given.products)))
        for check in wanted(chosen):
            alone[check.id] = round(1e6 * timed([check], sample) / len(sample), 3)
            print(f"{check.id}: {alone[check.id]} µs", file=sys.stderr, flush=True)
        del sample
    metrics = measure(products, given.products, wanted(chosen))
    extra = {"microseconds_alone": alone} if alone else {}
    name = given.data.name if given.data else "made up"
    print(result_line("check_throughput", name, metrics, products=given.products, **extra))


def wanted(chosen: set[str]) -> list[Check]:
    """New instances of the checks of that name, of all if none is named."""
    return [check for check in registered_checks() if not chosen or check.id in chosen]


def measure(products: Iterator[Product], rows: int, checks: list[Check]) -> dict[str, float]:
    """Run the checks over so many products, batch by batch."""
    making = checking = 0.0
    done = letters = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while done < rows:
        began = time.process_time()
        batch = list(islice(products, min(BATCH, rows - done)))
        made = time.process_time()
        observe(checks, batch, done)
        checking += time.process_time() - made
        making += made - began
        done += len(batch)
        letters += sum(len(all_text(product)) for product in batch)
        if done % 200_000 == 0:
            print(f"{done:,}: {done / checking:,.0f} rows/s", file=sys.stderr, flush=True)
    began = time.process_time()
    found = sum(sum(check.counts().values()) for check in checks if check.finish() is not None)
    finishing = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": rows,
        "checks": len(checks),
        "rows_per_second": round(rows / (checking + finishing)),
        "finish_seconds": round(finishing, 2),
        "mean_letters": round(letters / rows),
        "products_per_second": round(rows / making),
        "peak_mb": round(peak / 1024, 1),
        "peak_mb_above_start": round((peak - before) / 1024, 1),
        "findings": found,
    }


def timed(checks: list[Check], batch: list[Product]) -> float:
    """Seconds of the processor for the whole of a run."""
    began = time.process_time()
    observe(checks, batch, 0)
    for check in checks:
        check.finish()
    return time.process_time() - began


def observe(checks: list[Check], batch: list[Product], done: int) -> None:
    """As `lingsou.quality.report.run_checks` does it: product by product."""
    observers = [check.observe for check in checks]
    for row, product in enumerate(batch, start=done + 1):
        for each in observers:
            each(row, product)


def repeated(folder: Path) -> Iterator[Product]:
    """The catalogue over and over, each product under a new id."""
    own = read_shops(folder)[0].products
    for number, product in enumerate(cycle(own)):
        yield product.model_copy(update={"id": f"{number:08}"})


def made_up(seed: int) -> Iterator[Product]:
    """Products without end, each with its own words."""
    rng = random.Random(seed)
    categories = [("Home", f"Group {number % 12}", f"Kind {number}") for number in range(200)]
    for number in range(sys.maxsize):
        chinese = number % 2 == 1
        words, gap = (_CHINESE.split(), "") if chinese else (_ENGLISH.split(), " ")
        brand = rng.choice(_BRANDS)
        title = gap.join([brand + gap, *rng.sample(words, rng.randint(6, 14)), str(number)])
        stop, end = ("，", "。") if chinese else (", ", ". ")
        sentences = [
            stop.join(gap.join(rng.choices(words, k=rng.randint(4, 9))) for _ in range(rng.randint(1, 3)))
            for _ in range(rng.randint(3, 7))
        ]
        yield Product(
            id=f"{number:08}",
            title=title,
            description=end.join(sentences),
            brand=brand,
            category=rng.choice(categories),
            price=Decimal(rng.randint(500, 50_000)) / 100,
            currency="CNY",
            sku=f"S{number}",
            attributes={
                "颜色" if chinese else "colour": Attribute(value=rng.choice(_COLOURS[chinese])),
                "weight": Attribute(value=rng.randint(1, 90) / 10, unit="kg"),
                "material": Attribute(value=rng.choice(words)),
                "washable": Attribute(value=True),
            },
            images=(f"https://img.example.com/{number}.jpg",),
            stock=rng.randint(0, 500),
        )


if __name__ == "__main__":
    main()
