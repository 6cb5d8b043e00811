"""The links to other pages of a result."""

from dataclasses import dataclass

from lingsou.console.browsing import PAGE_SIZE, Browse


@dataclass(frozen=True)
class Pages:
    """Links around the current page; `numbers` holds (number, address), and none where numbers are left out."""

    previous: str | None
    next: str | None
    numbers: tuple[tuple[int, str] | None, ...]


def pages_of(browse: Browse, total: int) -> Pages:
    """The first, the last and those around the current page."""
    last = -(-total // PAGE_SIZE)
    shown = sorted({1, last, *range(browse.page - 2, browse.page + 3)} & set(range(1, last + 1)))
    numbers: list[tuple[int, str] | None] = []
    for place, number in enumerate(shown):
        if place and number - shown[place - 1] > 1:
            numbers.append(None)
        numbers.append((number, browse.but(page=number).url))
    return Pages(
        previous=browse.but(page=browse.page - 1).url if 1 < browse.page <= last else None,
        next=browse.but(page=browse.page + 1).url if browse.page < last else None,
        numbers=tuple(numbers) if last > 1 else (),
    )
