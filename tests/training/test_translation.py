"""Texts there and back through a local service that speaks the protocol of language models."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lingsou.core.errors import ConfigurationError, StorageError
from lingsou.core.settings import LlmSettings
from lingsou.pipeline.chat import Chat
from lingsou.training.translation import BackTranslation
from tests.chat_service import ChatService, chat_service, said

WORDS = {"红色连衣裙": "red dress", "red dress": "红裙子", "gas mower": "汽油割草机", "汽油割草机": "petrol lawn mower"}


@pytest.fixture
def service() -> Iterator[ChatService]:
    with chat_service() as server:
        server.say(lambda instruction, text: WORDS[text])
        yield server


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_chinese_goes_through_english_and_all_else_through_chinese(service: ChatService, tmp_path: Path) -> None:
    translate = BackTranslation(Chat(service.settings), tmp_path / "new" / "kept.jsonl")
    assert translate(["红色连衣裙", "gas mower"]) == ["红裙子", "petrol lawn mower"]
    into = {body["messages"][1]["content"]: body["messages"][0]["content"] for _, _, body in service.asked}
    assert ["English" in into[text] for text in ("红色连衣裙", "red dress", "gas mower", "汽油割草机")] == [
        True,
        False,
        False,
        True,
    ]


def test_nothing_is_asked_twice_not_even_after_a_kill(service: ChatService, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    assert BackTranslation(Chat(service.settings), kept)(["gas mower"] * 2) == ["petrol lawn mower"] * 2
    assert len(service.asked) == 2
    with kept.open("ab") as file:
        file.write(b'{"model": "small", "text": "half')
    again = BackTranslation(Chat(service.settings), kept)
    assert again(["gas mower", "红色连衣裙"]) == ["petrol lawn mower", "红裙子"]
    assert len(service.asked) == 4
    assert [each["text"] for each in lines(kept)] == ["gas mower", "红色连衣裙"]
    other = service.settings.model_copy(update={"model": "large"})
    assert BackTranslation(Chat(other), kept)(["gas mower"]) == ["petrol lawn mower"]
    assert len(service.asked) == 6, "another model says it in other words"


def test_personal_data_stays_here(service: ChatService, tmp_path: Path) -> None:
    text = "寄到 13812345678"
    assert BackTranslation(Chat(service.settings), tmp_path / "kept.jsonl")([text]) == [text]
    assert service.asked == []


@pytest.mark.parametrize("answer", ["", "Sure! " + "Here is what I think of it. " * 10])
def test_an_answer_that_is_no_translation_leaves_the_text(answer: str, service: ChatService, tmp_path: Path) -> None:
    service.say(lambda instruction, text: answer)
    for _ in range(2):
        assert BackTranslation(Chat(service.settings), tmp_path / "kept.jsonl")(["gas mower"]) == ["gas mower"]
    assert len(service.asked) == 1


def test_a_way_back_that_says_nothing_is_not_asked_again(service: ChatService, tmp_path: Path) -> None:
    service.say(lambda instruction, text: "汽油割草机" if text == "gas mower" else "")
    for _ in range(2):
        assert BackTranslation(Chat(service.settings), tmp_path / "kept.jsonl")(["gas mower"]) == ["gas mower"]
    assert len(service.asked) == 2


def test_a_failure_now_and_then_leaves_the_text(service: ChatService, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    service.answer = lambda body: {} if body["messages"][1]["content"] == "broken" else said("lamp")
    assert BackTranslation(Chat(service.settings), kept)(["lamps", "broken", "light"]) == ["lamp", "broken", "lamp"]
    assert {each["text"]: each["said"] for each in lines(kept)}["broken"] == "broken"


def test_a_model_that_is_not_there_is_said_at_once(service: ChatService, tmp_path: Path) -> None:
    service.status = 500
    service.say(lambda instruction, text: text)
    with pytest.raises(ConfigurationError, match="failed for 32 of 32 texts") as caught:
        BackTranslation(Chat(service.settings), tmp_path / "kept.jsonl")([f"lamp {number}" for number in range(100)])
    assert "llm.url" in str(caught.value.cure)
    assert (tmp_path / "kept.jsonl").read_bytes() == b"", "the next attempt asks again"
    with pytest.raises(httpx.HTTPStatusError):
        Chat(service.settings).ask("Translate.", "lamp")


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"model": "small"}', b""])
def test_a_damaged_file_is_named_with_the_line(line: bytes, service: ChatService, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    kept.write_bytes(b'{"model": "small", "text": "a", "said": "b"}\n' + line + b"\n")
    with pytest.raises(StorageError, match="Line 2 of"):
        BackTranslation(Chat(service.settings), kept)(["gas mower"])


def test_a_place_that_cannot_be_written(service: ChatService, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be kept"):
        BackTranslation(Chat(service.settings), tmp_path / "file" / "kept.jsonl")(["gas mower"])


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigurationError, match="is no address") as caught:
        Chat(LlmSettings(url="http://host:port/v1", model="small"))
    assert caught.value.field == "llm.url"
