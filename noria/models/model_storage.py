"""A fitted model as files that run no code when they are read: skops, UBJSON and JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noria.models.candidates import Params
from noria.models.estimators import single_threaded, trees_of
from noria.models.fitted_model import FittedModel
from noria.models.rule_model import RuleModel
from noria.schema import InputSchema
from noria.system.errors import NoriaError

PREPARATION, MODEL, BOOSTER, RULES = "preparation.skops", "model.skops", "model.ubj", "rules.json"
TRUSTED = (
    "noria.models.preparation.Preparation",
    "sklearn.tree._tree.Tree",
)
"""The only types besides skops's own list that may be built when a model is read."""


def dump_model(fitted: FittedModel) -> dict[str, bytes]:
    """File name → content: rules.json, or model.skops, or preparation.skops and model.ubj."""
    if fitted.rules is not None:
        return {RULES: fitted.rules.model_dump_json(indent=2).encode()}
    if fitted.booster is not None:
        return {PREPARATION: _to_skops(fitted.pipeline), BOOSTER: bytes(fitted.booster.save_raw("ubj"))}
    return {MODEL: _to_skops(fitted.pipeline)}


def load_model(
    files: Mapping[str, bytes],
    *,
    kind: str,
    params: Params,
    schema: InputSchema,
    task: str,
    classes: Sequence[str],
) -> FittedModel:
    """The model that `dump_model` wrote; its scores are bit for bit the same.

    Raises:
        NoriaError: a file is missing, cannot be read, or holds a type that is not trusted.
    """
    names = {"rules": [RULES], "xgboost": [PREPARATION, BOOSTER]}.get(kind, [MODEL])
    absent = [name for name in names if name not in files]
    if absent:
        raise NoriaError(
            f"the model's file {absent[0]} is missing",
            code="models.file_missing",
            fix="fetch the bundle again or train again",
        )
    common: dict[str, Any] = {"kind": kind, "params": params, "schema": schema, "task": task, "classes": list(classes)}
    try:
        if kind == "rules":
            return FittedModel(**common, rules=_rules(files[RULES]))
        pipeline = _from_skops(files[names[0]])
        return FittedModel(**common, pipeline=pipeline, booster=_booster(files[BOOSTER]) if kind == "xgboost" else None)
    except NoriaError:
        raise
    except Exception as error:
        raise NoriaError(
            f"the model's files cannot be read: {error}",
            code="models.file_unreadable",
            fix="fetch the bundle again or train again",
        ) from error


def _to_skops(pipeline: Any) -> bytes:
    import zipfile

    import skops.io

    return bytes(skops.io.dumps(pipeline, compression=zipfile.ZIP_DEFLATED))


def _from_skops(content: bytes) -> Any:
    import skops.io

    strange = sorted(set(skops.io.get_untrusted_types(data=content)) - set(TRUSTED))
    if strange:
        raise NoriaError(
            f"the model's file holds types that are not trusted: {', '.join(strange)}",
            code="models.type_untrusted",
            fix="use a bundle that Noria wrote",
        )
    pipeline = skops.io.loads(content, trusted=list(TRUSTED))
    for tree in trees_of(pipeline[-1]):
        _check_tree(tree)
    return pipeline


def _check_tree(tree: Any) -> None:
    """scikit-learn walks a tree without looking where it steps, so a forged one could read foreign memory."""
    nodes = np.arange(tree.node_count)
    left, right = tree.children_left, tree.children_right
    inner = left != -1
    sound = (
        (left[inner] > nodes[inner]).all()
        and (right[inner] > nodes[inner]).all()
        and max(left.max(initial=-1), right.max(initial=-1)) < tree.node_count
        and ((tree.feature[inner] >= 0) & (tree.feature[inner] < tree.n_features)).all()
    )
    if not sound:
        raise NoriaError(
            "the model's file holds a broken tree",
            code="models.tree_broken",
            fix="fetch the bundle again or train again",
        )


def _rules(content: bytes) -> RuleModel:
    rules = RuleModel.model_validate_json(content)
    # conditions that are refused are refused now, not at the first prediction
    assert len(rules.predicates) == len(rules.answers) - 1  # noqa: S101 - the last answer has none
    return rules


def _booster(content: bytes) -> Any:
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return single_threaded(booster)
