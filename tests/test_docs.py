"""The documentation holds: names have their line, links lead somewhere, examples and marked commands run."""

import importlib
import json
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi import FastAPI
from pydantic import BaseModel

from lingsou.cli.app import app as cli_app
from lingsou.core import plugins
from lingsou.core.plan import Constraint, Entity, QueryPlan
from lingsou.core.settings import SearchSettings, Settings
from lingsou.core.types import ProductPatch, SearchRequest, SearchResponse
from lingsou.pipeline.encoding import QueryEncoder
from lingsou.pipeline.search import SearchPipeline
from lingsou.pipeline.understanding import Understanding
from lingsou.retrieval.engines.embedded import EmbeddedEngine
from lingsou.retrieval.filters import parse_filter_arguments
from lingsou.serving import routes
from lingsou.serving.telemetry import Telemetry
from lingsou.testing.catalogue import as_changes, tiny_catalogue
from lingsou.text.segment import Segmenter

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("README*.md")),
    *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
_FENCE = re.compile(r"(?:<!-- (?P<mark>[^>]+) -->\n)?```(?P<language>\w*)\n(?P<body>.*?)```", re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FILTER_ROW = re.compile(r"^\| `(\{.+\})` \| (–|`.+`) \| ([\w -]+) \|$", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[tuple[str, str]]:
    """(mark, body) of every fenced block in that language."""
    return [(found["mark"] or "", found["body"]) for found in _FENCE.finditer(text) if found["language"] == language]


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))


def section(text: str, heading: str) -> str:
    """From a second-level heading to the next one."""
    assert f"\n## {heading}\n" in text, f"no section '{heading}'"
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def anchors(text: str) -> set[str]:
    """As GitHub makes them from headings."""
    titles = (title.lower() for title in _HEADING.findall(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def settings_of(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, default) of every setting."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner, f"{path}{name}.")
        else:
            yield path + name, field.default


def verbs() -> dict[str, Any]:
    command: Any = typer.main.get_command(cli_app)
    return dict(command.commands)


def long_options(verb: Any) -> set[str]:
    if hasattr(verb, "commands"):
        return set().union(*(long_options(each) for each in verb.commands.values()))
    return {name for each in verb.params for name in (*each.opts, *each.secondary_opts) if name.startswith("--")}


# Every name has its line.


@pytest.mark.parametrize(("name", "default"), list(settings_of(Settings)), ids=str)
def test_every_setting_is_documented(name: str, default: Any) -> None:
    shown = "none" if default is None else f"`{default}`"
    variable = "LINGSOU_" + name.upper().replace(".", "__")
    assert f"| `{name}` | {shown} | `{variable}` |" in text_of("docs/configuration.md")


def test_no_documented_setting_is_gone() -> None:
    documented = set(re.findall(r"`LINGSOU_([A-Z0-9_]+)`", text_of("docs/configuration.md"))) - {
        "",
        "DATA_DIR",
        "MODELS_DIR",
    }
    assert documented == {name.upper().replace(".", "__") for name, _ in settings_of(Settings)}


def test_the_configuration_example_is_valid() -> None:
    ((_, example),) = blocks(text_of("docs/configuration.md"), "toml")
    settings = Settings(**tomllib.loads(example))
    assert (settings.server.workers, settings.search.weights.description) == (4, 1)


def test_every_route_is_documented() -> None:
    app = FastAPI()
    for found in pkgutil.iter_modules(routes.__path__):
        app.include_router(importlib.import_module(f"{routes.__name__}.{found.name}").router)
    existing = {f"{method.upper()} {path}" for path, methods in app.openapi()["paths"].items() for method in methods}
    documented = re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[\w/{}]*)`", text_of("docs/http.md"))
    assert set(documented) == existing
    assert {path.partition(" ")[2] for path in existing} <= set(re.findall(r"`(/[\w/{}]+)`", text_of("docs/design.md")))


@pytest.mark.parametrize("name", list(verbs()))
def test_every_verb_and_its_options_are_documented(name: str) -> None:
    described = section(text_of("docs/cli.md"), f"`lingsou {name}`")
    table = "\n".join(line for line in described.splitlines() if line.startswith("| `--"))
    assert set(re.findall(r"`(--[a-z-]+)", table)) == long_options(verbs()[name])
    assert blocks(described, "sh"), "an example"
    for subverb in getattr(verbs()[name], "commands", {}):
        assert f"`lingsou {name} {subverb}" in described


def test_no_documented_verb_is_gone() -> None:
    assert set(re.findall(r"^## `lingsou ([a-z]+)`$", text_of("docs/cli.md"), re.MULTILINE)) == set(verbs())


@pytest.mark.parametrize(
    ("kind", "page"), [("check", "docs/quality.md"), ("feed", "docs/feeds.md"), ("feature", "docs/ranking.md")]
)
def test_every_registered_name_is_documented(kind: str, page: str) -> None:
    for name in plugins.names(kind):
        assert f"\n| `{name}` |" in text_of(page), f"{kind} {name} has no row in {page}"


def test_every_metric_is_documented() -> None:
    exposed = re.findall(r"^# TYPE (\w+) ", Telemetry().exposition().decode(), re.MULTILINE)
    documented = set(re.findall(r"^\| `(lingsou_\w+)` \|", text_of("docs/operations.md"), re.MULTILINE))
    assert documented == {name for name in exposed if not name.endswith("_created")}


def test_every_package_has_its_layer() -> None:
    layers = section(text_of("docs/design.md"), "Packages and layers")
    rows = [line for line in layers.splitlines() if line.startswith("| ")]
    for package in sorted(path.parent.name for path in (ROOT / "src" / "lingsou").glob("*/__init__.py")):
        (row,) = (line for line in rows if f"`{package}`" in line.split("|")[2])
        assert row.split("|")[4].strip(), f"{package} exists; docs/design.md does not say so"


@pytest.mark.parametrize(
    "model",
    [SearchRequest, SearchResponse, QueryPlan, Entity, Constraint, ProductPatch],
    ids=lambda model: model.__name__,
)
def test_every_field_of_the_messages_is_documented(model: type[BaseModel]) -> None:
    page = text_of("docs/http.md")
    for field in model.model_fields:
        assert f"`{field}" in page, f"{model.__name__}.{field}"


# Links and commands.


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shown_commands_exist(page: Path) -> None:
    known = verbs()
    for _, body in blocks(page.read_text(encoding="utf-8"), "sh"):
        for line in body.replace("\\\n", " ").splitlines():
            for command in re.split(r"&&|\|", line) if "'" not in line else [line]:
                words = shlex.split(command, comments=True)
                if words[:1] != ["lingsou"]:
                    continue
                assert words[1] in known, line
                if hasattr(known[words[1]], "commands"):
                    assert words[2] in known[words[1]].commands, line
                options = {word.partition("=")[0] for word in words if word.startswith("--")}
                assert options <= long_options(known[words[1]]), line


def test_both_readmes_show_the_same() -> None:
    english, chinese = text_of("README.md"), text_of("README.zh.md")

    def commands(text: str) -> list[str]:
        lines = (line for _, body in blocks(text, "sh") for line in body.splitlines())
        return [line.partition(" # ")[0].strip() for line in lines]

    assert commands(english) == commands(chinese)
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("\n| ") == chinese.count("\n| ")
    assert english.count("\n- ") == chinese.count("\n- ")
    targets = {link for link in _LINK.findall(english) if link != "README.zh.md"}
    assert targets == {link for link in _LINK.findall(chinese) if link != "README.md"}


# The examples of docs/http.md.


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> SearchPipeline:
    """The catalogue that docs/http.md uses, in an engine of its own, and no encoder."""
    segmenter, settings = Segmenter(), SearchSettings()
    engine = EmbeddedEngine(tmp_path_factory.mktemp("index"), "docs", segmenter, settings)
    engine.apply(as_changes(tiny_catalogue()))
    products = {product.id: product for product in tiny_catalogue()}

    class Products:
        def get(self, ids: Any) -> dict[str, Any]:
            return {each: products[each] for each in ids}

    understanding = Understanding(engine, segmenter, "CNY")
    understanding.refresh()
    return SearchPipeline(Products(), engine, segmenter, QueryEncoder(None, budget_ms=100, cache=10), understanding)


@pytest.mark.parametrize("name", ["docs/http.md", "docs/feeds.md", "docs/operations.md", "docs/quickstart.md"])
def test_json_blocks_are_json(name: str) -> None:
    for _, body in blocks(text_of(name), "json"):
        json.loads(body)


def test_request_bodies_are_answered_as_shown(pipeline: SearchPipeline) -> None:
    found = blocks(text_of("docs/http.md"), "json")
    requests = [place for place, (mark, _) in enumerate(found) if mark == "request"]
    assert len(requests) >= 4
    for place in requests:
        request = SearchRequest.model_validate_json(found[place][1])
        answer = pipeline.search(request).model_dump(mode="json", exclude_none=True)
        mark, shown = found[place + 1] if place + 1 < len(found) else ("request", "")
        expected = {} if mark else json.loads(shown)
        assert answer["total"] == expected.get("total", answer["total"])
        assert answer["facets"] == expected.get("facets", answer["facets"])
        for hit, documented in zip(answer["hits"], expected.get("hits", answer["hits"]), strict=True):
            assert (hit["id"], hit["variants"]) == (documented["id"], documented["variants"])
            assert hit["highlights"] == documented["highlights"]
            assert hit["score"] == pytest.approx(documented["score"], rel=1e-4)
        assert answer["notices"] == expected.get("notices", answer["notices"])
        assert (
            answer["plan"].items() >= expected.get("plan", {}).items() if "plan" in answer else "plan" not in expected
        )
        if "stages" in expected:
            assert [each["stage"] for each in answer["stages"]] == [each["stage"] for each in expected["stages"]]
        if expected.get("name") == "position":
            assert_same_tree(answer["hits"][0]["explanation"], expected)


def assert_same_tree(node: dict[str, Any], documented: dict[str, Any]) -> None:
    assert (node["name"], node["detail"]) == (documented["name"], documented["detail"])
    assert node["value"] == pytest.approx(documented["value"], rel=1e-4)
    for child, shown in zip(node["children"], documented["children"], strict=True):
        assert_same_tree(child, shown)


def test_queries_are_understood_as_shown(pipeline: SearchPipeline) -> None:
    found = blocks(text_of("docs/http.md"), "json")
    ((place, query),) = [(place, body) for place, (mark, body) in enumerate(found) if mark == "understand"]
    plan = pipeline.search(SearchRequest.model_validate_json(query)).plan
    assert plan is not None
    assert plan.model_dump(mode="json") == json.loads(found[place + 1][1])


def test_filters_find_what_the_table_says(pipeline: SearchPipeline) -> None:
    rows = _FILTER_ROW.findall(section(text_of("docs/http.md"), "Filters"))
    assert len(rows) > 12

    def found(filters: dict[str, Any]) -> set[str]:
        request = SearchRequest(filters=filters, collapse=False, page_size=200)
        return {hit.id for hit in pipeline.search(request).hits}

    for shown, short, ids in rows:
        assert found(json.loads(shown)) == set(ids.split()), shown
        if short != "–":
            arguments = [each.replace("\\|", "|") for each in re.findall(r"`([^`]+)`", short)]
            assert found(parse_filter_arguments(arguments)) == set(ids.split()), short


# The quickstart, for real.


@pytest.mark.slow
def test_the_quickstart_runs(tmp_path: Path) -> None:
    shim = tmp_path / "bin" / "lingsou"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m lingsou.cli "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    script = "\n".join(body for mark, body in blocks(text_of("docs/quickstart.md"), "sh") if mark == "run")
    assert script.count("lingsou ") >= 8
    # Without compiled modules each start of the interpreter would take twice as long.
    unwanted = ("LINGSOU_", "PYTHONDONTWRITEBYTECODE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    environment |= {
        "LINGSOU_ENCODER__NAME": "",  # the page shows what words alone find, with or without an encoder here
        "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]),
        "COLUMNS": "120",
    }
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=work, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    shown = blocks(text_of("docs/quickstart.md"), "text")[0][1]
    assert re.sub(r"[\d.]+ ms", "", shown.splitlines()[0]) in re.sub(r"[\d.]+ ms", "", done.stdout)
    for line in shown.splitlines()[2:]:
        assert " ".join(line.split()) in " ".join(done.stdout.split()), line
    (rejects,) = (work / "shop" / "rejects").iterdir()
    rejected = json.loads(rejects.read_text(encoding="utf-8"))
    documented = json.loads(blocks(text_of("docs/quickstart.md"), "json")[0][1])
    assert rejected["data"].items() >= documented.pop("data").items()
    assert rejected.items() >= documented.items()
    # After the patch: the cheaper shoe alone is in stock.
    last = done.stdout[done.stdout.rindex("results in") :]
    assert "249.00 CNY" in last
    assert "Kestrel" not in last
