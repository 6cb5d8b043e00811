"""A language model behind a service that speaks the chat completions protocol, as most servers do."""

import httpx

from lingsou.core.errors import ConfigurationError
from lingsou.core.settings import LlmSettings


class Chat:
    """Asks POST `/chat/completions`. Safe to share between threads."""

    def __init__(self, settings: LlmSettings):
        """Ask nothing yet.

        Raises:
            ConfigurationError: there is no address or no model, or the address is none.
        """
        if not settings.url or not settings.model:
            raise ConfigurationError(
                "A language model is to be asked, but which is not said.",
                field="llm",
                cure="Set llm.url, such as http://127.0.0.1:11434/v1, and llm.model.",
            )
        headers = {"authorization": f"Bearer {settings.key.get_secret_value()}"} if settings.key else {}
        self.model = settings.model
        try:
            self._client = httpx.Client(base_url=settings.url, headers=headers, timeout=settings.timeout_s)
        except httpx.InvalidURL as error:
            raise ConfigurationError(
                f"'{settings.url}' is no address: {error}.", field="llm.url", cure="Such as http://127.0.0.1:11434/v1."
            ) from error

    def ask(self, instruction: str, text: str, *, most_tokens: int = 100) -> str:
        """What it answers to `text` under `instruction`, at temperature 0.

        Raises:
            httpx.HTTPError: no answer, or none that is a success.
            ValueError: the answer is of another form.
        """
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        asked = {"model": self.model, "temperature": 0, "max_tokens": most_tokens, "messages": messages}
        answer = self._client.post("chat/completions", json=asked).raise_for_status().json()
        try:
            said = answer["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("the answer is no chat completion") from error
        if not isinstance(said, str):
            raise ValueError("the answer is no text")
        return said
