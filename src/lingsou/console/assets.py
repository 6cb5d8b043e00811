"""Static files under names that change with their content, so that browsers may keep them for a year."""

import gzip
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_IMPORT = re.compile(rb'"\./([\w-]+\.js)"')
_OPENING = re.compile(rb"\A/\*.*?\*/\s*", re.DOTALL)
"""What a script says to those who read its source, which browsers need not fetch."""
_LEAST_PACKED = 500


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes
    media_type: str
    etag: str
    hashed_name: str


class Assets:
    """All files of `static/`, in memory, packed once."""

    def __init__(self, folder: Path = FOLDER, address: str = "/static"):
        self._address = address
        self._files: dict[str, _File] = {}
        self._plain: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix in _TYPES:
                self._load(folder, path.name)

    def _load(self, folder: Path, name: str) -> str:
        """Take a file up after those that it imports, whose hashed names go into it; its own hashed name."""
        if name in self._plain:
            return self._plain[name]
        path = folder / name
        content = path.read_bytes()
        if path.suffix == ".js":
            content = _OPENING.sub(b"", content)
            content = _IMPORT.sub(lambda m: f'"./{self._load(folder, m[1].decode())}"'.encode(), content)
        digest = sha256(content).hexdigest()[:12]
        hashed = f"{path.stem}.{digest}{path.suffix}"
        file = _File(content, gzip.compress(content, 9, mtime=0), _TYPES[path.suffix], f'"{digest}"', hashed)
        self._files[hashed] = self._files[name] = file
        self._plain[name] = hashed
        return hashed

    def url(self, name: str) -> str:
        """The address of a file, by its name in `static/`."""
        return f"{self._address}/{self._plain[name]}"

    def answer(self, name: str, request: Request) -> Response:
        """The file by its plain or hashed name; plain ones are asked for anew each time, with an ETag."""
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        lasting = name == file.hashed_name
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if lasting else "public, no-cache",
            "ETag": file.etag,
            "Vary": "Accept-Encoding",
            # The JavaScript client is meant for pages of other origins too.
            "Access-Control-Allow-Origin": "*",
        }
        if file.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", "") and len(file.content) >= _LEAST_PACKED:
            return Response(file.packed, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
        return Response(file.content, media_type=file.media_type, headers=headers)


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """A stylesheet, script or drawing of the pages."""
    assets: Assets = request.app.state.assets
    return assets.answer(name, request)
