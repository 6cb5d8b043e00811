"""Check `images`: products without one, one image on many products, and addresses that cannot be images.

What the images themselves look like is told by `lingsou.quality.images`, which reads files.
"""

import re
from collections.abc import Mapping
from typing import ClassVar

from lingsou.core.types import Product
from lingsou.quality.check import EXAMPLES, Finding, Kind, Severity, Sink
from lingsou.quality.fields import excerpt
from lingsou.quality.frequent import Frequent
from lingsou.quality.tally import Deferred, Problem, Tally

MANY = 10
"""So many products of different titles share only what stands for a missing image, or a mistake of the feed."""
_MOSTLY = 0.5

_MISSING = Problem(
    "warning", "no image, though most products have one", "Give an image; products without one are hardly clicked."
)
_NONE = Problem(
    "info", "no image on most of the catalogue", "Map the column that holds the images, if the feed has one."
)
_SHARED = Problem(
    "warning",
    "one image on many different products",
    "Give each its own image; leave the field empty rather than name a placeholder.",
    0.8,
)
_NO_IMAGE = Problem("warning", "an address that cannot be an image", "Give the address of the image file.", 0.95)
_LOCAL = Problem("warning", "an address that only the shop itself can open", "Give a public address.", 0.95)
_TWICE = Problem("info", "one image twice on a product", "Name each image once.")

_BAD = re.compile(
    r"(?!data:image/)(?:(?:none|null|nan|n/?a|nil|undefined|false|true|no[ _-]?image|-+|\.+|#)\Z"
    r"|javascript:|mailto:|data:|https?:/{0,2}\Z|https?://[^/]*/?\Z"
    r"|[^?#]*\.(?:html?|pdf|docx?|xlsx?|zip|mp4|mov|txt|csv|json|xml)(?:[?#]|\Z)"
    r"|.*[\s<>\"{}|]|.*(?:[,;]|\.(?:jpe?g|png|webp|gif|avif))https?://)",
    re.IGNORECASE | re.DOTALL,
)
_PRIVATE = re.compile(
    r"file:|[a-z]:[\\/]|\\\\|(?:https?:)?//(?:localhost(?=[:/]|\Z)|127\.\d|0\.0\.0\.0|10\.\d|192\.168\.\d|172\.(?:1[6-9]|2\d|3[01])\.|\[::1\])",
    re.IGNORECASE,
)
_FINE = re.compile(r"(?:https?:)?//(?![01l\[])[a-z0-9.-]+\.[a-z]{2,}/[\w./%~,+-]+\.(?:jpe?g|png|webp|gif|avif)\Z")
"""What nearly all addresses look like; they need no closer look."""


class ImagesCheck:
    """Looks at the addresses of images.

    Memory: at most about 40 MB; beyond 200,000 different addresses, rare ones are forgotten.
    """

    id: ClassVar[str] = "images"
    severity: ClassVar[Severity] = "warning"
    cost: ClassVar[str] = "A product without its image is passed over, and one with a wrong image is sent back."

    def __init__(self, examples: int = EXAMPLES, sink: Sink | None = None):
        self._tally = Tally(self.id, examples, sink)
        self._rows = 0
        self._missing = Deferred(examples)
        self._shared = Frequent()
        self._first = Frequent()
        self._shown: dict[int, tuple[int, str, str]] = {}

    def observe(self, row: int, product: Product) -> None:
        """Judge each address, and count the main one."""
        self._rows += 1
        images = product.images
        if not images:
            self._missing.add(row, product.id)
            return
        for address in images:
            if _FINE.match(address) is None:
                self._judge(row, product.id, address)
        if len(images) > 1 and len(set(images)) < len(images):
            again = next(address for place, address in enumerate(images) if address in images[:place])
            self._tally.add(_TWICE, "images", excerpt(again, 0, 60), row=row, product_id=product.id)
        # Variants have one title or one group and may share an image: a product counts once for each of these.
        key = hash(images[0])
        if self._first.add(hash((key, product.group_id or product.title))) == 1:
            number = self._shared.add(key)
            if number == MANY:
                self._shown[key] = row, product.id, excerpt(images[0], 0, 60)

    def finish(self) -> list[Finding]:
        """Judge what is a matter of the whole shop."""
        missing = self._missing
        if self._rows > missing.count:
            problem = _MISSING if missing.count <= _MOSTLY * self._rows else _NONE
            missing.report(
                self._tally, problem, "images", f"none, as on {missing.count / self._rows:.1%} of the products"
            )
        for key, count in self._shared.at_least(MANY):
            if key in self._shown:
                row, product_id, shown = self._shown[key]
                evidence = f"on {count:,} products: {shown}"
                self._tally.add(_SHARED, "images", evidence, row=row, product_id=product_id, count=count)
        return self._tally.findings()

    def counts(self) -> Mapping[Kind, int]:
        """How many of each kind."""
        return self._tally.counts()

    def _judge(self, row: int, product_id: str, address: str) -> None:
        private = _PRIVATE.match(address)
        if private or _BAD.match(address):
            self._tally.add(
                _LOCAL if private else _NO_IMAGE, "images", excerpt(address, 0, 60), row=row, product_id=product_id
            )
