"""Where rules are kept: one draft, every published version, and the set that is in force in this process."""

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import orjson
from pydantic import Field
from sqlalchemy import Connection, func, insert, select, update

from lingsou.catalog.rule_tables import rule_draft, rule_versions
from lingsou.core.database import Database
from lingsou.core.errors import ConflictError, InputError, NotFoundError
from lingsou.core.types import Frozen, Instant
from lingsou.rules.match import RuleIndex
from lingsou.rules.schema import MAX_RULES, Rule, parse_rules
from lingsou.text.segment import Segmenter

_REREAD = "Read the rules again, and send the change with the number that you then see."


class RuleChange(Frozen):
    """How one rule of a set differs from the set before."""

    id: str
    change: Literal["added", "changed", "removed"]


class RuleSets(Frozen):
    """The rules in force, and those being worked on."""

    version: int = Field(description="of the published set; 0 before the first")
    published: tuple[Rule, ...]
    revision: int = Field(description="of the draft; each change of it adds one")
    draft: tuple[Rule, ...]
    changes: tuple[RuleChange, ...] = Field(description="what publishing the draft would change")
    author: str = Field(description="who changed the draft last; empty before the first change")


class PublishedVersion(Frozen):
    """One entry of the history."""

    version: int
    author: str
    published_at: Instant
    note: str
    restores: int | None = Field(None, description="the older version that an undo brought back; 0 is the empty set")
    rules: int = Field(description="how many it holds")
    changes: tuple[RuleChange, ...] = Field(description="against the version before")


class RuleStore:
    """Drafts, publishes and undoes. Each call is one transaction; whoever changes something locks the draft first."""

    def __init__(self, database: Database):
        self._database = database

    def sets(self) -> RuleSets:
        """Published and draft, as they are now."""
        with self._database.snapshot() as connection:
            return _sets(connection)

    def put(
        self, rules: Sequence[Rule], author: str, *, revision: int | None = None, replace: bool = False
    ) -> RuleSets:
        """Add rules to the draft, in place of those with their ids; with `replace`, of all of it.

        Raises:
            ConflictError: `revision` is given and not the draft's.
            InputError: the draft would grow too large.
        """
        with self._database.write() as connection:
            held = _locked(connection, revision)
            draft = {} if replace else {rule.id: rule for rule in held.draft}
            draft.update((rule.id, rule) for rule in rules)
            if len(draft) > MAX_RULES:
                raise InputError(f"{len(draft)} rules are more than {MAX_RULES}.", cure="Delete some that are over.")
            _write_draft(connection, draft.values(), held.revision + 1, author)
            return _sets(connection)

    def remove(self, ids: Sequence[str], author: str, *, revision: int | None = None) -> RuleSets:
        """Take rules out of the draft.

        Raises:
            NotFoundError: an id is not in the draft; none is removed.
            ConflictError: `revision` is given and not the draft's.
        """
        with self._database.write() as connection:
            held = _locked(connection, revision)
            draft = {rule.id: rule for rule in held.draft}
            missing = [id_ for id_ in ids if id_ not in draft]
            if missing:
                raise NotFoundError(
                    f"The draft has no rule '{missing[0]}'.", field="ids", cure="List the rules to see their ids."
                )
            kept = (rule for rule in held.draft if rule.id not in ids)
            _write_draft(connection, kept, held.revision + 1, author)
            return _sets(connection)

    def publish(self, author: str, *, note: str = "", revision: int | None = None) -> PublishedVersion:
        """Put the draft in force as a new version.

        Raises:
            ConflictError: it is in force already, or `revision` is given and not the draft's.
        """
        with self._database.write() as connection:
            held = _locked(connection, revision)
            if not held.changes:
                raise ConflictError(
                    "The draft is the same as what is published.", cure="Change the draft first: PUT /v1/rules."
                )
            _write_version(connection, held, held.draft, author, note, None)
            return _history(connection, 1)[0]

    def undo(self, author: str, *, to: int | None = None, version: int | None = None) -> PublishedVersion:
        """Put an older version in force again, as a new version. A draft without changes of its own follows.

        Args:
            author: who does it.
            to: which version; 0 is the empty set. Default: the one before that which is in force, so that undoing
                twice goes back two steps.
            version: the one that the caller believes to be in force.

        Raises:
            ConflictError: there is nothing to go back to, or another version than `version` is in force.
            NotFoundError: no version `to`.
        """
        with self._database.write() as connection:
            held = _locked(connection, None)
            if version is not None and version != held.version:
                raise ConflictError(f"Version {held.version} is in force, not {version}.", cure=_REREAD)
            target = _source(connection, held.version) - 1 if to is None else to
            if target < 0:
                raise ConflictError("There is nothing to undo.", cure="See the history of the rules.")
            if target > held.version:
                raise NotFoundError(f"There is no version {target}.", field="to", cure="See the history of the rules.")
            rules = _rules_of(connection, target)
            _write_version(connection, held, rules, author, "", target)
            if not held.changes:
                _write_draft(connection, rules, held.revision + 1, author)
            return _history(connection, 1)[0]

    def history(self, limit: int = 50) -> list[PublishedVersion]:
        """The latest versions, newest first."""
        with self._database.snapshot() as connection:
            return _history(connection, limit)

    def version(self) -> int:
        """Of the set in force; one look at a primary key."""
        with self._database.read() as connection:
            return _version(connection)

    def in_force(self) -> tuple[int, tuple[Rule, ...]]:
        """The published version and its rules."""
        with self._database.snapshot() as connection:
            version = _version(connection)
            return version, _rules_of(connection, version)


class RuleBook:
    """The published rules as this process applies them; `refresh` takes up what was published since."""

    def __init__(self, store: RuleStore, segmenter: Segmenter):
        self.store = store
        self._segmenter = segmenter
        self._version = 0
        self._changing = threading.Lock()
        self.index = RuleIndex((), segmenter)
        self.refresh()

    def refresh(self) -> bool:
        """Whether another version was in force."""
        with self._changing:
            if self.store.version() == self._version:
                return False
            version, rules = self.store.in_force()
            self.index, self._version = RuleIndex(rules, self._segmenter), version
            return True

    def index_of(self, rules: Iterable[Rule]) -> RuleIndex:
        """Other rules, ready to be matched: for a preview."""
        return RuleIndex(rules, self._segmenter)


def changes_between(before: Iterable[Rule], after: Iterable[Rule]) -> tuple[RuleChange, ...]:
    """What became of each rule, by id; those that stay as they are do not appear."""
    old, new = ({rule.id: rule for rule in rules} for rules in (before, after))
    return tuple(
        RuleChange(id=id_, change="added" if id_ not in old else "changed" if id_ in new else "removed")
        for id_ in sorted(old.keys() | new.keys())
        if old.get(id_) != new.get(id_)
    )


def rules_as_json(rules: Iterable[Rule]) -> bytes:
    """A JSON list in order of the ids; what is as by default is left out."""
    ordered = sorted(rules, key=lambda rule: rule.id)
    return orjson.dumps([rule.model_dump(mode="json", exclude_defaults=True) for rule in ordered])


def _sets(connection: Connection) -> RuleSets:
    row = connection.execute(select(rule_draft)).one()
    version = _version(connection)
    published, draft = _rules_of(connection, version), parse_rules(orjson.loads(row.document))
    return RuleSets(
        version=version,
        published=published,
        revision=row.revision,
        draft=draft,
        changes=changes_between(published, draft),
        author=row.author,
    )


def _locked(connection: Connection, revision: int | None) -> RuleSets:
    row = connection.execute(select(rule_draft).with_for_update()).one()
    if revision is not None and revision != row.revision:
        raise ConflictError(
            f"The draft is at revision {row.revision}, not {revision}: '{row.author}' changed it at {row.changed_at}.",
            cure=_REREAD,
        )
    return _sets(connection)


def _write_draft(connection: Connection, rules: Iterable[Rule], revision: int, author: str) -> None:
    document = rules_as_json(rules).decode()
    values = {"revision": revision, "author": author, "changed_at": _now(), "document": document}
    connection.execute(update(rule_draft).values(values))


def _write_version(
    connection: Connection, held: RuleSets, rules: Iterable[Rule], author: str, note: str, restores: int | None
) -> None:
    row = {
        "version": held.version + 1,
        "author": author,
        "published_at": _now(),
        "note": note,
        "restores": restores,
        "document": rules_as_json(rules).decode(),
    }
    connection.execute(insert(rule_versions).values(row))


def _version(connection: Connection) -> int:
    return connection.execute(select(func.max(rule_versions.c.version))).scalar() or 0


def _rules_of(connection: Connection, version: int) -> tuple[Rule, ...]:
    wanted = select(rule_versions.c.document).where(rule_versions.c.version == version)
    return parse_rules(orjson.loads(connection.execute(wanted).scalar() or "[]"))


def _source(connection: Connection, version: int) -> int:
    """The version whose rules are in force under this number."""
    wanted = select(rule_versions.c.restores).where(rule_versions.c.version == version)
    restores = connection.execute(wanted).scalar()
    return version if restores is None else int(restores)


def _history(connection: Connection, limit: int) -> list[PublishedVersion]:
    rows = connection.execute(select(rule_versions).order_by(rule_versions.c.version.desc()).limit(limit + 1)).all()
    sets = [parse_rules(orjson.loads(row.document)) for row in rows] + [()]
    return [
        PublishedVersion(
            version=row.version,
            author=row.author,
            published_at=row.published_at,
            note=row.note,
            restores=row.restores,
            rules=len(sets[place]),
            changes=changes_between(sets[place + 1], sets[place]),
        )
        for place, row in enumerate(rows[:limit])
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
