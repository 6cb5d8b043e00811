"""What can be told without a browser: contrast of the colours, packaged files, static names."""

import re
import tomllib
from pathlib import Path

import pytest

from lingsou.console.assets import FOLDER, Assets

ROOT = Path(__file__).parents[2]
CSS = (FOLDER / "shop.css").read_text(encoding="utf-8")
BLOCKS = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
SCHEMES = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in BLOCKS]
PAIRS = [
    ("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("ink", "mark"), ("ink", "shade"),
    ("muted", "paper"), ("muted", "card"), ("muted", "tint"), ("muted", "shade"),
    ("accent", "paper"), ("accent", "card"), ("accent", "tint"), ("on-accent", "accent"),
    ("price", "card"), ("price", "paper"), ("price", "tint"), ("on-notice", "notice"),
]  # fmt: skip


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("front", "back"), PAIRS)
@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
def test_contrast_is_at_least_4_5(scheme: dict[str, str], front: str, back: str) -> None:
    lighter, darker = sorted((luminance(scheme[front]), luminance(scheme[back])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_colours_are_set_in_one_place() -> None:
    rules = CSS.partition("* { box-sizing")[2]
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) <= {"#b7791f"}, "the star beside a rating's number"


def test_the_console_has_no_colours_of_its_own() -> None:
    assert not re.findall(r"#[0-9a-f]{3,8}\b|rgb\(|hsl\(", (FOLDER / "ops.css").read_text(encoding="utf-8"))


def test_templates_and_static_files_are_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    package = ROOT / "src" / "lingsou"
    packaged = {
        path for pattern in project["tool"]["setuptools"]["package-data"]["lingsou"] for path in package.glob(pattern)
    }
    needed = [path for name in ("static", "templates") for path in (package / "console" / name).rglob("*.*")]
    assert len(needed) > 8
    assert set(needed) <= packaged


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in [*FOLDER.iterdir(), *(FOLDER.parent / "templates").rglob("*.html")]:
        text = path.read_text(encoding="utf-8")
        found = re.findall(r"(?:src|href|import|url\()[^\n]{0,12}(https?:)?//\w", text.replace("http://www.w3.org", ""))
        assert not found or path.name == "lingsou.js", path.name
        assert path.suffix != ".html" or not re.search(r"\son\w+=|\sstyle=|<script(?! type=\"module\" src)", text), (
            path.name
        )


def test_static_names_change_with_what_they_import(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";', encoding="utf-8")
    (tmp_path / "b.js").write_text("export const b = 1;", encoding="utf-8")
    before = Assets(tmp_path)
    (tmp_path / "b.js").write_text("export const b = 2;", encoding="utf-8")
    after = Assets(tmp_path)
    assert before.url("a.js") != after.url("a.js")
    assert before.url("b.js") != after.url("b.js")
    assert Assets(tmp_path).url("a.js") == after.url("a.js")
