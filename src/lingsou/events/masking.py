"""Personal data out of free text: phones, e-mails, ID and card numbers, postal addresses become `[phone]` and the like.

Numbers with a check digit are checked, so that EANs, model numbers and prices stay. Where the form alone says
little (eight digits, a bare passport number), a word before it such as `电话` or `passport` decides.
"""

import re
import unicodedata
from collections.abc import Callable

from lingsou.events.numerals import is_card, is_hong_kong_id, is_iban, is_mainland_id, is_singapore_id, is_taiwan_id

PLACEHOLDERS = ("[email]", "[phone]", "[id]", "[card]", "[address]")
"""What stands in a text where something was masked."""

_START = r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9]-)(?<!\d\.)"
_END = r"(?![A-Za-z0-9_])(?!-[A-Za-z])(?!\.\d)"
_HAN = "\u4e00-\u9fff"
_CODE_LABEL = re.compile(
    r"(?:ean|upc|gtin|isbn|asin|sku|mpn|imei|s/n|p/n|oem|(?:part|model|item|article|serial|style|ref|batch|lot)"
    r"(?:\s*(?:no|nr|number|code|id))?|art\.?\s*-?nr|型号|货号|款号|条形?码|商品编?码|商品编号|产品编号|编号|订单号?|单号|序列号|批号|物料号|料号)"
    r"[\s.:：#№\-]*$",
    re.IGNORECASE,
)
"""Before a number, this says that the number names a thing, not a person."""


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


def _digits(least: int, most: int) -> Callable[[str], bool]:
    return lambda found: least <= sum(character.isdigit() for character in found) <= most


_PHONE_LABEL = (
    r"(?:(?:联系|聯絡)?(?:电话|電話|手机号?码?|手機號?碼?|座机|传真|热线)|联系方式|致电|拨打|微信|\b(?:tel|telephone|phone|mobile|cell|call|text|fax|whatsapp|handy|tél|teléfono))"
    r"(?:\s*(?:no\b\.?|number\b|号码|號碼|号|是|为|is\b|me\b|us\b|at\b|on\b|to\b))*"
)
_ID_LABEL = (
    r"(?:身份证(?:件)?|身分證|证件|護照|护照|通行证|驾驶证|驾照|社保|军官证|居留证|"
    r"\b(?:passport|ssn|social security|national id|id card|identity card|"
    r"driver'?s licen[cs]e|licen[cs]e|nino|national insurance|dni|tax id|aadhaar|hkid|nric))"
    r"(?:\s*(?:号码|號碼|号|號|码|no\b\.?|number\b|num\b|是|为|is\b))*\s*[:：#]?\s*"
)
_CARD_LABEL = (
    r"(?:银行卡|信用卡|储蓄卡|卡号|账号|帳號|账户|\b(?:(?:credit|debit|bank)\s*card|card\s*(?:no\b\.?|number)|"
    r"account\s*(?:no\b\.?|number)|acct))(?:\s*(?:号码|号|是|为|no\b\.?|number\b|is\b))*\s*[:：#]?\s*"
)

_STREET = (
    r"(?:street|st\.|avenue|ave\.?|road|rd\.?|boulevard|blvd\.?|lane|ln\.?|highway|hwy\.?|"
    r"parkway|pkwy\.?|terrace|crescent)"
)
_STREET_LIKE = (
    r"(?:Street|St|Drive|Dr|Court|Ct|Square|Sq|Way|Place|Pl|Close|Row|Grove|Gardens|Mews|Hill|Circle|Cir|Walk)\b\.?"
)
_UNIT_WORD = (
    r"(?:inch(?:es)?|in|cm|mm|m|km|ft|gb|tb|mb|kg|g|ml|l|w|v|mah|hz|rpm|pack|pcs?|pieces?|pairs?|sets?|x|led|way|person|speed|"
    r"oz|lbs?|mp|bit|core|years?|hour|new|mini|pro|light|watt|volt|amp|k|p|in1|of|for|the|and|with|to|km/h|port|slot|bay)\b"
)
_AFTER_STREET = (
    r"(?:\s+(?:NW|NE|SW|SE|North|South|East|West|Central|[NSEW])\b)?"
    r"(?:\s*,?\s*(?i:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm|#)\.?\s*#?\s*[A-Za-z]?\d{1,5}[A-Za-z]?)?"
    r"(?:\s*,\s*[^\W\d][\w'.-]*(?:\s[A-Z][\w'.-]*){0,2}){0,3}"
    r"(?:\s*,?\s*(?:[A-Z]{2}\s+)?(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}))?(?![\w-])"
)
_NAME = r"[^\W\d_][\w'’.-]*"

_ZH_REGION = (
    rf"(?:[{_HAN}]{{1,9}}?(?:省|自治区|特别行政区|市|地区|自治州|新区|区|區|县|縣|旗|镇|鎮|乡|鄉|街道|开发区|"
    r"工业园)\s*)"
)
_ZH_NAME = rf"[A-Za-z0-9{_HAN}]"
_ZH_NUMBER = r"(?:\d{1,5}|[一二三四五六七八九十百零〇]{1,5})(?:\s*[-之]\s*\d{1,4})?"
_ZH_TAIL = (
    rf"(?:\s*[,，]?\s*(?:{_ZH_NAME}{{1,12}}?(?:小区|花园|大厦|公寓|广场|中心|家园|苑|大樓|大廈|村|城))?\s*[A-Za-z]?(?:{_ZH_NUMBER})?[A-Za-z]?"
    r"\s*(?:号楼|號樓|号院|栋|棟|幢|座|单元|單元|层|層|楼|樓|室|房|门|户|弄|号|號|组|之\d))*(?:\s*[A-Za-z]?\d{2,5}(?![A-Za-z0-9元块]))?"
)
_ZH_ROAD = r"(?:大道|大街|东路|西路|南路|北路|中路|环路|马路|公路|路|街|巷|胡同|弄|里弄)"
_ZH_LEAD = r"(?<![\u4e00-\u9fff])" + rf"(?:[{_HAN}]{{0,6}}?[到至在寄送址是住给为：:])?"

Rule = tuple[str, re.Pattern[str], Callable[[str], bool] | None]

RULES: tuple[Rule, ...] = (
    (
        "email",
        _pattern(
            r"[A-Za-z0-9._%+'-]+\s?(?:@|\(at\)|\[at\])\s?[A-Za-z0-9-]+(?:\s?(?:\.|\(dot\)|\[dot\])\s?[A-Za-z0-9-]+)*"
            r"(?:\.|\s?\(dot\)\s?|\s?\[dot\]\s?)(?!(?:png|jpe?g|gif|svg|webp|css|js)\b)[A-Za-z]{2,24}(?![A-Za-z0-9])"
        ),
        None,
    ),
    ("email", _pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.(?!(?:png|jpe?g|gif|svg|webp)\b)[^\W\d_]{2,24}\b"), None),
    (
        "address",
        _pattern(r"(?:收货|家庭|联系|通讯|邮寄|配送)?(?:地址|住址|地止)\s*[:：是为]\s*[^\n;；。\[\]]{4,80}"),
        None,
    ),
    (
        "address",
        _pattern(
            r"(?<!mac )(?<!ip )(?<!email )(?<!web )(?<!e-mail )"
            r"\b(?:shipping |home |delivery |billing |postal )?address\s*(?:is\b|:)"
            r"\s*(?=[^\n;\[\]]*\d)[^\n;\[\]]{6,80}"
        ),
        None,
    ),
    (
        "id",
        _pattern(
            _START + r"[1-9]\d{5}\s?(?:18|19|20)\d{2}\s?(?:0[1-9]|1[0-2])\s?(?:0[1-9]|[12]\d|3[01])\s?\d{3}[\dX]" + _END
        ),
        is_mainland_id,
    ),
    ("id", _pattern(_ID_LABEL + r"[A-Z]{0,3}\d[\dA-Z\-() ]{3,22}[\dA-Z)]" + r"(?![A-Za-z0-9])"), _digits(5, 20)),
    ("card", _pattern(_CARD_LABEL + r"\d[\d \-]{10,24}\d" + _END), _digits(12, 20)),
    ("card", _pattern(_START + r"[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"), is_iban),
    ("card", _pattern(_START + r"\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}(?:\1\d{3})?" + _END), is_card),
    ("card", _pattern(_START + r"3[0-9]\d{2}([ -]?)\d{6}\1\d{4,5}" + _END), is_card),
    ("id", _pattern(_START + r"[A-Z]{1,2}\d{6}\s?\([\dA]\)"), is_hong_kong_id),
    ("id", _pattern(_START + r"[A-Z][1289]\d{8}" + _END), is_taiwan_id),
    ("id", _pattern(_START + r"[STFGM]\d{7}[A-Z]" + _END), is_singapore_id),
    ("id", _pattern(_START + r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}" + _END), None),
    ("id", _pattern(_START + r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d{2} \d{2} \d{2} [A-D]" + _END), None),
    (
        "phone",
        _pattern(r"(?<![A-Za-z0-9+])\+\s?\d{1,3}[\s.-]?(?:\(\d{1,4}\)[\s.-]?)?\d(?:[\s./-]{0,2}\d){5,12}" + _END),
        _digits(8, 15),
    ),
    ("phone", _pattern(_START + r"(?:\(?(?:\+|00)?86\)?[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}" + _END), None),
    ("phone", _pattern(_START + r"(?:\(?(?:\+|00)?86\)?[ -]?)?1[3-9]\d{2}[ -]\d{3}[ -]\d{4}" + _END), None),
    ("phone", _pattern(_START + r"00(?:852|853|886|44|49|33|81|82|65|61|1)[ -]\d(?:[ -]?\d){6,11}" + _END), None),
    ("phone", _pattern(_START + r"(?:\(0\d{2,3}\)\s?|0\d{2,3}-)\d{3,4}-?\d{4}(?:-\d{1,5})?" + _END), _digits(9, 17)),
    ("phone", _pattern(_START + r"0\d{1,4}([- ])\d{3,4}\1\d{3,4}" + _END), _digits(9, 11)),
    ("phone", _pattern(_START + r"0\d{2,4}[/ ]\d{7,8}" + _END), None),
    ("phone", _pattern(_START + r"0[1-9](?:[ .]\d{2}){4}" + _END), None),
    ("phone", _pattern(_START + r"(?:09\d{8}|07\d{9}|07\d{3} \d{6}|04\d{2} \d{3} \d{3})" + _END), None),
    ("phone", _pattern(_START + r"(?:1[-. ])?(?:\([2-9]\d{2}\)\s?|[2-9]\d{2}[-.])[2-9]\d{2}[-. ]\d{4}" + _END), None),
    ("phone", _pattern(_START + r"[48]00[- ]\d{3,4}[- ]?\d{3,4}" + _END), _digits(10, 10)),
    ("phone", _pattern(_PHONE_LABEL + r"\s*[:：]\s*\(?\+?\d[\d \-.()/]{5,18}\d" + _END), _digits(7, 15)),
    ("phone", _pattern(_PHONE_LABEL + r"\s*\+?\(?\d{2,4}\)?[-. ]?\d{3,4}(?:[-. ]?\d{3,5})?" + _END), _digits(7, 15)),
    ("phone", _pattern(r"[一幺][三四五六七八九][零〇一二三四五六七八九幺]{9}"), None),
    (
        "address",
        _pattern(
            rf"{_ZH_REGION}{{0,5}}?[A-Za-z0-9{_HAN}]{{1,8}}?{_ZH_ROAD}(?:[一二三四五六七八九十东西南北]{{1,2}}段)?\s*(?:\d{{1,4}}巷)?(?:\d{{1,4}}弄)?"
            rf"\s*{_ZH_NUMBER}\s*(?:号|號|弄)(?!(?:线|电池|色|铁|针|字|码|螺|机|干电)){_ZH_TAIL}"
        ),
        None,
    ),
    (
        "address",
        _pattern(
            rf"{_ZH_REGION}{{0,4}}?{_ZH_NAME}{{0,10}}?\d{{1,4}}\s*(?:号楼|號樓|栋|棟|幢|座|号院)\s*"
            rf"(?:[\dA-Za-z一二三四五六七八九十]{{1,4}}\s*(?:单元|單元|门|座|层|楼|樓)\s*)?\d{{2,5}}(?:室|房|号|户|号房)?(?![A-Za-z0-9元块])"
        ),
        None,
    ),
    (
        "address",
        _pattern(
            rf"{_ZH_REGION}{{1,4}}[{_HAN}]{{1,8}}?(?:村|屯|庄|社区|小区|花园|公寓|大厦|苑|家园|新城)\s*"
            rf"(?:{_ZH_NUMBER}\s*(?:号楼|号|號|组|队|栋|幢|座|单元|室)\s*)+(?:\d{{2,5}}(?![A-Za-z0-9]))?"
        ),
        None,
    ),
    (
        "address",
        _pattern(
            rf"(?:香港|九龍|九龙|新界|澳門|澳门|港島)[{_HAN}]{{0,10}}?(?:道|街|路|里|徑|圍|坊)\s*\d{{1,4}}[A-Za-z]?\s*(?:-\s*\d+)?\s*[号號]{_ZH_TAIL}"
        ),
        None,
    ),
    (
        "address",
        re.compile(
            r"(?<![\w-])\d{1,5}[A-Za-z]?,?\s+(?:[NSEW]\.?\s+)?(?:[A-Z][\w'’.-]*\s+|\d{1,3}(?:st|nd|rd|th)\s+){1,4}"
            + _STREET_LIKE
            + _AFTER_STREET
        ),
        lambda found: not re.match(rf"\S+\s+{_UNIT_WORD}", found, re.IGNORECASE),
    ),
    (
        "address",
        _pattern(
            rf"(?<![\w-])\d{{1,5}}[A-D]?,?\s+(?:(?!{_UNIT_WORD}){_NAME}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{1,4}}{_STREET}(?![\w-])"
            r"(?=(?:\s+(?:[ns][ew]|north|south|east|west|central|[nsew])\b)?\s*(?:$|[,.;\n]|\b(?:apt|unit|suite|flat|ste|#|floor)\b|\b[a-z]+\s+[a-z]{2}\s+\d{5}|(?:in|near)\s+[a-z]))"
            + _AFTER_STREET
        ),
        None,
    ),
    ("address", _pattern(r"\bp\.?\s?o\.?\s?box\s*#?\s*\d{1,6}\b"), None),
    (
        "address",
        _pattern(
            r"\b[^\W\d_]+(?:straße|strasse|str\.|weg|platz|allee|gasse|damm)\s+\d{1,4}\s?[a-h]?\b(?:\s*,?\s*(?:D-)?\d{5}\s+[^\W\d_]+)?"
        ),
        None,
    ),
    (
        "address",
        _pattern(
            r"\b\d{1,4}(?:\s?(?:bis|ter))?,?\s+(?:rue|avenue|boulevard|place|chemin|impasse|allée|quai|via|calle|rua)\s+"
            r"(?:(?:de|du|des|la|le|les|del|da|do)\s+|l['’]|d['’])*(?!settings?\b|mats?\b)[^\W\d_][\w'’-]+"
            r"(?-i:\s[A-Z][\w'’-]+)?(?:\s*,?\s*\d{5}\s+[^\W\d_]+)?"
        ),
        None,
    ),
    (
        "address",
        _pattern(
            r"\b(?:via|calle|rua|viale|piazza|avenida)\s+(?:(?:de|del|di|da|do|la)\s+)*(?:[^\W\d_]+\s+){0,2}[^\W\d_]+,?\s+\d{1,4}\b(?:,\s*[^\W\d_]+)?"
        ),
        None,
    ),
)
_GATE = re.compile(
    r"@|[\d〇零]|\b(?:at)\b|地址|住址|address|[一二三四五六七八九十](?:号|號)|[一幺][三四五六七八九]", re.IGNORECASE
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_WIDE |= {0x017F: ord("s"), 0x212A: ord("k"), 0x0130: ord("i"), 0x0131: ord("i")}  # what `[A-Z]` matches beyond ASCII
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0x00A0, 0x2009, 0x202F), 0x2D) | {
    0x00A0: 0x20, 0x2009: 0x20, 0x202F: 0x20,
}  # fmt: skip


def mask(text: str) -> str:
    """The text with personal data replaced by `PLACEHOLDERS`. Never raises; masking twice changes nothing more."""
    while True:
        masked = _once(text)
        if masked == text:
            return text
        text = masked  # what stood beside may show itself only now


def _once(text: str) -> str:
    folded = _folded(text)
    if not _GATE.search(folded):
        return text
    taken: list[tuple[int, int, str]] = []
    for kind, pattern, check in RULES:
        for found in pattern.finditer(folded):
            start, end = found.span()
            if any(start < other_end and other_start < end for other_start, other_end, _ in taken):
                continue
            if check is not None and not check(found.group()):
                continue
            if kind in {"phone", "card", "id"} and _CODE_LABEL.search(folded, max(0, start - 24), start):
                continue
            taken.append((start, end, kind))
    parts, after = [], 0
    for start, end, kind in sorted(taken):
        parts += [text[after:start], f"[{kind}]"]
        after = end
    return "".join(parts) + text[after:]


def _folded(text: str) -> str:
    """The text with full-width forms, dashes and other scripts' digits made plain, character for character."""
    plain = text.translate(_WIDE).translate(_DASHES)
    if plain.isascii():
        return plain
    return "".join(str(unicodedata.digit(each)) if not each.isascii() and each.isdecimal() else each for each in plain)
