"""The settings file: written by `lingsou init` with every default as a comment; changed line by line."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import Settings


def settings_toml(*, currency: str, store_url: str | None) -> str:
    """TOML with the two given values set and all others shown as comments."""
    chosen = {"currency": currency, "store.url": store_url}
    lines = ["# Settings of this shop. The environment wins: LINGSOU_SERVER__PORT=9000 sets server.port.", ""]
    return "\n".join(lines + _lines(Settings, (), chosen)) + "\n"


def change_setting(path: Path, name: str, value: Any) -> None:
    """Set `section.name` in the file and leave every other line as it stands.

    Raises:
        ConfigurationError: the file is written in another way than by lines under `[section]`.
    """
    section, _, key = name.rpartition(".")
    text = _with_setting(path.read_text(encoding="utf-8-sig"), section, key, value)
    try:
        found: Any = tomllib.loads(text)
        for part in name.split("."):
            found = found[part]
    except (tomllib.TOMLDecodeError, KeyError):
        found = None
    if found != value:
        raise ConfigurationError(
            f"{path} sets '{name}' in a way that is not changed by itself.",
            field=name,
            cure=f"Write {key} = {_toml(value)} under [{section}].",
        )
    draft = path.with_name(path.name + ".draft")
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    shutil.copymode(path, draft)
    draft.replace(path)


def _with_setting(text: str, section: str, key: str, value: Any) -> str:
    lines, line = text.splitlines(), f"{key} = {_toml(value)}"
    header = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?")
    start = next((number for number, each in enumerate(lines) if header.fullmatch(each)), None)
    if start is None:
        return "\n".join([*lines, "", f"[{section}]", line]) + "\n"
    following = (number for number in range(start + 1, len(lines)) if lines[number].lstrip().startswith("["))
    own = range(start + 1, next(following, len(lines)))
    for form in (rf"\s*{key}\s*=", rf"\s*#\s*{key}\s*="):
        for number in own:
            if re.match(form, lines[number]):
                lines[number] = line
                return "\n".join(lines) + "\n"
    lines.insert(start + 1, line)
    return "\n".join(lines) + "\n"


def _lines(model: type[BaseModel], path: tuple[str, ...], chosen: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    sections: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            sections += ["", f"[{'.'.join((*path, name))}]", *_lines(inner, (*path, name), chosen)]
            continue
        if field.description:
            lines.append(f"# {field.description}")
        value = chosen.get(".".join((*path, name)))
        default = "" if field.default in (None, PydanticUndefined) else field.default
        lines.append(f"{name} = {_toml(value)}" if value is not None else f"# {name} = {_toml(default)}")
    return lines + sections


def _toml(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return json.dumps(value, ensure_ascii=False)
