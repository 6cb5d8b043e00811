"""Other names that were mined from the shop itself: their table, and their use in a query."""

from lingsou.query.expansion.lookup import NameLookup
from lingsou.query.expansion.shop_names import ShopNames
from lingsou.query.expansion.table import MINED_SOURCES, MinedName

__all__ = ["MINED_SOURCES", "MinedName", "NameLookup", "ShopNames"]
