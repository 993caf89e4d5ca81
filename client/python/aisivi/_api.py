"""The messages and methods of proto/, from a description of them that ships with the package.

No generated modules: those register in the process's one default pool, where google/rpc of another
package would collide with ours, and they break with other versions of the Protobuf runtime than
protoc's. A description loaded into a pool of our own does neither, and needs no gRPC plugin.
"""
from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# A message of the API. Its class is made at run time, so that no checker knows its fields.
Message = Any


def _load() -> Any:
    file = Path(__file__).with_name("api.binpb")
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise ImportError(
            f"{file} is missing: install the package (pip install client/python), or make it with "
            "client/python/generate_api.py"
        ) from None
    pool = descriptor_pool.DescriptorPool()
    for description in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.AddSerializedFile(description.SerializeToString())
    return pool


POOL = _load()
# Newer runtimes make classes without a factory.
_FACTORY = (
    None
    if hasattr(message_factory, "GetMessageClass")
    else message_factory.MessageFactory(POOL)
)


def class_of(descriptor: Any) -> Any:
    """The class of a message's descriptor."""
    if _FACTORY is None:
        return message_factory.GetMessageClass(descriptor)
    return _FACTORY.GetPrototype(descriptor)


def message(name: str, /, **fields: Any) -> Message:
    """A new message, for instance message("GetFitRequest", name="fits/1")."""
    return class_of(POOL.FindMessageTypeByName(f"aisivi.v1.{name}"))(**fields)


def method(service: str, name: str) -> Any:
    """The descriptor of a method, for instance method("FitService", "GetFit")."""
    return POOL.FindServiceByName(f"aisivi.v1.{service}").methods_by_name[name]


def enum_texts(enum: Any) -> dict[int, str]:
    """The values of an enum as lower-case texts without what they have in common, all but 0."""
    prefix = len(enum.values_by_number[0].name) - len("UNSPECIFIED")
    return {v.number: v.name[prefix:].lower() for v in enum.values if v.number != 0}


def enum_text(message: Message, field: str) -> str:
    """A field's value as such a text; "" when it is not set, its number when it is not known."""
    value: int = getattr(message, field)
    known = enum_texts(message.DESCRIPTOR.fields_by_name[field].enum_type)
    return known.get(value, str(value) if value else "")


def optional(message: Message, field: str) -> Any:
    """A field's value, or None where it is absent."""
    return getattr(message, field) if message.HasField(field) else None


def seconds(duration: Message) -> float:
    """A google.protobuf.Duration in seconds."""
    return float(duration.seconds) + float(duration.nanos) * 1e-9
