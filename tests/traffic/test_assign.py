"""Who answers which case."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.system.workspace import PROJECT
from noria.traffic.activation import PlannedVariant
from noria.traffic.assignment import Assigner

CASES = [f"customer {number}" for number in range(20_000)]


def variants(**shares: float) -> list[PlannedVariant]:
    return [
        PlannedVariant(name=name, bundle=Path(name), version=str(place), share=share)
        for place, (name, share) in enumerate(shares.items(), start=1)
    ]


def picked(**shares: float) -> list[str]:
    assigner, names = Assigner(variants(**shares)), list(shares)
    return [names[assigner.pick(case)] for case in CASES]


@pytest.mark.parametrize(
    "shares",
    [
        {"champion": 0.9, "challenger": 0.1},
        {"champion": 0.99, "challenger": 0.01},
        {"champion": 0.5, "challenger": 0.3, "rules": 0.2},
    ],
)
def test_shares_are_what_was_asked_for(shares: dict[str, float]) -> None:
    found = picked(**shares)
    for name, share in shares.items():
        # five standard errors: a right implementation fails once in two million
        allowed = 5 * (share * (1 - share) / len(CASES)) ** 0.5
        assert abs(found.count(name) / len(CASES) - share) < allowed


def test_a_growing_variant_keeps_all_its_cases() -> None:
    before, after = picked(champion=0.9, challenger=0.1), picked(champion=0.5, challenger=0.5)
    assert all(now == "challenger" for then, now in zip(before, after, strict=True) if then == "challenger")


def test_a_variant_that_leaves_hands_its_cases_on_and_nobody_else_moves() -> None:
    before, after = picked(champion=0.6, challenger=0.2, rules=0.2), picked(champion=0.75, challenger=0.25)
    assert all(now == then for then, now in zip(before, after, strict=True) if then != "rules")
    assert {now for then, now in zip(before, after, strict=True) if then == "rules"} == {"champion", "challenger"}


def test_a_new_challenger_of_the_same_name_tries_other_cases() -> None:
    old = variants(champion=0.9, challenger=0.1)
    new = [old[0], old[1].model_copy(update={"version": "99"})]
    both = sum(Assigner(old).pick(case) and Assigner(new).pick(case) for case in CASES)
    assert both / len(CASES) < 0.03


def test_another_process_assigns_the_same() -> None:
    script = (
        "from pathlib import Path; from noria.traffic.activation import PlannedVariant\n"
        "from noria.traffic.assignment import Assigner\n"
        "pair = [PlannedVariant(name='champion', bundle=Path('a'), version='1', share=0.7),"
        " PlannedVariant(name='challenger', bundle=Path('b'), version='2', share=0.3)]\n"
        "print(*(Assigner(pair).pick(f'customer {number}') for number in range(300)), sep='')"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    here = Assigner(variants(champion=0.7, challenger=0.3))
    assert done.stdout.strip() == "".join(str(here.pick(case)) for case in CASES[:300])


def test_shadows_and_empty_shares_answer_nobody() -> None:
    shadow = PlannedVariant(name="shadow", bundle=Path("s"), version="3", share=0, shadow=True)
    assigner = Assigner([*variants(champion=0, challenger=1.0), shadow])
    assert {assigner.pick(case) for case in CASES[:500]} == {1}
    assert assigner.shadows == [2]


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_any_text_is_a_case(case: str) -> None:
    assigner = Assigner(variants(champion=0.5, challenger=0.5))
    assert assigner.pick(case) == assigner.pick(case)
