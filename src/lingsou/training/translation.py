"""Texts there and back through another language, by a language model: what another shopper might have written.

Chinese goes through English, all else through Chinese and back into English. Source: Sennrich et al. 2016
(back-translation); for augmentation Yu et al. 2018 (QANet).
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import orjson
import structlog
from filelock import FileLock

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.events.masking import mask
from lingsou.pipeline.chat import Chat
from lingsou.text.normalise import has_han

_THREADS, _AT_ONCE = 4, 32
_LONGER = 4
"""An answer that is so many times as long as the text, and 20 characters, explains instead of translating."""
_ASK = "Translate what a shopper of an online shop wrote into {}. Answer with the translation alone, on one line."


class BackTranslation:
    """Keeps what it was told in a file, so that nothing is asked twice and a training that goes on has the same rows.

    A text that seems to hold personal data is not sent to anybody, and stays as it is.
    """

    def __init__(self, chat: Chat, kept: Path):
        """Args: `kept`, JSON lines with `model`, `text` and `said`; made when it is needed."""
        self._chat = chat
        self._kept = kept

    def __call__(self, texts: Sequence[str]) -> list[str]:
        """Each text there and back; as it was where the model fails now and then.

        Raises:
            ConfigurationError: the model fails for more than half of the texts.
            StorageError: the file cannot be written, or is damaged.
        """
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._kept.with_suffix(".lock")):  # several processes of one training need the same rows
                known = dict(self._read())
                wanted = [text for text in dict.fromkeys(texts) if text not in known and mask(text) == text]
                known |= self._ask(wanted)
        except OSError as error:
            raise StorageError(
                f"Translations cannot be kept in '{self._kept}': {error}.", cure="Check the folder and free space."
            ) from error
        return [known.get(text, text) for text in texts]

    def _ask(self, texts: Sequence[str]) -> Mapping[str, str]:
        found: dict[str, str] = {}
        failed: list[str] = []
        reason = ""
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="translation") as pool, self._kept.open("ab") as file:
            for first in range(0, len(texts), _AT_ONCE):
                several = texts[first : first + _AT_ONCE]
                for text, said in zip(several, pool.map(self._there_and_back, several), strict=True):
                    if isinstance(said, str):
                        found[text] = said
                        file.write(self._line(text, said))
                    else:
                        failed.append(text)
                        reason = f"{type(said).__name__}: {said}"
                file.flush()
                if len(failed) > len(found):
                    raise ConfigurationError(
                        f"The language model failed for {len(failed)} of {len(failed) + len(found)} texts ({reason}).",
                        field="llm",
                        cure="Check llm.url and llm.model, or remove translation from [train.augment].",
                    )
            if failed:
                structlog.get_logger("lingsou.translation").warning("texts stay as they are", texts=len(failed))
                file.writelines(self._line(text, text) for text in failed)
        return found

    def _there_and_back(self, text: str) -> str | Exception:
        through, back = ("English", "Simplified Chinese") if has_han(text) else ("Simplified Chinese", "English")
        try:
            abroad = self._say(through, text)
            return (self._say(back, abroad) if abroad else "") or text
        except (httpx.HTTPError, ValueError) as error:
            return error

    def _say(self, language: str, text: str) -> str:
        """The translation; the empty text where the answer is none."""
        said = " ".join(self._chat.ask(_ASK.format(language), text, most_tokens=200).split()).strip("\"'“”「」")
        return said if len(said) <= _LONGER * len(text) + 20 else ""

    def _line(self, text: str, said: str) -> bytes:
        return orjson.dumps({"model": self._chat.model, "text": text, "said": said}) + b"\n"

    def _read(self) -> Iterator[tuple[str, str]]:
        """What this model said before. A line that a killed process left half written is taken off."""
        if not self._kept.is_file():
            return
        whole = self._kept.read_bytes()
        ends = whole.rfind(b"\n") + 1
        if ends < len(whole):
            with self._kept.open("r+b") as file:
                file.truncate(ends)
        for number, line in enumerate(whole[:ends].split(b"\n")[:-1], start=1):
            try:
                told = orjson.loads(line)
                model, text, said = (str(told[key]) for key in ("model", "text", "said"))
            except (orjson.JSONDecodeError, KeyError, TypeError) as error:
                raise StorageError(
                    f"Line {number} of '{self._kept}' is no translation.", cure="Remove the line; it is asked again."
                ) from error
            if model == self._chat.model:
                yield text, said
