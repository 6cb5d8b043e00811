"""A month of invented searches for the pictures of docs/console.md; the same seed gives the same month."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from lingsou.core.settings import DataFolder, load_settings
from lingsou.events.analytics import volume
from lingsou.events.behaviour import open_behaviour
from lingsou.events.tables import events, searches
from lingsou.text.language import detect
from lingsou.text.normalise import normalise

QUERIES = {
    # text: (weight, results, chance of a click)
    "T恤": (30, 96, 0.62), "蓝牙耳机": (26, 42, 0.55), "连衣裙": (22, 60, 0.6), "跑步鞋": (20, 51, 0.58),
    "running shoes": (14, 51, 0.57), "电饭煲": (13, 22, 0.49), "保温杯": (12, 31, 0.52), "手机壳": (11, 18, 0.09),
    "防晒霜": (9, 25, 0.5), "wireless earbuds": (9, 40, 0.54), "礼物": (8, 210, 0.07), "儿童书包": (7, 16, 0.44),
    "筋膜枪": (6, 0, 0), "冲锋衣": (8, 14, 0.4), "air fryer": (5, 12, 0.5), "破壁机": (4, 0, 0),
    "机械键盘": (6, 19, 0.47),
    "hoodie": (4, 0, 0), "洛丽塔": (3, 0, 0), "羽绒服": (7, 33, 0.56), "露营灯": (3, 0, 0), "yoga mat": (5, 11, 0.52),
    "sneakers": (4, 48, 0.11), "充电宝": (8, 27, 0.51), "挂脖风扇": (2, 0, 0),
}  # fmt: skip
RISING = {"冲锋衣": 5.0, "羽绒服": 4.0, "筋膜枪": 3.0}
DAYS, A_DAY = 60, 140


def log_searches(root: Path, seed: int = 11) -> None:
    """Write them, unless the folder has searches of many days already."""
    chance = random.Random(seed)
    folder = DataFolder(root)
    with open_behaviour(folder, load_settings(folder)) as behaviour:
        if len(volume(behaviour.database, days=DAYS)) > DAYS // 2:
            return
    now = datetime.now(UTC)
    rows, clicks = [], []
    for back in range(DAYS * 24):
        moment = now - timedelta(hours=back)
        busy = (0.3 + 0.7 * (8 <= (moment.hour + 8) % 24 <= 23)) * (1.25 if moment.weekday() >= 5 else 1)
        growth = 1.4 - 0.4 * back / (DAYS * 24)
        for _ in range(round(A_DAY / 24 * busy * growth * chance.uniform(0.6, 1.4))):
            recent = RISING if back < 24 * 7 else {}
            weights = [weight * recent.get(text, 1) for text, (weight, _, _) in QUERIES.items()]
            text = chance.choices(list(QUERIES), weights)[0]
            _, total, clicked = QUERIES[text]
            query_id = f"{chance.getrandbits(128):032x}"
            time = round((moment.timestamp() - chance.random() * 3_600) * 1_000)
            took = min(90.0, chance.lognormvariate(2.0, 0.45) + (8 if back % 97 == 0 else 0))
            rows.append(
                {
                    "query_id": query_id, "time": time, "text": normalise(text), "language": detect(text),
                    "total": total, "took_ms": took, "page": 1, "filters": "", "relaxed": False,
                    "session_id": f"p_{chance.getrandbits(128):032x}",
                }
            )  # fmt: skip
            if chance.random() < clicked:
                clicks.append(
                    {
                        "key": query_id, "time": time + 9_000, "received": time + 9_000, "bot": False,
                        "action": "click", "action_name": "click", "query_id": query_id, "object_id": "p000001",
                    }
                )  # fmt: skip
    with open_behaviour(folder, load_settings(folder)) as behaviour, behaviour.database.write() as connection:
        connection.execute(insert(searches), rows)
        connection.execute(insert(events), clicks)
