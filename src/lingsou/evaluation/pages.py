"""Reports as one HTML file each: no scripts, nothing from other hosts, all data escaped, one head and style for all."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_OWN = Path(__file__).parent / "templates"


def template(name: str, folder: Path = _OWN, filters: Mapping[str, Callable[[Any], str]] | None = None) -> Template:
    """The template `name` of `folder`, which extends `page.html`; a name that it does not know is an error."""
    environment = Environment(
        loader=FileSystemLoader([folder, _OWN]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"signed": lambda value: "–" if value is None else f"{value:+.4f}", **(filters or {})}
    return environment.get_template(name)
