"""`nvscale measure`: what a measurement holds by construction. No test says how fast this machine is."""

import csv
import dataclasses
import importlib
import io
import json
import math
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nvscale.catalogue import load
from nvscale.cli import main
from nvscale.errors import CatalogueError, InvalidInput, MissingDependency, UnknownName
from nvscale.truth import machines, microbenchmarks
from nvscale.truth.machines import Description, NumpyMachine, Run, TorchMachine
from nvscale.truth.measurements import GEMM_COLUMNS, KERNEL_COLUMNS, GemmFit, Measurement
from nvscale.truth.microbenchmarks import Plan, fit_gemm, measure

SQUARES = tuple((side, side, side) for side in (8, 16, 24, 32, 48))
TINY = Plan(
    fitted=SQUARES,
    predicted=((12, 12, 12), (40, 40, 40), (8, 32, 16)),
    vectors=((1, 64, 64),),
    stream_bytes=65536.0,
    matrix_bytes=65536.0,
    row_seconds=0.0,
    rounds=1,
)


class FakeMachine:
    """A device whose kernels do nothing, and that writes down what it is asked for."""

    precisions = ("fp64", "bf16")
    streams = ("stream_copy", "stream_triad")
    thread_counts = (1,)
    description = Description(device="gpu", name='A "quoted" \\ device', platform="none", cores=7, library="Fake 1", cache=1e4, memory=1e9)

    def __init__(self) -> None:
        self.asked: list[str] = []

    def gemm(self, precision: str, m: int, n: int, k: int) -> Run:
        self.asked.append(f"{precision} {(m, n, k)}")
        return lambda calls: None

    def stream(self, kernel: str, elements: int, threads: int) -> Run:
        self.asked.append(kernel)
        return lambda calls: None

    def launch(self) -> Run:
        return lambda calls: None

    def power(self) -> float:
        return 123.4


@pytest.fixture(scope="module")
def measured() -> Measurement:
    return measure("cpu", plan=TINY)


def test_rows_have_every_column_with_positive_finite_numbers(measured: Measurement) -> None:
    rows = list(csv.DictReader(io.StringIO(measured.to_csv())))
    assert {"launch", "stream_copy", "stream_scale", "stream_add", "triad_two_passes", "gemv", "gemm"} == {row["kernel"] for row in rows}
    for row in rows:
        assert set(KERNEL_COLUMNS) <= set(row)
        numbers = {name: row[name] for name in KERNEL_COLUMNS[3:11]}
        assert all(math.isfinite(float(text)) and float(text) > 0.0 for text in numbers.values() if text)
        empty = {name for name, text in numbers.items() if not text}
        if row["m"]:
            assert empty == {"elements"}
        else:
            assert empty - {"achieved_flop_per_s"} == {"m", "n", "k", "batch"}
            assert ("achieved_flop_per_s" in empty) == (row["kernel"] == "stream_copy")
        assert float(row["seconds"]) <= float(row["median_seconds"]) and float(row["spread"]) >= 0.0 and int(row["repeats"]) >= 1


def test_products_in_the_columns_of_tables_of_products(measured: Measurement) -> None:
    rows = list(csv.DictReader(io.StringIO(measured.to_gemm_csv())))
    assert tuple(rows[0]) == GEMM_COLUMNS
    assert len(rows) == 2 * (len(TINY.fitted) + len(TINY.predicted) + len(TINY.vectors))


def test_rates_are_work_over_time(measured: Measurement) -> None:
    """A product of m x k and k x n takes 2 m n k operations; a copy moves two words an element, two passes of a triad five."""
    for row in measured.rows:
        if row.m and row.n and row.k:
            assert row.achieved_flop_per_s == pytest.approx(2.0 * row.m * row.n * row.k / row.seconds)
    words = {row.kernel: row.achieved_bytes_per_s * row.seconds / (row.elements or 1) / 8.0 for row in measured.rows if row.elements}
    assert words == pytest.approx({"launch": 2, "stream_copy": 2, "stream_scale": 2, "stream_add": 3, "triad_two_passes": 5})


@pytest.mark.parametrize("device", ["cpu", "fake"])
def test_no_row_lies_above_the_roofline(measured: Measurement, device: str) -> None:
    found = measured if device == "cpu" else measure(FakeMachine(), plan=TINY)
    shares = [found.share_of_roof(row) for row in found.rows]
    assert all(0.0 < share <= 1.0 + 1e-9 for share in shares)
    assert max(shares) > 0.999  # the rows that make the roof lie on it


def test_the_chip_has_measured_sources(measured: Measurement) -> None:
    chip = measured.chip()
    assert (chip.name, chip.kind, chip.precisions()) == ("this-machine", "cpu", ("fp64", "fp32"))
    for name in ("memory_bandwidth", "peak.fp64_vector", "peak.fp32_vector"):
        source = chip.source(name)
        assert source.kind == "measured" and source.date == measured.date and "best of" in source.place
    assert chip.ridge_point("fp64") > 0.0


def test_the_file_loads_as_the_same_chip(measured: Measurement, tmp_path: Path) -> None:
    path = measured.write(tmp_path / "mine.toml", name="my-box")
    loaded = load(path).chip("my-box")
    assert loaded == measured.chip("my-box")
    assert loaded.sources == measured.chip("my-box").sources


def test_names_with_quotes_survive(tmp_path: Path) -> None:
    found = measure(FakeMachine(), plan=TINY)
    chip = load(found.write(tmp_path / "fake.toml")).chip("this-machine")
    assert chip.title == FakeMachine.description.name
    assert chip.power == 123.4 and chip.source("power").kind == "measured"
    assert set(chip.precisions()) == {"fp64", "bf16"}


def test_files_are_not_replaced_unless_told(measured: Measurement, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious", encoding="utf-8")
    with pytest.raises(InvalidInput, match="is there already"):
        measured.write(path)
    assert path.read_text(encoding="utf-8") == "precious"
    measured.write(path, overwrite=True)
    assert load(path).chip("this-machine").kind == "cpu"
    measured.write_rows(tmp_path / "rows.csv")
    with pytest.raises(InvalidInput, match="is there already"):
        measured.write_rows(tmp_path / "rows.csv")


def test_bad_paths_and_names_are_typed_errors(measured: Measurement, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="ending"):
        measured.write(tmp_path / "mine.json")
    with pytest.raises(InvalidInput, match="no folder"):
        measured.write(tmp_path / "nowhere" / "mine.toml")
    with pytest.raises(InvalidInput, match="no name of a chip"):
        measured.write(tmp_path / "mine.toml", name='a"b\n')
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_loaded_is_not_put_in_place(measured: Measurement, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious", encoding="utf-8")
    monkeypatch.setattr(Measurement, "to_toml", lambda self, name="": '[chips.x]\nfigures = {memory_bandwith = "1 TB/s"}\n')
    with pytest.raises(CatalogueError, match="memory_bandwidth"):
        measured.write(path, overwrite=True)
    assert path.read_text(encoding="utf-8") == "precious"


def test_bad_devices_and_plans_are_typed_errors() -> None:
    with pytest.raises(UnknownName, match="gpu"):
        measure("gpuu")
    with pytest.raises(InvalidInput, match="device"):
        measure(3)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="too few"):
        measure("cpu", plan=Plan(fitted=SQUARES[:2], predicted=()))


def test_predictions_are_made_before_anything_of_them_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine()
    inner = GemmFit.seconds

    def seconds(self: GemmFit, m: Any, n: Any, k: Any) -> Any:
        if isinstance(m, float):  # arrays are those of the fit
            machine.asked.append(f"predict {self.precision} {(int(m), int(n), int(k))}")
        return inner(self, m, n, k)

    monkeypatch.setattr(GemmFit, "seconds", seconds)
    found = measure(machine, plan=TINY)
    assert {one.precision for one in found.predictions} == {"fp64", "bf16"}
    last_promise = max(i for i, what in enumerate(machine.asked) if what.startswith("predict"))
    for one in found.predictions:
        shape = f"{one.precision} {(one.m, one.n, one.k)}"
        assert machine.asked.index(f"predict {shape}") <= last_promise < machine.asked.index(shape)


def test_predictions_are_finite_and_of_shapes_outside_the_fit(measured: Measurement) -> None:
    assert len(measured.predictions) == 2 * len(TINY.predicted)
    assert not {(one.m, one.n, one.k) for one in measured.predictions} & set(TINY.fitted)
    for one in measured.predictions:
        assert math.isfinite(one.error) and one.predicted_seconds > 0.0 < one.measured_seconds
    assert measured.median_error() >= 0.0
    for fit in measured.fits:
        assert fit.launch > 0.0 and 0.0 < fit.bandwidth_share <= 1.0 and 0.0 <= fit.overlap <= 1.0 and 0.0 < fit.compute_share <= 1.25


def test_a_known_law_is_found_again() -> None:
    """Times made by the model itself are predicted by its fit."""
    law = GemmFit("fp64", 8.0, 1e11, 5e10, 2e-6, 0.9, 0.5, 1.0)
    shapes = [(64, 64, 64), (256, 256, 256), (1024, 1024, 1024), (4, 2048, 2048), (32, 2048, 2048), (2048, 8, 2048)]
    base = measure(FakeMachine(), plan=TINY).rows[-1]
    rows = []
    for m, n, k in shapes:
        seconds = float(law.seconds(float(m), float(n), float(k)))
        rate = 2.0 * m * n * k / seconds
        rows.append(dataclasses.replace(base, precision="fp64", m=m, n=n, k=k, seconds=seconds, achieved_flop_per_s=rate))
    fit = fit_gemm(rows, 5e10)
    for shape in ((128, 128, 128), (512, 512, 512), (16, 2048, 2048)):
        assert fit.seconds(*map(float, shape)) == pytest.approx(law.seconds(*map(float, shape)), rel=0.02)


def test_progress_goes_from_nothing_to_all() -> None:
    steps: list[tuple[int, int, str]] = []
    measure(FakeMachine(), plan=TINY, progress=lambda *step: steps.append(step))
    assert steps[0][0] == 0 and steps[-1][0] == steps[-1][1] == len(steps) - 1
    assert [done for done, _, _ in steps] == list(range(len(steps)))


def test_last_level_caches_are_counted_once(tmp_path: Path) -> None:
    for cpu, (level, size, shared) in enumerate([(3, "32768K", "0-1"), (3, "32768K", "0-1"), (3, "16M", "2"), (2, "1M", "2")]):
        folder = tmp_path / f"cpu{cpu}" / "cache" / "index0"
        folder.mkdir(parents=True)
        for name, text in {"type": "Unified", "level": level, "size": size, "shared_cpu_list": shared}.items():
            (folder / name).write_text(f"{text}\n")
    assert machines.last_level_cache(tmp_path) == 48 * 2**20


class FakeTensor:
    """As much of a tensor as the kernels touch."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def to(self, dtype: str) -> "FakeTensor":
        return FakeTensor(dtype)

    def t(self) -> "FakeTensor":
        return self

    def copy_(self, other: "FakeTensor") -> None: ...

    def add_(self, value: float) -> None: ...


def fake_torch(*, gpu: bool = True, fp8: bool = True) -> Any:
    """A module with the names of PyTorch that are used; it multiplies nothing."""
    torch: Any = types.ModuleType("torch")
    torch.__version__ = "9.9"
    torch.calls = []
    torch.setting = "highest"
    for name in ("float64", "float32", "bfloat16", "float16", "float8_e4m3fn"):
        setattr(torch, name, name)
    properties = types.SimpleNamespace(multi_processor_count=132, L2_cache_size=50 * 2**20, total_memory=80e9)
    torch.cuda = types.SimpleNamespace(
        is_available=lambda: gpu,
        current_device=lambda: 0,
        get_device_name=lambda: "Fake H100",
        get_device_properties=lambda index: properties,
        synchronize=lambda: torch.calls.append("wait"),
    )

    def make(*shape: Any, dtype: str = "float32", device: str = "cpu") -> FakeTensor:
        assert device == "cuda"
        return FakeTensor(dtype)

    torch.empty = torch.ones = torch.randn = make
    torch.mul = torch.add = lambda *given, **named: None

    def matmul(a: FakeTensor, b: FakeTensor, out: FakeTensor) -> None:
        assert a.dtype == b.dtype == out.dtype
        torch.calls.append(f"{a.dtype} {torch.setting}")

    def scaled(a: FakeTensor, b: FakeTensor, **named: Any) -> None:
        if not fp8:
            raise RuntimeError("torch._scaled_mm is only supported on newer devices\nmore")
        assert a.dtype == b.dtype == "float8_e4m3fn"

    torch.matmul, torch._scaled_mm = matmul, scaled
    torch.get_float32_matmul_precision = lambda: torch.setting
    torch.set_float32_matmul_precision = lambda value: setattr(torch, "setting", value)
    return torch


@pytest.fixture(autouse=True)
def _no_power_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)


@pytest.mark.parametrize("fp8", [True, False])
def test_the_path_of_a_gpu_with_a_stand_in(fp8: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = fake_torch(fp8=fp8)
    monkeypatch.setitem(sys.modules, "torch", torch)
    found = measure("gpu", plan=TINY)
    assert found.machine.device == "gpu" and found.machine.name == "Fake H100" and found.machine.cores == 132
    formats = {"fp64", "fp32", "tf32", "bf16", "fp16"} | ({"fp8"} if fp8 else set())
    assert {row.precision for row in found.rows} == formats
    assert {row.kernel for row in found.rows} >= {"launch", "stream_copy", "stream_triad", "gemm"}
    assert {"float32 highest", "float32 high"} <= set(torch.calls) and torch.setting == "highest" and "wait" in torch.calls
    assert found.power is None
    assert ("fp8" in found.skipped) == (not fp8)
    if not fp8:
        assert found.skipped["fp8"] == "torch._scaled_mm is only supported on newer devices"
    assert found.chip().kind == "gpu" and set(found.chip().precisions()) == formats


def test_a_gpu_that_nobody_sees_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(MissingDependency, match="PyTorch or CuPy"):
        measure("gpu")
    with pytest.raises(MissingDependency, match="no GPU"):
        TorchMachine(fake_torch(gpu=False))


def test_power_is_read_through_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml: Any = types.ModuleType("pynvml")
    nvml.nvmlInit = lambda: None
    nvml.nvmlDeviceGetHandleByIndex = lambda index: index
    nvml.nvmlDeviceGetPowerUsage = lambda handle: 350_250
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setitem(sys.modules, "torch", fake_torch())
    found = measure("gpu", plan=TINY)
    assert found.power == 350.25 and found.chip().power == 350.25


def test_kernels_of_numpy_compute_what_they_say() -> None:
    """In two threads as in one: pieces cover the vectors."""
    seen: list[slice] = []
    machines._in_threads(seen.append, 1001, 3)(2)
    covered = np.zeros(1001, int)
    for part in seen:
        covered[part] += 1
    assert (covered == 2).all()
    machine = NumpyMachine()
    for kernel in machine.streams:
        machine.stream(kernel, 1000, 2)(1)


@pytest.fixture
def tiny_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microbenchmarks, "PLANS", dict.fromkeys(microbenchmarks.PLANS, TINY))


def _run(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert not ended.value.code


@pytest.mark.usefixtures("tiny_plans")
def test_the_command_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    _run(["measure", "--quick", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["machine"]["device"] == "cpu" and found["rows"] and found["fits"] and found["predictions"]
    assert set(found["chip"]["peak_flop_per_s"]) == {"fp64", "fp32"}


@pytest.mark.usefixtures("tiny_plans")
def test_the_command_writes_files_and_shows_errors_of_prediction(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out, rows = tmp_path / "chip.toml", tmp_path / "rows.csv"
    arguments = ["measure", "--out", str(out), "--rows", str(rows)]
    _run(arguments)
    shown = capsys.readouterr().out
    assert "predicted" in shown and "median error" in shown and "memory bandwidth" in shown
    assert load(out).chip("this-machine").kind == "cpu" and rows.read_text(encoding="utf-8").startswith("chip,kernel,precision")
    before = out.read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "--force" in capsys.readouterr().err and out.read_text(encoding="utf-8") == before
    _run([*arguments, "--force"])


@pytest.mark.usefixtures("tiny_plans")
def test_the_command_draws_the_roofline(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    _run(["measure", "--plot", str(tmp_path / "roofline.svg"), "--json"])
    assert "<svg" in (tmp_path / "roofline.svg").read_text(encoding="utf-8")


def test_the_command_refuses_a_device_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["measure", "--device", "tpu"])
    assert ended.value.code == 2 and "no device 'tpu'" in capsys.readouterr().err


def test_importing_it_loads_no_gpu_library() -> None:
    importlib.import_module("nvscale.truth.microbenchmarks")
    assert "torch" not in sys.modules and "cupy" not in sys.modules


def test_waiting_is_no_part_of_a_kernel_on_the_processor() -> None:
    """A kernel that is held up (here: sleeps) takes the time that it ran; a GPU's kernel takes what elapsed."""

    def held_up(calls: int) -> None:
        for _ in range(calls):
            time.sleep(0.005)

    elapsed, _ = microbenchmarks.sample_kernel(held_up, 0.02)
    ran, _ = microbenchmarks.sample_kernel(held_up, 0.02, on_processor=True)
    assert min(elapsed) >= 0.0049 and min(ran) < 0.0025


def test_threads_of_the_blas_are_put_back() -> None:
    controls = machines._openblas_controls()
    before = [ask() for _, ask in controls]
    with machines.one_blas_thread() as told:
        assert told == bool(controls) and all(ask() == 1 for _, ask in controls)
    assert [ask() for _, ask in controls] == before


@pytest.mark.parametrize("load", [0.0, 100.0])
def test_beside_other_work_one_thread_multiplies_and_the_notes_say_so(load: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microbenchmarks, "_busy", lambda: load)
    said = " ".join(measure("cpu", plan=TINY).notes)
    assert ("other work was running" in said) == (load > 0.0)
    assert ("BLAS threads: 1, since" in said) == (load > 0.0 and bool(machines._openblas_controls()))
