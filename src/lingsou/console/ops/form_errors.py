"""What is wrong in a rule's form, said at its field with the cure, in both languages."""

from collections.abc import Mapping

from lingsou.console.ops.rule_form import Errors
from lingsou.console.texts import Texts
from lingsou.rules.schema import LISTED_ALONE, WORDLESS

_KINDS: Mapping[str, str] = {
    "missing": "wrong_missing",
    "string_too_short": "wrong_missing",
    "too_short": "wrong_missing",
    "string_too_long": "wrong_too_long",
    "too_long": "wrong_too_many",
    "float_parsing": "wrong_number",
    "int_parsing": "wrong_number",
    "int_from_float": "wrong_number",
    "json_invalid": "wrong_json",
    "dict_type": "wrong_json",
    "mapping_type": "wrong_json",
    "twice": "wrong_twice",
    "taken": "wrong_taken",
    "conflict": "wrong_conflict",
}
_FIELDS: Mapping[str, str] = {
    "id": "wrong_id",
    "url": "wrong_url",
    "image": "wrong_url",
    "starts": "wrong_date",
    "ends": "wrong_date",
    "from": "wrong_hours",
    "until": "wrong_hours",
    "timezone": "wrong_zone",
    "weight": "wrong_weight",
    "position": "wrong_position",
    "priority": "wrong_priority",
}
_SAID: Mapping[str, str] = {
    "holds no letter, digit or Chinese character": "wrong_no_word",
    "synonyms need two words, or `to`": "wrong_synonyms",
    "`hide` needs `ids` or `filter`": "wrong_hide",
    "it ends before it starts": "wrong_order",
    WORDLESS: "wrong_lists_queries",
    LISTED_ALONE: "wrong_lists_actions",
}


def problem_lines(errors: Errors, text: Texts) -> dict[str, str]:
    """Field → sentence. What only the service knows to say, such as about an unknown field, stays in its words."""
    return {field: _line(field, kind, said, text) for field, (kind, said) in errors.items()}


def _line(field: str, kind: str, said: str, text: Texts) -> str:
    if key := _SAID.get(said):
        return text(key)
    if key := {"actions": "wrong_actions", "locales": "wrong_locale"}.get(field):
        return text(key)
    if key := _KINDS.get(kind):
        return text(key)
    if key := _FIELDS.get(field.rpartition(".")[2]):
        return text(key)
    return text("wrong_said", said=said)
