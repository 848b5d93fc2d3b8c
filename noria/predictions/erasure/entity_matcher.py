"""By what rows and files of a case are recognized."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from noria.predictions.erasure.search_patterns import is_specific, search_patterns

_SEARCHED_IDS = 50


@dataclass(frozen=True)
class EntityMatcher:
    """The properties by which rows and files of a case are recognized."""

    use_case: str
    column: str
    """The identifier's column in tables."""
    target: str
    """The target's column; a training table has both."""
    names: Sequence[str]
    ids: Sequence[str]
    """The ids of its predictions."""
    values: Sequence[str] = ()
    """Texts that its rows hold and no other row does."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Its rows as tables and stored predictions hold them: column → value."""

    @property
    def texts(self) -> list[str]:
        """What is looked for in cells: names, ids and values that are long enough not to be there by chance."""
        return [text for text in [*self.names, *self.ids, *self.values] if is_specific(text)]

    @property
    def patterns(self) -> list[bytes]:
        """What is looked for in files."""
        return search_patterns([*self.names, *self.ids[:_SEARCHED_IDS], *self.values])
