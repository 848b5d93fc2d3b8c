"""What is carried on from one machine to many keeps to its own assumptions."""

import pytest

from benchmarks.scaled.projection import EFFICIENCY, PLANS, Stage, projected, table

MEASURED = Stage(rows=10**7, seconds=100.0, cores=2)


def test_twice_the_rows_on_twice_the_cores_take_the_same_time() -> None:
    once = projected(MEASURED, 10**8, 64)
    assert projected(MEASURED, 2 * 10**8, 128) == pytest.approx(once)
    assert once == pytest.approx(100.0 * 2 * 10 / (64 * EFFICIENCY))


def test_adding_up_histograms_costs_more_with_more_rounds_and_workers() -> None:
    alone = projected(MEASURED, 10**8, 64)
    few, many = (projected(MEASURED, 10**8, 64, rounds=rounds) - alone for rounds in (100, 200))
    assert 0 < few < many == pytest.approx(2 * few)
    small, large = (
        projected(MEASURED, 10**8, cores, rounds=100) - projected(MEASURED, 10**8, cores) for cores in (64, 4096)
    )
    assert small < large


def test_the_table_has_a_line_for_each_plan_and_only_training_pays_for_the_network() -> None:
    lines = list(table({"prepare": MEASURED, "train": MEASURED}, 400.0, rounds=10_000))
    assert len(lines) == 2 + len(PLANS)
    for line, (rows, _) in zip(lines[2:], PLANS, strict=True):
        cells = [float(cell.strip().replace(",", "")) for cell in line.strip("|").split("|")]
        assert cells[0] == rows
        assert cells[2] < cells[3]
        assert cells[4] == pytest.approx(400.0 * rows / 1e9, abs=0.5)
