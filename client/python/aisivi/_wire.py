"""Long rows of numbers between NumPy and the wire, without a Python object for each.

In the encoding of Protocol Buffers a packed repeated double is its tag, its length in bytes, and
then the numbers as little-endian float64: NumPy's own form.
"""
from __future__ import annotations

from typing import Any, Callable, Mapping

import numpy as np
from numpy.typing import NDArray

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DOUBLE = np.dtype("<f8")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _write_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _end_of_field(data: bytes, kind: int, at: int) -> int:
    if kind == _VARINT:
        return _read_varint(data, at)[1]
    if kind == _FIXED64:
        return at + 8
    if kind == _FIXED32:
        return at + 4
    if kind == _BYTES:
        length, at = _read_varint(data, at)
        return at + length
    raise ValueError(f"no such wire type: {kind}")


def _delimited(number: int, length: int) -> bytes:
    """What comes before the bytes of a field with so many."""
    return _write_varint(number << 3 | _BYTES) + _write_varint(length)


def packed(number: int, values: NDArray[np.float64]) -> bytes:
    """The field `number`, a packed repeated double, with `values`."""
    data = np.ascontiguousarray(values, dtype=_DOUBLE).tobytes()
    return _delimited(number, len(data)) + data


def fill_packed(message: Any, field: str, values: NDArray[np.float64]) -> None:
    """Appends `values` to a repeated double of a message."""
    message.MergeFromString(packed(message.DESCRIPTOR.fields_by_name[field].number, values))


def nested(number: int, arrays: Mapping[int, NDArray[np.float64]]) -> bytes:
    """The field `number`, a message whose bytes fields are arrays of float64, by their numbers.

    After the same message with its other fields: a reader puts the two together.
    """
    pieces: list[bytes | memoryview] = []
    for inner, array in arrays.items():
        data = np.ascontiguousarray(array, dtype=_DOUBLE).data.cast("B")
        pieces += [_delimited(inner, data.nbytes), data]
    length = sum(len(piece) for piece in pieces)
    return b"".join([_delimited(number, length), *pieces])


def bytes_apart(
    message_class: Any, outer: str, inner: str
) -> Callable[[bytes], tuple[Any, memoryview | None]]:
    """What reads a message, and the bytes field `inner` of its field `outer` without a copy.

    These are then not in the message; None where it has no such field.
    """
    field = message_class.DESCRIPTOR.fields_by_name[outer]
    inner_number = field.message_type.fields_by_name[inner].number
    tag, inner_tag = field.number << 3 | _BYTES, inner_number << 3 | _BYTES

    def read(data: bytes) -> tuple[Any, memoryview | None]:
        first, at = _read_varint(data, 0) if data else (0, 0)
        length, at = _read_varint(data, at) if first == tag else (0, 0)
        if first != tag or at + length != len(data):
            return message_class.FromString(data), None
        found, rest = None, []
        while at < len(data):
            kind, body = _read_varint(data, at)
            end = _end_of_field(data, kind & 7, body)
            if kind == inner_tag:
                found = memoryview(data)[_read_varint(data, body)[1] : end]
            else:
                rest.append(data[at:end])
            at = end
        others = b"".join(rest)
        return message_class.FromString(_delimited(field.number, len(others)) + others), found

    return read


class Packed:
    """A message whose packed doubles are arrays: `message` has the rest, `arrays` these by name."""

    def __init__(self, message: Any, arrays: dict[str, NDArray[np.float64]]) -> None:
        self.message = message
        self.arrays = arrays


def reader(message_class: Any) -> Callable[[bytes], Packed]:
    """What reads a message of that class from the wire, its repeated doubles as arrays."""
    descriptor = message_class.DESCRIPTOR
    names = {
        field.number: field.name
        for field in descriptor.fields
        if field.label == field.LABEL_REPEATED and field.cpp_type == field.CPPTYPE_DOUBLE
    }

    def read(data: bytes) -> Packed:
        pieces: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names.values()}
        rest, at = [], 0
        while at < len(data):
            tag, body = _read_varint(data, at)
            end = _end_of_field(data, tag & 7, body)
            if tag >> 3 in names and tag & 7 in (_BYTES, _FIXED64):
                start = _read_varint(data, body)[1] if tag & 7 == _BYTES else body
                numbers = np.frombuffer(data, _DOUBLE, (end - start) // 8, start)
                pieces[names[tag >> 3]].append(numbers)
            else:
                rest.append(data[at:end])
            at = end
        arrays = {
            name: found[0] if len(found) == 1 else np.concatenate(found or [np.empty(0)])
            for name, found in pieces.items()
        }
        return Packed(message_class.FromString(b"".join(rest)), arrays)

    return read
