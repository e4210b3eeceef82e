"""pydantic reads and writes the very same record classes: nested input, all errors at once, JSON both ways."""

import pytest

import nvscale as nv

pydantic = pytest.importorskip("pydantic")


@pytest.mark.parametrize("name", ["dgx-h100", "gb200-nvl72", "tpu-v5p-pod", "mi355x-platform"])
def test_systems_survive_json(name: str) -> None:
    adapter = pydantic.TypeAdapter(nv.System)
    system = nv.system(name)
    again = adapter.validate_json(adapter.dump_json(system))
    assert again == system
    assert again.chip.source("memory_bandwidth") == system.chip.source("memory_bandwidth")
    assert again.networks[-1].span == system.networks[-1].span


def test_text_with_units_is_read_and_all_errors_come_at_once() -> None:
    adapter = pydantic.TypeAdapter(nv.Chip)
    chip = adapter.validate_python({"name": "mine", "memory_bandwidth": "3 TB/s", "peak": {"fp8": "1 PFLOP/s"}})
    assert (chip.memory_bandwidth, chip.peak.fp8) == (3e12, 1e15)
    with pytest.raises(pydantic.ValidationError) as problems:
        adapter.validate_python({"name": "mine", "memory_bandwith": "3 TB/s", "power": -3, "peak": {"fp9": 1}})
    assert {".".join(map(str, problem["loc"])) for problem in problems.value.errors()} == {"memory_bandwith", "power", "peak.fp9"}


def test_the_json_schema_carries_units() -> None:
    schema = pydantic.TypeAdapter(nv.Chip).json_schema()
    assert schema["properties"]["memory_bandwidth"]["unit"] == "byte/s"
    assert schema["required"] == ["name"]
