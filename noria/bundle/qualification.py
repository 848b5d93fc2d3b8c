"""Whether a bundle may still answer for a use case that has changed since the bundle was made."""

from typing import Any

from noria.bundle.bundle import Bundle
from noria.bundle.manifest import Manifest, positive_label, split_name
from noria.config import UseCase
from noria.config.modelling import RuleConfig, RulesConfig
from noria.config.rule_syntax import rule_columns
from noria.system.errors import NoriaError


def disqualification(bundle: Bundle, use_case: UseCase) -> str:
    """Why a bundle must not answer for the use case as it is today, with its version; empty: it may.

    It must not if it uses a column that no model may see now, if it was made for another target, task, positive class,
    split or worth, or if a feature of earlier cases is defined in another way: what it promises was then measured on
    another question.
    """
    manifest = bundle.manifest
    reasons = [*_other_question(manifest, use_case), *_forbidden_inputs(bundle, use_case)]
    reasons += _other_history(manifest, use_case)
    if manifest.split is not None and manifest.split != split_name(use_case):
        reasons.append(f"it was judged on a split by {manifest.split}, and the split is by {split_name(use_case)} now")
    changed = _changed(manifest.worth, use_case.problem.worth.model_dump(mode="json"))
    if manifest.task == use_case.problem.task and changed:
        reasons.append(f"it was chosen for another problem.worth ({changed})")
    return f"Version {manifest.version} is disqualified: {'; '.join(reasons)}." if reasons else ""


def require_qualified(bundle: Bundle, use_case: UseCase) -> None:
    """See that a bundle may answer for the use case.

    Raises:
        NoriaError: it may not.
    """
    why = disqualification(bundle, use_case)
    if why:
        raise NoriaError(
            why.rstrip("."),
            code="deployment.version_disqualified",
            where=f"version {bundle.manifest.version} of `{use_case.name}`",
            fix="train again with `python run.py train` and deploy what passes the gate; if the change of the use case "
            "was a mistake, undo it",
        )


def _other_question(manifest: Manifest, use_case: UseCase) -> list[str]:
    asked = {
        "data.target": (manifest.target, use_case.data.target),
        "problem.task": (manifest.task, use_case.problem.task),
        "problem.positive": (manifest.positive, positive_label(use_case)),
    }
    return [f"its {key} is {was}, and today's is {now}" for key, (was, now) in asked.items() if was != now]


def _other_history(manifest: Manifest, use_case: UseCase) -> list[str]:
    was, now = manifest.schema_.history, use_case.history_spec()
    if was is None:
        return []
    if now is None or was.model_copy(update={"features": []}) != now.model_copy(update={"features": []}):
        return ["its features of earlier cases are counted in another way now, or not at all"]
    changed = [feature.name for feature in was.features if feature not in now.features]
    return [f"`{name}` is not the same feature of earlier cases now" for name in changed]


def _forbidden_inputs(bundle: Bundle, use_case: UseCase) -> list[str]:
    places: dict[str, list[str | None]] = {
        "data.unavailable_at_prediction": [*use_case.data.unavailable_at_prediction],
        "features.exclude": [*use_case.features.exclude],
        "data.target": [use_case.data.target],
        "data.id": [use_case.data.id],
        "split.group": [use_case.split.group],
    }
    return [
        f"it uses `{name}`, which {place} names now"
        for name in _used_columns(bundle)
        for place in [next((key for key, names in places.items() if name in names), None)]
        if place is not None
    ]


def _used_columns(bundle: Bundle) -> list[str]:
    if bundle.manifest.kind != "rules":
        return bundle.manifest.schema_.names
    # rules know all columns and look at few
    rules = bundle.fitted.rules
    written = [answer for answer in rules.answers if answer.when is not None] if rules else []
    conditions = [RuleConfig(when=str(answer.when), then=answer.then) for answer in written]
    return list(rule_columns(RulesConfig(conditions=conditions, otherwise=0)))


def _changed(before: dict[str, Any] | None, now: dict[str, Any]) -> str:
    """What of two worths differs; empty: nothing, or the first is not known."""
    if before is None:
        return ""
    names = [*before, *(name for name in now if name not in before)]
    return ", ".join(
        f"{name} {before.get(name)} → {now.get(name)}" for name in names if before.get(name) != now.get(name)
    )
