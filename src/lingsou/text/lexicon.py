"""The shop's own words: one a line in `lexicon.txt`, `#` starts a comment."""

from pathlib import Path

from lingsou.core.errors import ConfigurationError


def read_lexicon(path: Path) -> list[str]:
    """The words of the file in order; none when there is no file.

    Raises:
        ConfigurationError: the file is not UTF-8.
    """
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.", cure="Save it as UTF-8.") from error
    words = (line.partition("#")[0].strip() for line in lines)
    return [word for word in words if word]
