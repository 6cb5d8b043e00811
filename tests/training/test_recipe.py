"""Recipes: what is taken, what is refused and where, and what is left out meaning the defaults."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingsou.core.errors import ConfigurationError
from lingsou.training.recipe import DataSpec, Recipe, TaskSpec, read_recipe, recipe_toml, shipped_recipes

LEAST = """
name = "demo"
[tasks.match]
kind = "matching"
data = { format = "pairs", path = "pairs.csv" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_recipe_has_a_value_for_everything(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, LEAST))
    assert (recipe.name, recipe.base, recipe.method.name) == ("demo", "e5-small", "lora")
    task = recipe.tasks["match"]
    assert task.data == DataSpec(format="pairs", path="pairs.csv")
    assert (task.data.validation, task.data.test, task.data.limit) == (0.1, 0.1, None)
    assert (recipe.train.epochs, recipe.train.learning_rate, recipe.train.augment) == (1.0, None, {})
    assert (recipe.export.precision, recipe.gate.margin) == ("int8", 0.0)


def test_every_part_can_be_said(tmp_path: Path) -> None:
    more = """
name = "shop-all-heads"
base = "hf:org/name"
about = "all heads"
[tasks.entities]
kind = "tags"
crf = true
weight = 0.5
[tasks.entities.data]
format = "tags"
path = "train.txt"
test_path = "test.txt"
limit = 500
[tasks.category]
kind = "classes"
max_tokens = 32
[tasks.category.data]
format = "labels"
path = "c.csv"
columns = { text = "name", label = "main_category" }
[method]
name = "adapter"
bottleneck = 16
[train]
epochs = 2
augment = { keyboard = 0.1, swap = 0.05 }
mixing = "uncertainty"
[export]
precision = "fp32"
[gate]
metric = "macro-f1"
"""
    recipe = read_recipe(written(tmp_path, more))
    assert list(recipe.tasks) == ["entities", "category"]
    assert recipe.tasks["entities"].crf
    assert recipe.tasks["category"].data.columns == {"text": "name", "label": "main_category"}
    assert recipe.train.augment == {"keyboard": 0.1, "swap": 0.05}
    assert (recipe.method.bottleneck, recipe.export.precision, recipe.gate.metric) == (16, "fp32", "macro-f1")
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_a_recipe_saved_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert read_recipe(written(tmp_path, "\ufeff" + LEAST.lstrip())).name == "demo"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (LEAST.replace('"demo"', '"Demo recipe"'), "name"),
        (LEAST.replace('"matching"', '"guessing"'), "tasks.match.kind"),
        (LEAST.replace('"pairs"', '"xls"'), "tasks.match.data.format"),
        (LEAST + "wieght = 2\n", "tasks.match.wieght"),
        (LEAST + "weight = 0\n", "tasks.match.weight"),
        (LEAST + "max_tokens = 4096\n", "tasks.match.max_tokens"),
        (LEAST + "[train]\naugment = { swap = 1.0 }\n", "train.augment.swap"),
        (LEAST + "[train]\nepochs = 0\n", "train.epochs"),
        (LEAST + "[method]\nname = 'magic'\n", "method.name"),
        ('name = "demo"\ntasks = {}\n', "tasks"),
        ('name = "demo"\n', "tasks"),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, text: str, field: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(written(tmp_path, text))
    assert caught.value.field == field
    assert caught.value.cure


def test_a_cross_encoder_is_trained_alone(tmp_path: Path) -> None:
    other = '[tasks.order]\nkind = "relevance"\ndata = { format = "pairs", path = "p.csv" }\n'
    assert read_recipe(written(tmp_path, 'name = "x"\n' + other)).tasks["order"].kind == "relevance"
    with pytest.raises(ConfigurationError, match="'order' reads two texts at once"):
        read_recipe(written(tmp_path, LEAST + other))


def test_a_role_fits_the_kind_of_its_task(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    text = 'name = "r"\n[tasks.spans]\nkind = "tags"\nrole = "{}"\ndata = {{ format = "tags", path = "t" }}\n'
    path.write_text(text.format("entities"), encoding="utf-8")
    assert read_recipe(path).tasks["spans"].role == "entities"
    path.write_text(text.format("intent"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="the task 'spans' of kind 'tags' cannot have the role 'intent'"):
        read_recipe(path)


def test_what_is_no_recipe_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_recipe(tmp_path / "gone.toml")
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        read_recipe(written(tmp_path, "name = \n"))
    (tmp_path / "recipe.toml").write_bytes("name = '台灯'".encode("gb18030"))
    with pytest.raises(ConfigurationError, match="not valid TOML"):
        read_recipe(tmp_path / "recipe.toml")


def test_a_recipe_is_written_as_it_is_read(tmp_path: Path) -> None:
    for path in shipped_recipes():
        recipe = read_recipe(path)
        assert read_recipe(written(tmp_path, recipe_toml(recipe))) == recipe
    values = {
        "name": "all",
        "about": 'says "so"\\ \n中文 \x7f',
        "tasks": {
            "a b.c": {
                "kind": "labels",
                "data": {
                    "format": "labels",
                    "path": "x.csv",
                    "columns": {"text": 'a "name"', "label": "类 别"},
                    "train_paths": ["y.csv", "z.csv"],
                    "limit": 7,
                },
            }
        },
        "method": {"targets": ["query"], "word_table": True},
        "train": {"learning_rate": 1e-05, "augment": {"case-width": 0.25}},
    }
    recipe = Recipe.model_validate(values)
    assert read_recipe(written(tmp_path, recipe_toml(recipe))) == recipe


@given(
    st.text(st.characters(codec="utf-8")),
    st.dictionaries(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))),
)
def test_any_text_is_written_as_it_is_read(about: str, columns: dict[str, str]) -> None:
    data = DataSpec(format="labels", path=about, columns=columns)
    recipe = Recipe(name="demo", about=about, tasks={about or "x": TaskSpec(kind="classes", data=data)})
    assert Recipe.model_validate(tomllib.loads(recipe_toml(recipe))) == recipe
