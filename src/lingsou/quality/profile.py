"""What a shop makes of findings: which count, how grave they are, what holds a product back, what is repaired."""

import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

import lingsou
from lingsou.core import plugins
from lingsou.core.errors import ConfigurationError, NotFoundError
from lingsou.core.types import Frozen
from lingsou.quality import drift
from lingsou.quality.check import SEVERITIES, Check, Finding, Severity, Sink
from lingsou.quality.report import CheckReport, CheckResult, FailOn
from lingsou.quality.schema import SchemaRows

Share = Annotated[float, Field(ge=0, le=1)]
FAILING: Mapping[FailOn, tuple[Severity, ...]] = {
    "error": ("error",),
    "warning": ("error", "warning"),
    "never": (),
}
"""What makes `lingsou check` end with 1, by `fail_on`."""


class Treatment(Frozen):
    """What becomes of findings. What a level leaves out is taken from the one above: problem, check, profile."""

    on: bool | None = Field(None, description="false: as though it were never looked for; default true")
    severity: Severity | None = Field(None, description="in place of the check's own")
    quarantine: bool | None = Field(None, description="hold a product back for such a finding; default false")
    from_severity: Severity | None = Field(None, description="the least grave that holds back; default `error`")
    from_confidence: Share | None = Field(None, description="the least sure that holds back; default 0.8")
    fields: tuple[str, ...] | None = Field(
        None, description="only findings in these hold back; `attributes` means all of them; default: any field"
    )
    fail_on: FailOn | None = Field(None, description="what makes `lingsou check` end with 1; default `error`")
    repair_confidence: Share | None = Field(
        None, description="repairs at least so sure are applied by themselves; default: none is"
    )


class CheckTreatment(Treatment):
    """The same for a check, with exceptions."""

    problems: Mapping[str, Treatment] = Field({}, description="by `problem`, in the words of the report")


class Profile(Treatment):
    """The whole of it: what holds for all checks, and what differs by check."""

    name: str = Field(min_length=1)
    about: str = Field("", description="what it is for, in a sentence")
    words: Path | None = Field(
        None,
        description="the shop's own list for the check `words`, added to the starter list; from the profile's folder",
    )
    checks: Mapping[str, CheckTreatment] = Field({}, description="by the check's id")

    def treatment(self, check: str, problem: str) -> Treatment:
        """What holds for one problem of a check, all levels laid over each other."""
        own = self.checks.get(check, CheckTreatment())
        levels = (self, own, own.problems.get(problem, Treatment()))
        known = {
            name: value
            for level in levels
            for name in Treatment.model_fields
            if (value := getattr(level, name)) is not None
        }
        return Treatment(**known)

    def wants(self, check: str) -> bool:
        """Whether a check is run at all."""
        own = self.checks.get(check, CheckTreatment())
        whole = self.on if own.on is None else own.on
        return whole is not False or any(each.on for each in own.problems.values())

    def may_hold(self, check: str) -> bool:
        """Whether any finding of a check can hold a product back."""
        own = self.checks.get(check, CheckTreatment())
        whole = self.quarantine if own.quarantine is None else own.quarantine
        return self.wants(check) and bool(whole or any(each.quarantine for each in own.problems.values()))

    def makers(self, *, holding: bool = False) -> list[Callable[..., Check]]:
        """What makes an instance of each registered check that this profile wants, or that `may_hold`, by name."""
        own = {"words": {"own": self.words}} if self.words else {}
        wanted = filter(self.may_hold if holding else self.wants, plugins.names("check"))
        return [partial(plugins.resolve("check", name), **own.get(name, {})) for name in wanted]

    def checks_to_run(self, examples: int, sink: Sink | None = None) -> list[Check]:
        """A new instance of every registered check that this profile wants, by name.

        Raises:
            ConfigurationError: the shop's list of words cannot be read.
        """
        return [make(examples=examples, sink=sink) for make in self.makers()]

    def repairs(self, finding: Finding) -> bool:
        """Whether a finding's edit is sure enough to be applied without a person."""
        least = self.treatment(finding.check, finding.problem).repair_confidence
        return finding.edit is not None and least is not None and finding.confidence >= least

    def applied(self, report: CheckReport) -> CheckReport:
        """The report without what is off, and with the severities of this profile."""
        return report.model_copy(update={"checks": tuple(self._result(each) for each in report.checks)})

    def exit_code(self, report: CheckReport) -> int:
        """1 where an `applied` report has a problem that fails, each by its own `fail_on`; else 0."""
        return int(
            any(
                problem.severity in FAILING[self.treatment(result.id, problem.problem).fail_on or "error"]
                for result in report.checks
                for problem in result.problems
            )
        )

    def _result(self, result: CheckResult) -> CheckResult:
        how = {each.problem: self.treatment(result.id, each.problem) for each in result.problems}
        problems = [
            each.model_copy(update={"severity": how[each.problem].severity or each.severity})
            for each in result.problems
            if how[each.problem].on is not False
        ]
        problems.sort(key=lambda each: (SEVERITIES.index(each.severity), -each.count, each.field, each.problem))
        place = {(each.problem, each.field): number for number, each in enumerate(problems)}
        shown = [each for each in result.examples if how[each.problem].on is not False]
        counts: Counter[Severity] = Counter(dict.fromkeys(SEVERITIES, 0))
        for each in problems:
            counts[each.severity] += each.count
        shown.sort(key=lambda each: place.get((each.problem, each.field), len(place)))
        examples = [each.model_copy(update={"severity": how[each.problem].severity or each.severity}) for each in shown]
        update = {"problems": tuple(problems), "counts": dict(counts), "examples": tuple(examples)}
        return result.model_copy(update=update)


def shipped_profiles() -> list[Path]:
    """The files of the profiles that come along, by name: of the source tree, else of the installation."""
    tree = Path(lingsou.__file__).parents[2] / "configs" / "quality"
    folder = tree if tree.is_dir() else Path(sys.prefix) / "share" / "lingsou" / "quality"
    return sorted(folder.glob("*.toml"))


def load_profile(name: str, folder: Path | None = None) -> Profile:
    """The profile that `name` means: one that comes along, or the path of a TOML file.

    Args:
        name: `strict`, `default`, `lenient`, or a path.
        folder: where a relative path starts from; default: the working folder.

    Raises:
        NotFoundError: there is none.
        ConfigurationError: it cannot be read, names a check that there is not, or a key or value is wrong.
    """
    known = {path.stem: path for path in shipped_profiles()}
    path = known.get(name) or (folder or Path()) / name
    if not path.is_file():
        raise NotFoundError(
            f"There is no quality profile '{name}'.",
            field="quality.profile",
            cure=f"Name a TOML file, or one of: {', '.join(known)}.",
        )
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        profile = Profile.model_validate({"name": path.stem, **values})
        if profile.words:
            profile = profile.model_copy(update={"words": path.parent / profile.words})
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", cure="Check its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.", cure="Mend that line.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"{path}: {first['msg']}.", field=where or None, cure="docs/quality.md lists every key."
        ) from error
    checks = (SchemaRows.id, drift.CHECK, *plugins.names("check"), *plugins.names("audit"))
    for unknown in profile.checks.keys() - set(checks):
        raise ConfigurationError(
            f"{path}: there is no check '{unknown}'.",
            field=f"checks.{unknown}",
            cure=f"Use one of: {', '.join(checks)}.",
        )
    return profile
