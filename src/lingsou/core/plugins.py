"""Resolve a name of a kind to its implementation: built-ins first, then entry points `lingsou.<kind>`."""

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from lingsou.core.builtins import BUILTINS
from lingsou.core.errors import ConfigurationError


def names(kind: str) -> list[str]:
    """Every name registered for `kind`, sorted."""
    return sorted({*BUILTINS.get(kind, {}), *(point.name for point in entry_points(group=f"lingsou.{kind}"))})


def resolve(kind: str, name: str) -> Any:
    """The object registered as `name` for `kind`.

    Raises:
        ConfigurationError: no such name, or its module does not hold what the table says.
    """
    target = BUILTINS.get(kind, {}).get(name)
    if target is None:
        found = entry_points(group=f"lingsou.{kind}", name=name)
        if not found:
            raise ConfigurationError(
                f"There is no {kind} named '{name}'.", cure=f"Use one of: {', '.join(names(kind))}."
            )
        point = next(iter(found))
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"The {kind} '{name}' cannot be loaded from {point.value}: {error}.",
                cure="Install or upgrade the package that provides it.",
            ) from error
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
