"""What a browser sends with a form (`application/x-www-form-urlencoded`)."""

from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import ImmutableMultiDict

from lingsou.core.errors import InputError

Form = ImmutableMultiDict[str, str]
MAX_BYTES = 2**20
MAX_FIELDS = 5_000


async def read_form(request: Request) -> Form:
    """The fields of a form, without NUL characters, with plain line ends.

    Raises:
        InputError: it is no such form, or too large.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in ("", "application/x-www-form-urlencoded"):
        raise InputError(f"'{media_type}' is not a form.", cure="Use the page's own form.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise InputError("The form is larger than 1 MiB.", cure="Use PUT /v1/rules for large sets.")
    try:
        text = body.decode("utf-8", "replace")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="replace")
    except ValueError as error:
        raise InputError(f"The form has more than {MAX_FIELDS} fields.", cure="Use PUT /v1/rules.") from error
    return ImmutableMultiDict([(name, value.replace("\0", "").replace("\r\n", "\n")) for name, value in pairs])
