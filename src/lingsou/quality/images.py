"""What image files look like, without a network: broken, too small, blank, the same on other products, full of text.

Needs Pillow (the extra `quality`).

Sources: dHash, Krawetz, "Kind of Like That" (2013); pHash, Zauner, "Implementation and Benchmarking of Perceptual Image
Hash Functions" (2010). Both compare grey values, and survive scaling, recompression and mild changes of colour.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lingsou.encoders.optional import require
from lingsou.quality.check import EXAMPLES, Finding, Kind, Sink
from lingsou.quality.fields import excerpt
from lingsou.quality.tally import Problem, Tally

CHECK = "image-files"
ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")
MIN_SIDE = 100
"""Pixels; Google asks 100, 250 for clothing."""
MAX_PIXELS = 50_000_000
"""More are not decoded: an image of a few kilobytes can ask for gigabytes."""
BLANK = 2.0
"""Standard deviation of grey values, 0 to 255, below which nothing can be seen."""
SAME_BITS = 3
"""Two images whose hashes of 64 bits differ in at most so many bits, in both hashes, are the same image."""
TEXT_SHARE = 0.5
"""Fine patterns of cloth reach 0.3."""
_SIDE, _BLOCK = 256, 16
_STRONG, _TURNS = 40.0, 3.0

_BROKEN = Problem("error", "an image file that cannot be read", "Upload the image again.")
_SMALL = Problem("warning", "an image that is too small", f"Give one of at least {MIN_SIDE} pixels a side.", 0.9)
_BLANK = Problem("error", "an image on which nothing can be seen", "Give a photograph of the product.", 0.95)
_REPEATED = Problem("warning", "one image on several products", "Give each product its own image.", 0.8)
_TEXT = Problem("info", "an image full of text, or of a fine pattern", "If it is text, give a photograph without.", 0.4)

Grey = NDArray[np.float32]


@dataclass(frozen=True)
class Picture:
    """What is known of one image file."""

    width: int
    height: int
    dhash: int
    phash: int
    contrast: float
    """Standard deviation of grey values, 0 to 255."""
    text: float
    """Share of the area that looks like text, 0 to 1: see `text_share`."""


def picture(path: Path) -> Picture | None:
    """What is known of a file; none if it cannot be read, is cut off, or has more than 50 million pixels.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    images = require("pillow", "quality", "PIL.Image")
    errors = (OSError, SyntaxError, ValueError, EOFError, images.DecompressionBombError)
    try:
        with images.open(path) as opened:
            width, height = opened.size
            if width * height > MAX_PIXELS:
                return None
            opened.draft("L", (2 * _SIDE, 2 * _SIDE))  # a JPEG is decoded at an eighth where that is enough
            opened.load()
            image = _on_white(_of_eight_bits(opened, images), images).convert("L")
    except errors:
        return None
    grey = np.asarray(image, np.float32)
    return Picture(width, height, dhash(image), phash(image), float(grey.std()), text_share(image))


def dhash(image: Any) -> int:
    """64 bits: whether each of 8 × 8 grey values is less than the one to its right."""
    small = _scaled(image, 9, 8)
    return _bits(small[:, 1:] > small[:, :-1])


def phash(image: Any) -> int:
    """64 bits: whether each of the 8 × 8 lowest frequencies (DCT-II of 32 × 32) is above their median."""
    small = _scaled(image, 32, 32)
    waves = _cosines(32)[:8]
    low = waves @ small @ waves.T
    return _bits(low > np.median(low))


def text_share(image: Any) -> float:
    """Share of blocks of 16 × 16 pixels, of the image at 256 pixels, that look like text: a statistic, no reader.

    Letters are strokes: along a line of pixels, strong steps up and strong steps down follow each other closely. A
    block counts if its rows turn so at least three times on average. Stripes and fine patterns of cloth do so too.
    """
    scale = _SIDE / max(image.size)
    width, height = (max(_BLOCK, round(side * scale)) for side in image.size)
    grey = _scaled(image, width, height)
    steps = np.diff(grey, axis=1, append=grey[:, -1:])
    signs = np.where(np.abs(steps) >= _STRONG, np.sign(steps), 0).astype(np.int8)
    turns = np.zeros_like(grey)
    last = np.zeros(len(grey), np.int8)
    for column in range(signs.shape[1]):
        here = signs[:, column]
        turns[:, column] = (here != 0) & (here != last)
        last = np.where(here != 0, here, last)
    rows, columns = grey.shape[0] // _BLOCK, grey.shape[1] // _BLOCK
    blocks = turns[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    return float((blocks.sum(axis=(1, 3)) / _BLOCK >= _TURNS).mean()) if rows and columns else 0.0


def image_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The image files under a folder, by path; the product is named by the file's stem up to `_` and a number."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS:
            stem, _, number = path.stem.rpartition("_")
            yield (stem if stem and number.isdigit() else path.stem), path


def inspect_images(
    files: Iterable[tuple[str, Path]], *, examples: int = EXAMPLES, sink: Sink | None = None
) -> tuple[list[Finding], Mapping[Kind, int]]:
    """What is wrong with the image files of a shop, as findings of the check `image-files`.

    Two images count as the same when both of their hashes differ in at most three bits. Each is compared with all that
    came before, a nanosecond each: a hundredth of the time of reading among 100,000. Memory: about 100 bytes a file.

    Args:
        files: product and file, in any order; a product may have several.
        examples: findings kept of each kind.
        sink: given every finding; its row is the place of the file, from 1.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    tally = Tally(CHECK, examples, sink)
    seen = _Seen()
    for row, (product_id, path) in enumerate(files, start=1):

        def add(problem: Problem, evidence: str, row: int = row, product_id: str = product_id) -> None:
            tally.add(problem, "images", evidence, row=row, product_id=product_id)

        name = excerpt(path.name, 0, 40)
        found = picture(path)
        if found is None:
            add(_BROKEN, name)
            continue
        if found.contrast < BLANK:
            add(_BLANK, f"{name}: grey values within {found.contrast:.1f} of one")
            continue  # all blank images look alike
        if min(found.width, found.height) < MIN_SIDE:
            add(_SMALL, f"{name}: {found.width} × {found.height} pixels")
        if found.text >= TEXT_SHARE:
            add(_TEXT, f"{name}: about {found.text:.0%} of its area")
        other = seen.like(found, product_id)
        if other is not None:
            add(_REPEATED, f"{name}: also on {excerpt(other, 0, 40)}")
    return tally.findings(), tally.counts()


class _Seen:
    """The first product of each image, and its two hashes.

    There is no index by parts of the hashes: rows of one grey, as of a white wall, make parts of most photos equal.
    """

    def __init__(self) -> None:
        self._hashes = np.empty((2, 1024), np.uint64)
        self._products: list[str] = []

    def like(self, found: Picture, product_id: str) -> str | None:
        """Another product with the same image. What was not seen before is remembered."""
        number = len(self._products)
        dhashes, phashes = self._hashes[:, :number]
        near = np.nonzero(np.bitwise_count(dhashes ^ np.uint64(found.dhash)) <= SAME_BITS)[0]
        near = near[np.bitwise_count(phashes[near] ^ np.uint64(found.phash)) <= SAME_BITS]
        if not len(near):
            if number == self._hashes.shape[1]:
                self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)], axis=1)
            self._hashes[:, number] = found.dhash, found.phash
            self._products.append(product_id)
        others = (self._products[place] for place in near.tolist())
        return next((other for other in others if other != product_id), None)


def _of_eight_bits(image: Any, images: Any) -> Any:
    """Greys of more bits are scaled to 0 to 255, above which Pillow would cut them off."""
    if not image.mode.startswith(("I", "F")):
        return image
    grey = np.nan_to_num(np.asarray(image, np.float32))
    white = 65_535.0 if image.mode != "F" else max(float(grey.max()), 1e-6)  # floats have no white of their own
    return images.fromarray(np.rint(np.clip(grey * (255 / white), 0, 255)).astype(np.uint8))


def _on_white(image: Any, images: Any) -> Any:
    """Transparent parts are seen on a white page."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        page = images.new("RGBA", image.size, "white")
        return images.alpha_composite(page, image)
    return image


def _scaled(image: Any, width: int, height: int) -> Grey:
    images = require("pillow", "quality", "PIL.Image")
    return np.asarray(image.convert("L").resize((width, height), images.Resampling.LANCZOS), np.float32)


@cache
def _cosines(size: int) -> Grey:
    """The DCT-II as a matrix: row k is the cosine of frequency k, unscaled."""
    places = np.arange(size)
    waves: Grey = np.cos(np.pi / size * (places[None, :] + 0.5) * places[:, None]).astype(np.float32)
    return waves


def _bits(flags: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(flags.ravel()).tobytes())
