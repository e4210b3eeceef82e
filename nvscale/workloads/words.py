"""The words of a workload: how its operands are stored, and which software runs it; misspelt ones are answered."""

import functools
import tomllib
from importlib import resources
from typing import Any

from nvscale.errors import UnknownName, unknown
from nvscale.formats import plain_name, precision
from nvscale.record import Record
from nvscale.unit_types import Bytes, Ratio


class OperandStorage(Record):
    """How a kind of matrix multiply stores its operands, per element, and which rate of a chip serves it."""

    name: str
    rate: str
    measured_as: str
    falls_back_to: str = ""
    weight: Bytes
    activation: Bytes
    product: Bytes = 2.0
    quantised: Bytes = 0.0
    note: str = ""


class AttentionStorage(Record):
    """How attention stores queries and cache, and which rates of a chip serve it."""

    name: str
    rate: str
    decode_rate: str
    measured_as: str = ""
    cache: Bytes
    note: str = ""


class PassOperator(Record):
    """An element-wise or row-wise operator: arrays that it reads and writes, in elements."""

    name: str
    reads: Ratio
    writes: Ratio
    row_wise: str = "no"
    measured_as: str = ""
    note: str = ""


@functools.cache
def _read(file: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("nvscale.workloads").joinpath(f"data/{file}.toml").read_text(encoding="utf-8"))


@functools.cache
def _spellings(file: str) -> dict[str, str]:
    """Names and aliases in plain spelling -> names."""
    return {plain_name(word): name for name, entry in _read(file).items() for word in (name, *entry.get("aliases", ()))}


@functools.cache
def _storages() -> dict[str, OperandStorage]:
    made = {}
    for name, entry in _read("operand_storage").items():
        figures = {key: value for key, value in entry.items() if key != "aliases"}
        made[name] = OperandStorage(**({"name": name, "measured_as": name} | figures))
    return made


@functools.lru_cache(maxsize=1024)
def operand_storage(name: str) -> OperandStorage:
    """Return how a matrix multiply of a number format stores its operands.

    >>> operand_storage("NVFP4").weight, operand_storage("int4_weight_only").activation
    (0.5625, 2.0)
    >>> operand_storage("bf61")
    Traceback (most recent call last):
    nvscale.errors.UnknownName: no precision of a kernel 'bf61'; did you mean 'bf16'?
    """
    found = _spellings("operand_storage").get(plain_name(str(name)))
    if found is None:
        try:
            found = precision(name).name
        except UnknownName:
            found = ""
    if found not in _storages():
        raise unknown("precision of a kernel", name, _storages())
    return _storages()[found]


@functools.lru_cache(maxsize=1024)
def attention_storage(name: str) -> AttentionStorage:
    """Return how attention in a number format stores its queries and its cache.

    >>> attention_storage("fp8(compute bf16)").name, attention_storage("fp16").cache
    ('bf16_kv_fp8', 2.0)
    """
    known = _read("attention_storage")
    found = _spellings("attention_storage").get(plain_name(str(name)))
    if found is None:
        raise unknown("precision of attention", name, known)
    return AttentionStorage(name=found, **{key: value for key, value in known[found].items() if key != "aliases"})


@functools.lru_cache(maxsize=1024)
def pass_operator(name: str) -> PassOperator:
    """Return an element-wise or row-wise operator by name or alias.

    >>> pass_operator("triad").reads
    2.0
    """
    found = _spellings("pass_operators").get(plain_name(name))
    if found is None:
        raise unknown("operator", name, _read("pass_operators"))
    entry = _read("pass_operators")[found]
    return PassOperator(
        name=found,
        reads=entry["reads"],
        writes=entry["writes"],
        row_wise="yes" if entry.get("row_wise") else "no",
        measured_as=entry.get("measured_as", ""),
        note=entry.get("note", ""),
    )


def framework_name(name: str) -> str:
    """Return a framework in the spelling of the data; the empty word is no framework in particular.

    >>> framework_name("TensorRT-LLM"), framework_name("")
    ('trtllm', '')
    """
    if not name:
        return ""
    found = _spellings("frameworks").get(plain_name(name))
    if found is None:
        raise unknown("framework", name, _read("frameworks"))
    return found


def known_framework(name: str) -> str:
    """Return a framework in the spelling of the data, or the empty word where nothing is known of it."""
    return _spellings("frameworks").get(plain_name(name), "")
