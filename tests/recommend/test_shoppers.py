import numpy as np

from lingsou.core.types import Product
from lingsou.events.columns import COLUMNS, EventColumns, columns_of
from lingsou.recommend.catalogue import attributes_of, items_of_products
from lingsou.recommend.interactions import KINDS, IdMap, sequences
from lingsou.recommend.shoppers import answers, shopper_log, steps


def log(*rows: dict[str, object]) -> EventColumns:
    return columns_of([[row.get(name, False if name == "bot" else None) for name in COLUMNS] for row in rows])


def test_deliberate_actions_of_people_on_products_that_are_sold() -> None:
    columns = log(
        {"time": 1, "action": "click", "user_id": "ann", "session_id": "s1", "object_id": "a"},
        {"time": 2, "action": "impression", "user_id": "ann", "object_id": "b"},
        {"time": 3, "action": "purchase", "user_id": "ann", "session_id": "s2", "object_id": "b"},
        {"time": 4, "action": "click", "client_id": "browser", "session_id": "s3", "object_id": "b"},
        {"time": 5, "action": "click", "session_id": "s4", "object_id": "a"},
        {"time": 6, "action": "click", "object_id": "a"},
        {"time": 7, "action": "click", "user_id": "robot", "object_id": "a", "bot": True},
        {"time": 8, "action": "click", "user_id": "ann", "object_id": "gone"},
    )
    found = shopper_log(columns, IdMap(["a", "b"]))
    assert found.people == ["uann", "cbrowser", "ss4"]
    assert found.interactions.starts.tolist() == [0, 2, 3, 4]
    assert found.interactions.items.tolist() == [0, 1, 1, 0]
    assert [KINDS[kind] for kind in found.interactions.kinds] == ["click", "purchase", "click", "click"]
    assert found.interactions.n_items == 2


def test_a_click_and_the_cart_are_one_step() -> None:
    rows = steps(sequences([[1, 1, 1, 2, 1], [1, 1]], 3))
    assert rows.items.tolist() == [1, 2, 1, 1]
    assert rows.starts.tolist() == [0, 3, 4]


def test_the_answer_is_the_last_product_that_was_new() -> None:
    """The second shopper comes back to 1 after the answer; the third has one item before it, the fourth none."""
    before, histories, targets = answers(sequences([[0, 1, 2], [1, 2, 3, 1], [0, 1], [], [3, 3, 3, 0]], 4))
    assert targets.tolist() == [2, 3, 0]
    assert histories.items.tolist() == [0, 1, 1, 2, 3, 3, 3]
    assert histories.starts.tolist() == [0, 2, 4, 7]
    assert before.items.tolist() == [0, 1, 1, 2, 0, 1, 3, 3, 3]
    assert before.starts.tolist() == [0, 2, 4, 6, 6, 9]


def test_products_share_brand_category_and_text_attributes() -> None:
    one = Product(id="a", title="x", brand="Löwe", category=("Audio", "Headphones"), attributes={"Colour": "red"})
    other = Product(id="b", title="y", brand="löwe", category=("Audio",), attributes={"colour": "Red", "weight": 3})
    assert set(attributes_of(one)) - set(attributes_of(other)) == {"category\0Audio\0Headphones"}
    attributes = IdMap()
    items = items_of_products([one, other, Product(id="c", title="z")], attributes)
    assert len(items) == 3
    assert items.n_attributes == 4
    assert np.diff(items.starts).tolist() == [4, 3, 0]
