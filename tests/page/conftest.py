"""A few real bundles for all tests of the page, a browser for each file, a service and a tab for each test."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from browser import Browser, chromium, found
from bundles import bike, churn, contracts, make
from person import Open, Opened
from standin import StandIn, standing

from noria.bundle import Bundle
from noria.schema import InputSchema

CASES = {"churn": churn, "bike": bike, "contracts": contracts}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for longer: tests of another place may want the event loop that Playwright occupies."""
    if found() is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt-get install chromium)")
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Bundle]:
    """A bundle of a use case and a kind, trained once."""
    made: dict[tuple[str, str], Bundle] = {}

    def get(case: str, kind: str) -> Bundle:
        if (case, kind) not in made:
            made[case, kind] = make(CASES[case](), kind, tmp_path_factory.mktemp(f"{case}_{kind}") / "bundle")
        return made[case, kind]

    return get


@pytest.fixture
def open_page(browser: Browser, bundle_of: Callable[[str, str], Bundle]) -> Iterator[Open]:
    """Opens the page of a stand-in. What the browser complains of, or asks of another host, fails the test."""
    with ExitStack() as stack:
        opened: list[Opened] = []

        def get(
            case: str = "churn", kind: str = "xgboost", *, ready: bool = True, scripts: bool = True, **settings: Any
        ) -> Opened:
            standin = stack.enter_context(
                standing(StandIn(bundle_of(case, kind), **{"examples": _rows(case)} | settings))
            )
            tab = stack.enter_context(browser.tab(scripts=scripts))
            tab.screen(1280, 900)
            tab.open(standin.url)
            if ready:
                tab.wait("!document.getElementById('work').hidden")
            opened.append((tab, standin))
            return tab, standin

        yield get
        for tab, standin in opened:
            tab.run("1")
            assert [one for one in tab.complaints if not _refusal(one)] == []
            assert {url for url in tab.requests if not url.startswith(standin.url)} == set()


def _rows(case: str) -> list[dict[str, Any]]:
    """The first training rows, as JSON carries them."""
    train = CASES[case]().train
    inputs = [column for column in train.columns if column in InputSchema.fit(train, CASES[case]().use_case).names]
    found: list[dict[str, Any]] = json.loads(train[inputs].head(5).to_json(orient="records", date_format="iso"))
    return found


def _refusal(complaint: str) -> bool:
    """Chromium notes every answer of 400 and above, and a lost connection, as an error."""
    return complaint.startswith("Failed to load resource:")
