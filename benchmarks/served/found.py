"""What a run of the benchmark finds."""

from noria.config.section import Section


class Scenario(Section):
    """How a server is asked."""

    clients: int
    rows: int
    """Rows in each request."""
    paced: bool = False
    """At half of what it answered with 1 row and 32 clients, instead of as fast as it answers; an empty endpoint at
    the pace that Noria had."""

    @property
    def title(self) -> str:
        """As the table has it."""
        clients = "1 client" if self.clients == 1 else f"{self.clients} clients"
        rows = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{rows}, half of saturation" if self.paced else f"{rows}, {clients}"


ONE_ALONE, MANY_ALONE = Scenario(clients=1, rows=1), Scenario(clients=1, rows=100)
ONE, MANY = Scenario(clients=32, rows=1), Scenario(clients=32, rows=100)
HALF = Scenario(clients=32, rows=1, paced=True)
SCENARIOS = (ONE_ALONE, ONE, MANY_ALONE, MANY, HALF)


class Load(Section):
    """One server under one load in one round."""

    server: str
    round: int
    scenario: Scenario
    requests_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    cpu_ms: float
    """Processor time of all its processes per request, until they rest again."""
    failed: int
    """Requests that were not answered with 200."""
    failure: str
    """What the first of them said."""
    settle_s: float
    """How long its processes went on working after the last answer."""
    generator_busy: float
    """Share of a core that the load generator took."""
    stolen: float = 0.0
    """Share of the machine's processors that the host gave to others meanwhile; 0 where the system does not tell."""

    @property
    def rows_per_s(self) -> float:
        """Rows answered per second."""
        return self.requests_per_s * self.scenario.rows


class Start(Section):
    """One start of a server."""

    server: str
    round: int
    cold_start_s: float | None
    """Seconds from its first process to its first answer; None: it did not start."""
    error: str = ""
    """Why it, or a load of it, could not be measured."""


class Kept(Section):
    """What Noria's prediction store held after a round."""

    round: int
    answered: int
    """Rows that were answered."""
    kept: int
    """Rows in the store."""
    after_s: float
    """Seconds after the last load until it held them."""


class Results(Section):
    """Everything that was measured, and where."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    seconds: float
    """How long each load lasted."""
    training_rows: int
    loads: list[Load]
    starts: list[Start]
    kept: list[Kept]
    in_process: list[dict[str, float]]
    """Per round: way of predicting in process → rows per second."""
