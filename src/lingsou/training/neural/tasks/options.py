"""Names that a recipe may give: of losses and metrics."""

from collections.abc import Sequence

from lingsou.core.errors import ConfigurationError


def choose(task: str, field: str, asked: str | None, offered: Sequence[str]) -> str:
    """`asked`, or the first of what is `offered` where nothing was.

    Raises:
        ConfigurationError: it is not among them.
    """
    if asked is None:
        return offered[0]
    if asked not in offered:
        raise ConfigurationError(
            f"Task '{task}' has no {field} '{asked}'.",
            field=f"tasks.{task}.{field}",
            cure=f"One of: {', '.join(offered)}.",
        )
    return asked
