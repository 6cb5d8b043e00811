"""A tiny bilingual catalogue, written by hand, for contract tests and examples."""

from collections.abc import Sequence

from lingsou.core.types import Change, Product


def tiny_catalogue() -> list[Product]:
    """Fourteen products in two languages, with variants, missing values and shared words."""
    shirts = ("Clothing", "T-shirts")
    shoes = ("Clothing", "Shoes")
    laptops = ("Electronics", "Laptops")
    rows: list[dict[str, object]] = [
        {"id": "t1", "title": "云栖 纯棉圆领T恤 男 蓝色", "brand": "云栖", "category": shirts, "price": 59, "stock": 10,
         "attributes": {"colour": "蓝色", "size": "L"}, "group_id": "tee", "sales": 900, "rating": 4.6,
         "created_at": "2026-03-01T00:00:00Z", "tags": ("夏季",)},
        {"id": "t2", "title": "云栖 纯棉圆领T恤 男 黑色", "brand": "云栖", "category": shirts, "price": 49, "stock": 0,
         "attributes": {"colour": "黑色", "size": "XL"}, "group_id": "tee", "sales": 400, "rating": 4.6},
        {"id": "t3", "title": "Northpeak cotton T-shirt for men, blue", "brand": "Northpeak", "category": shirts,
         "price": "89.90", "stock": 4, "attributes": {"colour": "blue"}, "sales": 120, "rating": 4.1, "review_count": 30},
        {"id": "t4", "title": "Northpeak wool sweater, black", "brand": "Northpeak", "category": ("Clothing", "Knitwear"),
         "price": 299, "stock": 7, "attributes": {"colour": "black"}, "rating": 4.8, "review_count": 5},
        {"id": "s1", "title": "疾风 男士跑步鞋 透气网面 黑色", "brand": "疾风", "category": shoes, "price": 269, "stock": 31,
         "attributes": {"colour": "黑色", "size": "42"}, "group_id": "run", "sales": 2100},
        {"id": "s2", "title": "疾风 男士跑步鞋 透气网面 白色", "brand": "疾风", "category": shoes, "price": 259, "stock": 2,
         "attributes": {"colour": "白色", "size": "43"}, "group_id": "run", "sales": 800},
        {"id": "s3", "title": "Kestrel trail running shoes", "brand": "Kestrel", "category": shoes, "price": 549,
         "stock": 12, "short_description": "Light shoes with grip for wet trails.", "sales": 75},
        {"id": "l1", "title": "Orbit Book 14 laptop, 16 GB, 512 GB SSD", "brand": "Orbit", "category": laptops,
         "price": 5299, "stock": 5, "mpn": "OB14-16/512", "ean": ("4006381333931",), "sku": "LAP-0001",
         "attributes": {"screen": {"value": 14, "unit": "inch"}, "memory": {"value": 16, "unit": "GB"}, "touch": False},
         "sales": 60, "created_at": "2026-05-01T00:00:00Z"},
        {"id": "l2", "title": "Orbit Book 17 laptop, 32 GB, 1 TB SSD", "brand": "Orbit", "category": laptops,
         "price": 8999, "stock": 3, "mpn": "OB17-32/1T", "sku": "LAP-0002",
         "attributes": {"screen": {"value": 17.3, "unit": "inch"}, "memory": {"value": 32, "unit": "GB"}, "touch": True},
         "sales": 20, "created_at": "2026-06-01T00:00:00Z"},
        {"id": "l3", "title": "轨迹 轻薄笔记本电脑 14英寸", "brand": "轨迹", "category": laptops, "price": 4599,
         "attributes": {"screen": {"value": 14, "unit": "inch"}, "touch": "optional"}, "sales": 310},
        {"id": "c1", "title": "Lumen wireless charger & power bank <10000 mAh>", "brand": "Lumen",
         "category": ("Electronics",), "price": 129, "stock": 40, "sales": 500},
        {"id": "c2", "title": "流明 充电宝 10000毫安 Wi-Fi 同款", "brand": "流明", "category": ("Electronics",), "price": 99,
         "stock": 90, "sales": 1500, "rating": 4.9, "review_count": 2000},
        {"id": "g1", "title": "Gift card", "stock": 1000},
        {"id": "x-100", "title": "神秘盲盒", "price": 0, "tags": ("礼物", "夏季")},
    ]  # fmt: skip
    return [Product.model_validate({"currency": "CNY", **row}) for row in rows]


def as_changes(products: Sequence[Product], first: int = 1) -> list[Change]:
    """The change log of a store into which these products were inserted in order."""
    return [
        Change(sequence=n, content_sequence=n, number=n, id=product.id, product=product)
        for n, product in enumerate(products, first)
    ]
