"""The settings file that `lingsou init` writes: every setting, commented out at its default."""

import json
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from lingsou.core.settings import Settings


def settings_toml(*, currency: str, store_url: str | None) -> str:
    """TOML with the two given values set and all others shown as comments."""
    chosen = {"currency": currency, "store.url": store_url}
    lines = ["# Settings of this shop. The environment wins: LINGSOU_SERVER__PORT=9000 sets server.port.", ""]
    return "\n".join(lines + _lines(Settings, (), chosen)) + "\n"


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
