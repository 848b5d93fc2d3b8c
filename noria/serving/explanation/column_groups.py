"""Which columns of the encoded matrix belong to which input column."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.schema import InputSchema


def groups_of(schema: "InputSchema") -> list[list[int]]:
    """For each input column, in the schema's order, its places in the matrix of `InputSchema.encode`.

    A date has one place per part of the calendar that is a feature, or none: such a column can have no influence.
    """
    groups: list[list[int]] = []
    place = 0
    for column in schema.columns:
        width = len(schema.calendar) if column.kind == "datetime" else 1
        groups.append(list(range(place, place + width)))
        place += width
    return groups
