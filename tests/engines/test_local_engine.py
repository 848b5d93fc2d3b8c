"""What every engine does, shown with the one of this machine."""

import doctest
from collections.abc import Iterator

from noria.config.engine import EngineConfig
from noria.engines import Handle, engine, engine_of

HERE = engine_of(EngineConfig())


def test_the_example_in_its_docstring_runs() -> None:
    assert doctest.testmod(engine).attempted > 0
    assert doctest.testmod(engine).failed == 0


def test_the_same_configuration_has_the_same_engine() -> None:
    assert engine_of(EngineConfig()) is HERE
    assert engine_of(EngineConfig(name="ray")) is engine_of(EngineConfig(name="ray"))
    assert engine_of(EngineConfig(name="ray", workers=3)) is not engine_of(EngineConfig(name="ray"))


def test_pieces_share_arguments_and_keep_their_order() -> None:
    assert HERE.map(lambda piece, times: piece * times, [(3,), (1,), (2,)], times=10) == [30, 10, 20]


def test_a_task_is_given_what_is_shared() -> None:
    assert HERE.result(HERE.submit(sum, HERE.share([1, 2, 3]))) == 6
    assert [HERE.result(part) for part in HERE.submit(divmod, 7, 2, outputs=2)] == [3, 1]


def test_a_stream_yields_what_comes_of_each_item_in_order() -> None:
    def letters(word: str) -> Iterator[str]:
        yield from word

    def repeated(letter: str, times: Handle) -> Iterator[str]:
        yield letter * times.get()

    found = HERE.stream(["ab", "c"], repeated, expand=letters, times=HERE.handle(2))
    assert list(found) == ["aa", "bb", "cc"]
