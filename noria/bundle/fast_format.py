"""What a bundle holds for the fast path, as bytes that run no code when they are read."""

from dataclasses import fields

import msgspec
import numpy as np
from numpy.typing import NDArray

from noria.models.matrix_transform import MatrixTransform

FAST, TREES = "fast.msgpack", "trees.onnx"
"""Names of the files in a bundle."""


class StoredArray(msgspec.Struct, frozen=True):
    """A numeric array."""

    kind: str
    """NumPy's name of the type, without the byte order, which is little."""
    shape: list[int]
    content: bytes

    @classmethod
    def of(cls, array: NDArray[np.generic]) -> "StoredArray":
        """An array of numbers or truth values as bytes."""
        plain = np.asarray(array, order="C")
        return cls(plain.dtype.name, list(plain.shape), plain.astype(plain.dtype.newbyteorder("<")).tobytes())

    def read(self) -> NDArray[np.generic]:
        """The array; ValueError if it is none of numbers."""
        dtype = np.dtype(self.kind).newbyteorder("<")
        if dtype.kind not in "bif":
            raise ValueError(f"{self.kind} is no type of numbers")
        return np.frombuffer(self.content, dtype=dtype).reshape(self.shape)


class FastFormat(msgspec.Struct, frozen=True):
    """The model without its trees."""

    prepare: dict[str, StoredArray | str | None] | None
    """The fields of a `MatrixTransform`; None for rules."""
    background: dict[str, list[str | float | None]]
    """Input column → values of some training rows, what explanations compare with; dates are ISO 8601 text."""
    weights: StoredArray | None = None
    """linear: (q,) or (q, k)."""
    bias: StoredArray | None = None
    """linear: () or (k,); dummy: the scores themselves."""
    output: str | None = None
    """Trees: the output of the ONNX graph that holds the scores."""


def pack_transform(transform: MatrixTransform) -> dict[str, StoredArray | str | None]:
    """A transform as it is stored."""
    values = {field.name: getattr(transform, field.name) for field in fields(transform)}
    return {name: StoredArray.of(value) if isinstance(value, np.ndarray) else value for name, value in values.items()}


def unpack_transform(packed: dict[str, StoredArray | str | None]) -> MatrixTransform:
    """A transform as it was stored; TypeError or ValueError if it is none."""
    values = {name: value.read() if isinstance(value, StoredArray) else value for name, value in packed.items()}
    return MatrixTransform(**values)  # type: ignore[arg-type]
