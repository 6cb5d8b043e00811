"""Packages that only some installations carry, imported where they are first needed."""

from importlib import import_module
from typing import Any

from lingsou.core.errors import ConfigurationError, MissingExtraError

EXTRA_SERVE = None
"""What serving needs comes with every installation."""
EXTRA_BUILD = "encoder-build"
EXTRA_HUB = "hub"


def require(package: str, extra: str | None, module: str | None = None) -> Any:
    """Import `module` (or `package` itself), which the extra `extra` brings (none: every installation).

    Raises:
        MissingExtraError: the package is not installed; the cure names the `pip install`.
        ConfigurationError: it is installed, but does not load (such as a system library that is missing).
    """
    name = module or package.replace("-", "_")
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != name.split(".")[0]:
            raise ConfigurationError(
                f"The package '{package}' is installed, but needs '{error.name}', which is not.",
                cure=f"pip install '{error.name}'",
            ) from error
        raise MissingExtraError(package, extra) from error
    except ImportError as error:
        raise ConfigurationError(
            f"The package '{package}' is installed, but does not load: {error}.",
            cure=f"pip install --force-reinstall {package}",
        ) from error
