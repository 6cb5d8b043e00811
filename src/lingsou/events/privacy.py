"""What makes a stored event private: ids of people become keyed hashes, free text is masked, contacts are dropped."""

import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import DataFolder, Settings
from lingsou.events.masking import mask
from lingsou.events.schema import MAX_MESSAGE, Event

SECRET_BYTES = 32
_PSEUDONYM = re.compile(r"p_[0-9a-f]{32}")
_OF_A_PERSON = re.compile(
    r"(?:user|client|session|customer|member|account|device|visitor|buyer|open|union|order)id|uid"
)
_CONTACT = re.compile(
    r"e?mail|(?:cell|mobile|tele)?phone|tel|mobile|(?:ip|client|home)?address|street|ip|clientip|remoteaddr|birthday|"
    r"birthdate|(?:full|user|first|last|real|sur)name|idcard|idnumber|passport|useragent|password|token|cookie"
)
_HIDDEN = "[masked]"


class Privacy:
    """Hashes and masks with the secret of one shop. The secret is neither shown nor logged."""

    def __init__(self, secret: bytes):
        self._secret = secret

    @classmethod
    def of(cls, folder: DataFolder, settings: Settings) -> "Privacy":
        """With the secret of the settings, else that of `secret.key` in the data folder, made at first use.

        Raises:
            ConfigurationError: the file is there and is not a secret.
        """
        given = settings.events.secret
        return cls(given.get_secret_value().encode() if given else _secret_file(folder.secret))

    def pseudonym(self, person: str) -> str:
        """`p_` and 128 bits of HMAC-SHA256 in hex: the same for the same id, useless without the secret.

        A pseudonym stays as it is, so that exported events can be imported again.
        """
        if _PSEUDONYM.fullmatch(person):
            return person
        return f"p_{self._keyed(b'person', person.encode('utf-8', 'surrogatepass'))}"

    def key(self, content: bytes) -> str:
        """What makes a row unique, in 32 hex digits; keyed, so that nobody can try out contents."""
        return self._keyed(b"event", content)

    def derived(self, purpose: str) -> bytes:
        """A secret of 32 bytes for something else, such as signing cookies; it tells nothing about this one."""
        return hmac.digest(self._secret, b"derived\0" + purpose.encode(), "sha256")

    def applied(self, event: Event) -> Event:
        """The event as it may be stored."""
        people = {
            name: self.pseudonym(value)
            for name in ("user_id", "client_id", "session_id")
            if (value := getattr(event, name)) is not None
        }
        changed: dict[str, Any] = people
        if event.message:
            changed["message"] = mask(event.message)[:MAX_MESSAGE]
        if event.attributes:
            changed["attributes"] = self._private(event.attributes)
        return event.model_copy(update=changed) if changed else event

    def _private(self, value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {mask(name): self._private(each, name) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._private(each, key) for each in value]
        plain = "".join(filter(str.isalnum, key)).lower()
        if value is None or isinstance(value, bool):
            return value
        if _OF_A_PERSON.fullmatch(plain):
            return self.pseudonym(str(value))
        if _CONTACT.fullmatch(plain):
            return _HIDDEN
        if isinstance(value, str):
            return mask(value)
        text = str(value)
        return value if mask(text) == text else mask(text)

    def _keyed(self, purpose: bytes, content: bytes) -> str:
        return hmac.digest(self._secret, purpose + b"\0" + content, "sha256")[:16].hex()


def _secret_file(path: Path) -> bytes:
    if not path.exists():
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")  # mkstemp: for the owner alone
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(SECRET_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(temporary, path)  # fails where another process was first: then its secret holds
        except FileExistsError:
            pass
        finally:
            Path(temporary).unlink()
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except (ValueError, UnicodeDecodeError):
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ConfigurationError(
            f"{path} is not a secret of {2 * SECRET_BYTES} hex digits.",
            cure="Restore it from a backup: without it stored ids cannot be matched, nor a shopper's data erased.",
        )
    return secret
