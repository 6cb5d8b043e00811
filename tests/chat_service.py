"""A local service that speaks the chat completions protocol, and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lingsou.core.settings import LlmSettings


class ChatService(ThreadingHTTPServer):
    """Answers as it is told, and remembers what it was asked."""

    answer: Any = None
    """The body; a callable makes it of what was asked."""
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def settings(self) -> LlmSettings:
        return LlmSettings(url=f"http://127.0.0.1:{self.server_port}/v1", model="small", key="k-1")

    def say(self, answer: Callable[[str, str], str]) -> None:
        """Answer every request by what the function makes of instruction and text."""
        self.answer = lambda body: said(answer(*(each["content"] for each in body["messages"])))


class _Handler(BaseHTTPRequestHandler):
    server: ChatService

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, self.headers["authorization"], body))
        answer = self.server.answer
        told = json.dumps(answer(body) if callable(answer) else answer).encode()
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def chat_service() -> Iterator[ChatService]:
    """One that runs until the block ends."""
    server = ChatService()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(text: str) -> dict[str, Any]:
    """The body of an answer."""
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}
