"""From data to a page: templates, the shopper's language, headers that keep a page safe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lingsou.console.assets import Assets
from lingsou.console.browsing import SORTS, Browse
from lingsou.console.labels import Labels
from lingsou.console.media import picture_url
from lingsou.console.texts import COOKIE, LANGUAGES, TEXTS, Language, Texts, language_of
from lingsou.core.settings import ConsoleSettings

_COOKIE_SECONDS = 365 * 86_400
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Renderer:
    """Makes pages in the language of each request."""

    def __init__(
        self,
        settings: ConsoleSettings,
        assets: Assets,
        shown: Mapping[tuple[str, str], str],
        texts: Mapping[str, tuple[str, str]] = TEXTS,
    ):
        self._settings = settings
        self._shown = shown
        self._texts = texts
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "asset": assets.url,
            "picture": picture_url,
            "shop_name": settings.shop_name,
            "sorts": SORTS,
            "safe_html": Markup,
        }
        self._environment.filters["picture_url"] = picture_url

    def labels(self, request: Request) -> Labels:
        """Names and values in the language of the request."""
        return Labels(Texts(language_of(request, self._settings.language), self._texts), self._shown)

    def page(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page. `?lang=` is kept in a cookie, so that links need not carry it."""
        labels = self.labels(request)
        content = self._environment.get_template(template).render(
            t=labels.text,
            labels=labels,
            lang=labels.language,
            languages=[(each, _with_language(request, each)) for each in LANGUAGES],
            **({"browse": Browse(), "visitor": None} | values),
        )
        response = HTMLResponse(content, status, {"Cache-Control": "private, no-cache"})
        if request.query_params.get("lang") == labels.language:
            response.set_cookie(COOKIE, labels.language, max_age=_COOKIE_SECONDS, samesite="lax", httponly=True)
        response.headers["Vary"] = "Accept-Language, Cookie"
        return response


class SafeHeaders:
    """Puts the security headers on every answer that has not its own."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)


def _with_language(request: Request, language: Language) -> str:
    return str(request.url.replace(scheme="", netloc="").include_query_params(lang=language))
