"""Pictures whose paths in the feed are relative, such as `images/p1.svg`; others are shown from where they are."""

import re
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

router = APIRouter(include_in_schema=False)
_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".gif": "image/gif",
}
_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def picture_url(image: str) -> str | None:
    """Where a browser finds a product's picture; none for what is no picture's address, such as `javascript:`."""
    if _ABSOLUTE.match(image):
        return image
    return None if _SCHEME.match(image) else f"/media/{quote(image.lstrip('/'))}"


@router.get("/media/{path:path}")
def media(request: Request, path: str) -> Response:
    """A picture below the media folder: only image types, and nothing that a link or `..` leads out to."""
    folder: Path = request.app.state.media
    media_type = _TYPES.get(Path(path).suffix.lower())
    if media_type is None or "\0" in path:
        raise HTTPException(404)
    try:
        found = (folder / path).resolve()
        inside = found.is_relative_to(folder.resolve()) and found.is_file()
    except OSError as error:  # a name that is too long
        raise HTTPException(404) from error
    if not inside:
        raise HTTPException(404)
    headers = {
        "Cache-Control": "public, max-age=86400",
        # An SVG opened on its own is a document: without scripts, and with an origin of its own.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }
    return FileResponse(found, media_type=media_type, headers=headers)
