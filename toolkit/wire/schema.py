"""
TikTok's message classes, built at run time from the installed TikTokLiveProto.

TikTokLiveProto describes 670 message types as betterproto2 dataclasses. Its own
parser needs 0.6 to 1.8 ms for a message and accepts damage silently; the same
description fed to google.protobuf's C core (upb) needs about 5 microseconds and
is strict. So the schema is theirs, the parser is Google's, and no copy of the
schema lives in this project: a new TikTokLiveProto brings new fields by itself.

Importing and translating all types takes over a second, so the result (a
serialised descriptor, about 175 KB) is kept in the user's cache folder, keyed by
the version of TikTokLiveProto and of this translation. A cache that is missing,
damaged or unwritable costs that second, nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import importlib.metadata
import os
import pkgutil
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import platformdirs
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

__all__ = ["ANY_MESSAGE", "DecodeError", "ProtoMessage", "message_class", "method_names", "schema_version"]

ProtoMessage = Any
"""An instance of a class built at run time: its fields are known to protobuf, not to a type checker."""

ANY_MESSAGE = "AnyMessage"
"""What all of TikTok's messages share: ``common`` in field 1. Reads types nobody knows."""

_TRANSLATION = 2
"""Raise when the translation below changes: old caches are then ignored."""

_PACKAGE = "tiktok"
_DIGEST_SIZE = 32

_FieldProto = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    # Enums travel as varints. As int32 they keep values this schema does not
    # know yet, and need no descriptors of their own.
    "enum": _FieldProto.TYPE_INT32,
    "bool": _FieldProto.TYPE_BOOL,
    "int32": _FieldProto.TYPE_INT32,
    "int64": _FieldProto.TYPE_INT64,
    "uint32": _FieldProto.TYPE_UINT32,
    "uint64": _FieldProto.TYPE_UINT64,
    "sint32": _FieldProto.TYPE_SINT32,
    "sint64": _FieldProto.TYPE_SINT64,
    "float": _FieldProto.TYPE_FLOAT,
    "double": _FieldProto.TYPE_DOUBLE,
    "fixed32": _FieldProto.TYPE_FIXED32,
    "sfixed32": _FieldProto.TYPE_SFIXED32,
    "fixed64": _FieldProto.TYPE_FIXED64,
    "sfixed64": _FieldProto.TYPE_SFIXED64,
    "string": _FieldProto.TYPE_STRING,
    "bytes": _FieldProto.TYPE_BYTES,
}


def message_class(name: str) -> ProtoMessage:
    """
    Return the protobuf class of a TikTok message type.

    Args:
        name: The type's bare name, such as ``WebcastChatMessage`` or ``User``.

    Raises:
        KeyError: The installed TikTokLiveProto does not know that type.
    """
    return _classes()[name]


def method_names() -> frozenset[str]:
    """Return the names of all message types that can stand in a frame."""
    return frozenset(name for name in _classes() if name.startswith("Webcast"))


@cache
def schema_version() -> str:
    """Return which schema is in force, such as ``"TikTokLiveProto 0.2.2"``."""
    return f"TikTokLiveProto {importlib.metadata.version('TikTokLiveProto')}"


@cache
def _classes() -> dict[str, ProtoMessage]:
    serialized = _load_cached()
    if serialized is None:
        serialized = _translate().SerializeToString(deterministic=True)
        _store_cached(serialized)
    file = descriptor_pb2.FileDescriptorProto.FromString(serialized)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes: dict[str, ProtoMessage] = {}
    for message in file.message_type:
        # "webcast.model.message.WebcastChatMessage" is stored with underscores
        # for dots; the bare name is what the wire and our decoders use. Five
        # names exist twice (Text, Tag ...); none of them is looked up by name.
        bare = message.name.rsplit("__", 1)[-1]
        if bare not in classes:
            descriptor = pool.FindMessageTypeByName(f"{_PACKAGE}.{message.name}")
            classes[bare] = message_factory.GetMessageClass(descriptor)
    return classes


def _cache_file() -> Path:
    version = importlib.metadata.version("TikTokLiveProto")
    folder = os.environ.get("TOOLKIT_CACHE_DIR") or platformdirs.user_cache_dir("tiktok-live-toolkit")
    return Path(folder) / f"schema-{version}-{_TRANSLATION}.bin"


def _load_cached() -> bytes | None:
    try:
        stored = _cache_file().read_bytes()
    except OSError:
        return None
    digest, serialized = stored[:_DIGEST_SIZE], stored[_DIGEST_SIZE:]
    return serialized if hashlib.sha256(serialized).digest() == digest else None


def _store_cached(serialized: bytes) -> None:
    target = _cache_file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(hashlib.sha256(serialized).digest() + serialized)
        Path(file.name).replace(target)
    except OSError:
        return  # A cache only saves time.


def _translate() -> descriptor_pb2.FileDescriptorProto:
    """Translate every betterproto2 class of TikTokLiveProto into one descriptor."""
    proto = importlib.import_module("TikTokLiveProto.v3")
    for module in pkgutil.walk_packages(proto.__path__, proto.__name__ + "."):
        importlib.import_module(module.name)
    pool = importlib.import_module("TikTokLiveProto.v3.message_pool").default_message_pool
    names = {cls: _flat_name(url) for url, cls in pool.url_to_type.items()}

    file = descriptor_pb2.FileDescriptorProto(name="tiktok.proto", package=_PACKAGE, syntax="proto3")
    for cls, name in names.items():
        message = file.message_type.add(name=name)
        for field in dataclasses.fields(cls):
            _add_field(message, name, field, cls, names)
    common = next(name for name in names.values() if name.endswith("__CommonMessageData"))
    envelope = file.message_type.add(name=ANY_MESSAGE)
    envelope.field.add(
        name="common",
        number=1,
        label=_FieldProto.LABEL_OPTIONAL,
        type=_FieldProto.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{common}",
    )
    return file


def _flat_name(url: str) -> str:
    return url.removeprefix("type.googleapis.com/").replace(".", "__")


def _add_field(
    message: descriptor_pb2.DescriptorProto,
    message_name: str,
    field: dataclasses.Field[Any],
    cls: type,
    names: dict[type, str],
) -> None:
    meta = field.metadata["betterproto"]
    target = message.field.add(name=field.name, number=meta.number)
    target.label = (
        _FieldProto.LABEL_REPEATED if meta.repeated or meta.map_meta else _FieldProto.LABEL_OPTIONAL
    )
    if meta.map_meta is not None:
        entry_name = "".join(part.title() for part in field.name.split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        for part, part_meta in zip(("key", "value"), meta.map_meta, strict=True):
            item = entry.field.add(name=part, number=part_meta.number, label=_FieldProto.LABEL_OPTIONAL)
            _set_type(item, part_meta.proto_type, field, cls, names)
        target.type = _FieldProto.TYPE_MESSAGE
        target.type_name = f".{_PACKAGE}.{message_name}.{entry_name}"
    else:
        _set_type(target, meta.proto_type, field, cls, names)


def _set_type(
    target: descriptor_pb2.FieldDescriptorProto,
    proto_type: str,
    field: dataclasses.Field[Any],
    cls: type,
    names: dict[type, str],
) -> None:
    if proto_type != "message":
        target.type = _SCALARS[proto_type]
        return
    target.type = _FieldProto.TYPE_MESSAGE
    target.type_name = f".{_PACKAGE}.{names[_referenced_class(str(field.type), cls)]}"


def _referenced_class(annotation: str, cls: type) -> type:
    """
    Return the message class that an annotation such as ``"list[a.B] | None"`` names.

    The names are resolved in the module, never in the class: in 17 classes a
    field called ``data`` hides the module ``data`` of the annotation, which is
    why betterproto2 itself cannot parse them.
    """
    for name in _dotted_names(annotation):
        value: Any = vars(sys.modules[cls.__module__]).get(name.split(".", 1)[0])
        for part in name.split(".")[1:]:
            value = getattr(value, part, None)
        if dataclasses.is_dataclass(value) and isinstance(value, type):
            return value
    raise LookupError(f"{cls.__module__}.{cls.__name__}: cannot resolve {annotation!r}")


def _dotted_names(annotation: str) -> Iterator[str]:
    for match in re.finditer(r"[A-Za-z_][\w.]*", annotation):
        yield match.group()
