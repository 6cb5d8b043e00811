"""What `Product` makes of names that databases refuse."""

import pytest
from pydantic import ValidationError

from lingsou.core.types import Product


def test_names_of_attributes_lose_nul() -> None:
    found = Product(id="1", title="Lamp", attributes={"col\0our": "red\0", "size": "L"})
    assert {name: each.value for name, each in found.attributes.items()} == {"colour": "red\0", "size": "L"}
    with pytest.raises(ValidationError):
        Product(id="1", title="Lamp", attributes={"\0": "red"})
