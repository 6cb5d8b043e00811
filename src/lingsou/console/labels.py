"""How names and values are shown: the shop's own translations, prices, measures."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from lingsou.console.texts import LANGUAGES, Language, Texts
from lingsou.core.errors import ConfigurationError
from lingsou.core.types import AttributeValue, Product

FILE = "labels.tsv"
_SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "HKD": "HK$", "TWD": "NT$", "SGD": "S$"}


def read_labels(folder: Path) -> Mapping[tuple[str, str], str]:
    """(language, name in the catalogue) → shown name, from `labels.tsv`; empty without that file.

    Raises:
        ConfigurationError: a line without three columns, or of a language that the pages do not have.
    """
    path = folder / FILE
    found: dict[tuple[str, str], str] = {}
    if not path.is_file():
        return {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 3 or cells[0] not in LANGUAGES:
            raise ConfigurationError(
                f"{path}, line {number} is not 'language, name, shown name'.", cure="Separate three columns by tabs."
            )
        found[cells[0], cells[1]] = cells[2]
    return found


class Labels:
    """Names and values in one language."""

    def __init__(self, texts: Texts, shown: Mapping[tuple[str, str], str]):
        self.text = texts
        self._shown = shown

    @property
    def language(self) -> Language:
        """Whose words these are."""
        return self.text.language

    def value(self, value: str) -> str:
        """A value as the shop wants it shown; for a category path its last name."""
        last = value.rpartition(" > ")[2]
        return self._shown.get((self.language, value)) or self._shown.get((self.language, last)) or last

    def path(self, names: tuple[str, ...] | list[str]) -> list[tuple[str, str]]:
        """(whole path, shown name) of each step of a category."""
        return [(" > ".join(names[: n + 1]), self.value(" > ".join(names[: n + 1]))) for n in range(len(names))]

    def field(self, name: str) -> str:
        """A field or attribute: the shop's word, else the usual one, else its name in readable form."""
        bare = name.removeprefix("attributes.")
        own = self._shown.get((self.language, bare)) or self.text.field(name)
        return own or bare.replace("_", " ").capitalize()

    def attribute(self, value: AttributeValue, unit: str | None) -> str:
        """An attribute's value with its unit."""
        if isinstance(value, bool):
            return self.text("yes" if value else "no")
        if isinstance(value, tuple):
            return self.text("and").join(self.value(each) for each in value)
        plain = f"{value:g}" if isinstance(value, float) else str(value)
        shown = plain if not isinstance(value, str) else self.value(value)
        return f"{shown} {unit}" if unit else shown

    def money(self, amount: Decimal | float | None, currency: str) -> str:
        """A price: `¥1,299`, `$9.50`, `9.50 SEK`."""
        if amount is None:
            return self.text("no_price")
        whole = amount == int(amount)
        text = f"{amount:,.0f}" if whole else f"{amount:,.2f}"
        symbol = _SYMBOLS.get(currency)
        return f"{symbol}{text}" if symbol else f"{text} {currency}".strip()

    def count(self, number: int) -> str:
        """A count, with the separators of thousands; large ones rounded as people say them."""
        if self.language == "zh" and number >= 10_000:
            return f"{number / 10_000:.1f}万".replace(".0万", "万")
        return f"{number:,}"

    def variant(self, product: Product, differing: list[str]) -> str:
        """What sets a variant apart: the values of the attributes that differ in its group."""
        held = [product.attributes[name] for name in differing if name in product.attributes]
        return " · ".join(self.attribute(each.value, each.unit) for each in held) or product.title
