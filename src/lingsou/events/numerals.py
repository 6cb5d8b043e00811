"""Check digits: which digits are card numbers, bank accounts and identity numbers, and which only look so."""

from datetime import date

_MAINLAND_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_TAIWAN_LETTERS = dict(zip("ABCDEFGHJKLMNPQRSTUVXYWZIO", range(10, 36), strict=True))
_CARD_LENGTHS = {"4": (16, 19), "62": (16, 17, 18, 19), "34": (15,), "37": (15,), "36": (14,), "38": (14,)}
_CARD_LENGTHS |= {str(prefix): (16,) for prefix in (*range(51, 56), *range(2221, 2721), *range(2200, 2205), 6011, 65)}
_CARD_LENGTHS |= {str(prefix): (16,) for prefix in range(3528, 3590)} | {str(p): (14,) for p in range(300, 306)}


def digits_of(text: str) -> list[int]:
    """Every decimal digit of a text."""
    return [int(each) for each in text if each.isdecimal()]


def passes_luhn(digits: list[int]) -> bool:
    """ISO/IEC 7812: every second digit from the right doubled, digit sums added, divisible by ten."""
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_gtin(digits: list[int]) -> bool:
    """GS1 check digit of EAN-8, UPC-A, EAN-13 and GTIN-14."""
    if len(digits) not in (8, 12, 13, 14):
        return False
    return (sum(digits[-1::-2]) + 3 * sum(digits[-2::-2])) % 10 == 0


def is_card(text: str) -> bool:
    """A payment card: issuer's prefix, length and Luhn digit; never a valid trade item number."""
    digits = digits_of(text)
    number = "".join(map(str, digits))
    known = any(len(number) in _CARD_LENGTHS.get(number[:size], ()) for size in range(1, 5))
    return known and len(set(number)) > 1 and passes_luhn(digits) and not is_gtin(digits)


def is_iban(text: str) -> bool:
    """ISO 13616: the number made of letters and digits, its head moved to the end, is 1 modulo 97."""
    code = "".join(text.split()).upper()
    if not 15 <= len(code) <= 34:
        return False
    return int("".join(str(int(each, 36)) for each in code[4:] + code[:4])) % 97 == 1


def is_mainland_id(text: str) -> bool:
    """GB 11643: 17 digits with a real birthday, and a check character modulo 11."""
    code = "".join(text.split()).upper()
    try:
        date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code, _MAINLAND_WEIGHTS, strict=False))
    return code[-1] == "10X98765432"[total % 11]


def is_hong_kong_id(text: str) -> bool:
    """One or two letters, six digits and a check digit in brackets, modulo 11."""
    code = [each for each in text.upper() if each.isalnum()]
    values = [int(each, 36) for each in code[:-1]]
    values = [36, *values] if len(values) == 7 else values
    total = sum(value * weight for value, weight in zip(values, range(9, 1, -1), strict=True))
    return (total + (10 if code[-1] == "A" else int(code[-1]))) % 11 == 0


def is_taiwan_id(text: str) -> bool:
    """A letter for the place, nine digits, modulo 10."""
    letter = _TAIWAN_LETTERS[text[0].upper()]
    total = letter // 10 + letter % 10 * 9
    total += sum(int(digit) * weight for digit, weight in zip(text[1:9], range(8, 0, -1), strict=True))
    return (total + int(text[9])) % 10 == 0


def is_singapore_id(text: str) -> bool:
    """A letter for the kind, seven digits, a check letter modulo 11."""
    kind, end = text[0].upper(), text[-1].upper()
    total = sum(int(digit) * weight for digit, weight in zip(text[1:8], (2, 7, 6, 5, 4, 3, 2), strict=True))
    total += {"T": 4, "G": 4, "M": 3}.get(kind, 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(kind, "XWUTRQPNMLK")
    return letters[10 - total % 11 if kind == "M" else total % 11] == end
