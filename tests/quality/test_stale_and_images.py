"""The checks `stale` and `images`, and the inspection of image files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lingsou.core.types import Product
from lingsou.quality.check import Check, Finding
from lingsou.quality.checks.images import ImagesCheck
from lingsou.quality.checks.stale import StaleCheck
from lingsou.quality.images import (
    Picture,
    _Seen,
    dhash,
    image_files,
    inspect_images,
    phash,
    picture,
    text_share,
)

LATEST = datetime(2024, 6, 1, tzinfo=UTC)


def found(check: Check, products: list[Product]) -> list[Finding]:
    for row, product in enumerate(products, start=1):
        check.observe(row, product)
    return check.finish()


def updated(number: int, days: float, stock: int = 5) -> Product:
    return Product(id=f"P{number}", title="x", stock=stock, updated_at=LATEST - timedelta(days=days))


def test_what_is_far_behind_the_rest_is_stale() -> None:
    fresh = [updated(number, number % 20) for number in range(200)]
    check = StaleCheck(examples=1)
    findings = found(
        check, [*fresh, updated(300, 500), updated(301, 600), updated(302, 200, stock=0), updated(303, 200)]
    )
    assert [(each.product_id, each.problem) for each in findings] == [
        ("P301", "not updated for long, unlike the rest"),
        ("P302", "sold out and not updated for long"),
    ]
    assert list(check.counts().values()) == [2, 1]


def test_a_shop_of_slow_pace_is_not_stale() -> None:
    assert found(StaleCheck(), [updated(number, number * 10) for number in range(200)]) == []


def test_times_that_cannot_be() -> None:
    products = [
        Product(id="a", title="x", updated_at=datetime.now(UTC) + timedelta(days=3)),
        Product(id="b", title="x", updated_at=LATEST, created_at=LATEST + timedelta(days=1)),
        Product(id="c", title="x", updated_at=LATEST, created_at=LATEST),
    ]
    assert [(each.row, each.problem) for each in found(StaleCheck(), products)] == [
        (1, "a time in the future"),
        (2, "updated before it was created"),
    ]


def shown(number: int, *images: str) -> Product:
    return Product(id=f"P{number}", title=f"Lamp {number}", images=images)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("N/A", "an address that cannot be an image"),
        ("https://example.com/lamp.html?x=1", "an address that cannot be an image"),
        ("https://example.com/", "an address that cannot be an image"),
        ("https://example.com", "an address that cannot be an image"),
        ("https://example.com/a b.jpg", "an address that cannot be an image"),
        ("https://example.com/a.jpg,https://example.com/b.jpg", "an address that cannot be an image"),
        ("javascript:alert(1)", "an address that cannot be an image"),
        ("https://example.com/a.jpghttps://example.com/b.jpg", "an address that cannot be an image"),
        ("data:text/html,x", "an address that cannot be an image"),
        ("http://localhost/a.jpg", "an address that only the shop itself can open"),
        ("http://localhost:8000/a.jpg", "an address that only the shop itself can open"),
        ("//192.168.1.7/a.jpg", "an address that only the shop itself can open"),
        ("C:\\pictures\\a.jpg", "an address that only the shop itself can open"),
    ],
)
def test_an_address_that_is_no_image(address: str, problem: str) -> None:
    assert [each.problem for each in found(ImagesCheck(), [shown(1, address)])] == [problem]


@pytest.mark.parametrize(
    "address",
    [
        "https://img.example.com/a/b-1.jpg",
        "//cdn.127.net/a.png",
        "images/a.webp",
        "https://example.com/image.php?id=7",
        "https://example.com/a%20b.JPG?width=100",
        "https://10.example.com/p/77",
        "data:image/png;base64,iVBORw0KGgo=",
        "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' width='9'/>",
        "https://res.cloudinary.com/demo/image/fetch/w_400,h_300/https://shop.example.com/a.jpg",
        "https://images.weserv.nl/?url=https://shop.example.com/a.jpg",
        "http://localhost.example.com/a.jpg",
        "none.jpg",
    ],
)
def test_an_address_that_may_be_one(address: str) -> None:
    assert found(ImagesCheck(), [shown(1, address)]) == []


def test_a_placeholder_is_on_many_products_and_variants_share_one() -> None:
    own = [shown(number, f"https://x.example.com/{number}.jpg") for number in range(50)]
    same = [shown(100 + number, "https://x.example.com/no.jpg") for number in range(10)]
    check = ImagesCheck()
    (finding,) = found(check, [*own, *same])
    assert (finding.product_id, finding.evidence) == ("P109", "on 10 products: https://x.example.com/no.jpg")
    assert list(check.counts().values()) == [10]
    assert found(ImagesCheck(), [*own, *same[:9]]) == []
    variants = [product.model_copy(update={"group_id": "one"}) for product in same]
    assert found(ImagesCheck(), [*own, *variants]) == []


def test_a_missing_image_is_a_fault_where_most_have_one() -> None:
    own = [shown(number, f"https://x.example.com/{number}.jpg") for number in range(3)]
    assert [(e.severity, e.row) for e in found(ImagesCheck(), [*own, shown(9)])] == [("warning", 4)]
    assert [e.severity for e in found(ImagesCheck(), [own[0], shown(8), shown(9)])] == ["info"] * 2
    assert found(ImagesCheck(), [shown(8), shown(9)]) == []
    assert [e.problem for e in found(ImagesCheck(), [shown(1, "a.jpg", "a.jpg")])] == ["one image twice on a product"]


def photo(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Soft shapes, as of a product before a wall."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (5, 5, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def test_hashes_survive_what_shops_do_to_images_and_tell_others_apart(tmp_path: Path) -> None:
    image = photo(1)
    image.resize((160, 120)).save(tmp_path / "small.jpg", quality=60)
    again = Image.open(tmp_path / "small.jpg")
    other = photo(2)
    for each in (dhash, phash):
        assert (each(image) ^ each(again)).bit_count() <= 3
        assert (each(image) ^ each(other)).bit_count() > 12


def test_hashes_by_their_definition() -> None:
    rising = Image.fromarray(np.tile(np.linspace(0, 255, 9, dtype=np.uint8), (8, 1)))
    assert dhash(rising) == 2**64 - 1
    assert dhash(rising.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0
    # One wave along each row: of the 8 × 8 frequencies only the mean and that one stand out, and half are above 0.
    fft = pytest.importorskip("scipy.fft")
    grey = np.random.default_rng(0).integers(0, 255, (32, 32)).astype(np.uint8)
    low = fft.dct(fft.dct(grey.astype(np.float64), axis=0), axis=1)[:8, :8]
    expected = int.from_bytes(np.packbits((low > np.median(low)).ravel()).tobytes())
    assert phash(Image.fromarray(grey)) == expected


def test_a_folder_of_images(tmp_path: Path) -> None:
    photo(1).save(tmp_path / "A_1.jpg")
    photo(1).save(tmp_path / "A_2.jpg")  # the same twice on one product is no fault of another's
    photo(1).resize((200, 150)).save(tmp_path / "B_1.png")
    photo(3, (90, 300)).save(tmp_path / "C.png")
    Image.new("RGBA", (300, 300), (0, 0, 0, 0)).save(tmp_path / "D.png")
    (tmp_path / "E.jpg").write_bytes((tmp_path / "A_1.jpg").read_bytes()[:500])
    (tmp_path / "F.gif").write_bytes(b"<html>not found</html>")
    (tmp_path / "notes.txt").write_text("x")
    findings, counts = inspect_images(image_files(tmp_path))
    assert {(each.product_id, each.problem) for each in findings} == {
        ("B", "one image on several products"),
        ("C", "an image that is too small"),
        ("D", "an image on which nothing can be seen"),
        ("E", "an image file that cannot be read"),
        ("F", "an image file that cannot be read"),
    }
    assert sum(counts.values()) == 5


def test_an_image_that_would_fill_the_memory_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo(1).save(tmp_path / "a.png")
    assert picture(tmp_path / "a.png") is not None
    monkeypatch.setattr("lingsou.quality.images.MAX_PIXELS", 1_000)
    assert picture(tmp_path / "a.png") is None


def test_a_page_of_text_has_more_text_than_a_photograph() -> None:
    page = Image.new("L", (256, 256), "white")
    draw = ImageDraw.Draw(page)
    for line in range(0, 256, 12):
        draw.text((0, line), "Free shipping on all orders, buy now and save more today", fill="black")
    assert text_share(page) > 0.5
    assert text_share(photo(1)) == 0.0


def hashed(dhash: int, phash: int) -> Picture:
    return Picture(300, 300, dhash, phash, 50.0, 0.0)


def test_three_bits_of_both_hashes_may_differ() -> None:
    seen = _Seen()
    assert seen.like(hashed(0, 2**64 - 1), "a") is None
    assert seen.like(hashed(0b111 << 61, 2**64 - 8), "b") == "a"
    assert seen.like(hashed(0b1111, 2**64 - 1), "c") is None
    assert seen.like(hashed(0b1111, 2**64 - 1), "c") is None, "its own image"
    assert seen.like(hashed(0, 0), "d") is None


def test_photos_before_white_cost_no_square() -> None:
    """Rows of one grey make parts of the dHash 0; these have nothing else in common."""
    rng = np.random.default_rng(0)
    seen = _Seen()
    start = process_time()
    for number in range(6_000):
        high, low = rng.integers(0, 2**32, 2).tolist()
        assert seen.like(hashed(int(rng.integers(0, 2**16)) << 16, high << 32 | low), str(number)) is None
    assert process_time() - start < 1.5


def test_greys_of_more_than_eight_bits_are_not_blank(tmp_path: Path) -> None:
    grey = np.asarray(photo(1).convert("L"))
    Image.fromarray(grey).save(tmp_path / "eight.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "sixteen.png")
    Image.fromarray(grey.astype(np.float32) / grey.max()).save(tmp_path / "floats.png", format="tiff")
    Image.fromarray(np.full((200, 200), 65_535, np.uint16)).save(tmp_path / "blank.png")
    eight, sixteen, floats, blank = (
        picture(tmp_path / f"{name}.png") for name in ("eight", "sixteen", "floats", "blank")
    )
    assert eight is not None
    assert sixteen == eight
    assert floats is not None
    assert floats.contrast >= eight.contrast
    assert blank is not None
    assert blank.contrast == 0
