"""Reviews: copies, templates, bursts."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from lingsou.quality.reviews import Review, near_equal, resemblance, review_findings

LONG = "这个水杯保温效果非常好，早上装的热水到晚上还是烫的，外观也漂亮，值得购买"
OTHER = "鞋子穿着有点挤脚，颜色和图片上差别不大，物流倒是很快，给个中评吧"
ENGLISH = "The kettle boils quickly, looks good on the counter and the handle stays cool to the touch."
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def test_near_equal_texts_are_one_group_and_short_ones_none() -> None:
    edited = LONG.replace("早上", "早晨").replace("值得购买", "值得购买！")
    texts = [LONG, OTHER, edited, ENGLISH, ENGLISH.upper().replace(",", " ,"), "很好", "很好", "very good", "very good"]
    assert near_equal(texts) == [[0, 2], [3, 4]]
    assert near_equal([]) == []


def test_resemblance_is_jaccard() -> None:
    left, right = np.array([1, 2, 3, 4], np.uint64), np.array([3, 4, 5], np.uint64)
    assert resemblance(left, right) == pytest.approx(2 / 5)
    empty = np.empty(0, np.uint64)
    assert resemblance(empty, empty) == 0.0


def test_a_copy_is_told_with_its_original() -> None:
    rows = [
        Review("r1", "A", LONG, "ann", row=1),
        Review("r2", "B", LONG, "bob", row=4),
        Review("r3", "C", LONG, "ann", row=5),
        Review("r4", "A", OTHER, "cid", row=6),
    ]
    found = review_findings(rows)
    assert [(each.row, each.product_id, each.problem) for each in found] == [
        (4, "B", "a review that copies another"),
        (5, "C", "a shopper's review on several products"),
    ]
    assert found[0].evidence.startswith("review r2 says what r1 says: 这个水杯")


def test_texts_with_one_frame_and_other_fillings_follow_a_template() -> None:
    fillings = ("蓝色保温杯", "黑色电饭锅", "儿童书包", "无线鼠标", "羊毛围巾")
    frame = "收到了{0}，包装很仔细，快递小哥态度好，东西的做工没有话说，以后有需要还会再来这家店买东西"
    rows = [Review(f"r{number}", "A", frame.format(each)) for number, each in enumerate(fillings)]
    (finding,) = review_findings(rows)
    assert finding.problem == "reviews that follow one template"
    assert finding.evidence.startswith("5 reviews (r0, r1, r2, …)")
    assert review_findings(rows[:4]) == []


def test_a_burst_is_far_beyond_the_usual_day() -> None:
    usual = [Review(f"u{day}", "A", "ok", time=NOON + timedelta(days=day)) for day in range(0, 60, 3)]
    burst = [Review(f"b{n}", "A", "ok", time=NOON + timedelta(days=70, minutes=n), row=n) for n in range(10)]
    (finding,) = review_findings([*usual, *burst])
    assert (finding.problem, finding.row) == ("many reviews of one product in a day", 0)
    assert review_findings([*usual, *burst[:9]]) == []
    busy = [Review(f"u{n}", "A", "ok", time=NOON + timedelta(hours=n)) for n in range(480)]
    assert review_findings([*busy, *burst]) == []


def test_a_shopper_who_writes_all_day_is_told_without_the_name() -> None:
    rows = [Review(f"r{n}", f"P{n}", "ok", "ann@example.com", NOON + timedelta(minutes=n)) for n in range(20)]
    (finding,) = review_findings(rows)
    assert finding.problem == "many reviews by one shopper in a day"
    assert "ann" not in finding.evidence
    assert review_findings(rows[:19]) == []
