"""The device that is measured: what it is, and its kernels, ready to be timed.

A kernel is a function of the number of calls: it makes them one after another and returns when the
last one has finished. NumPy runs on the processor; PyTorch or CuPy, where installed, on the GPU.
None of the GPU libraries is a dependency: they are looked for when a GPU is asked for.
"""

import contextlib
import ctypes
import ctypes.util
import importlib
import itertools
import math
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nvscale.errors import InvalidInput, MissingDependency, unknown

Run = Callable[[int], None]
DEVICES = ("cpu", "gpu")
UNKNOWN_CACHE = 32 * 2**20
"""Bytes of last-level cache assumed where the system does not say."""
STREAM_WORDS: Mapping[str, tuple[int, int]] = {
    "stream_copy": (2, 0),
    "stream_scale": (2, 1),
    "stream_add": (3, 1),
    "stream_triad": (3, 2),
    "triad_two_passes": (5, 2),
}
"""Words counted per element (each array read or written once a pass; no write-allocate) and operations per element."""
CANNOT = (RuntimeError, AttributeError, TypeError, ValueError, NotImplementedError, MemoryError)
"""How libraries say that a device lacks a number format, or the memory for a shape."""


@dataclass(frozen=True, slots=True)
class Description:
    """What was measured.

    Parameters
    ----------
    device : str
        "cpu" or "gpu".
    name : str
        Name of the processor or GPU.
    platform : str
        Operating system and instruction set.
    cores : int
        Cores that this process may use, or multiprocessors of the GPU.
    library : str
        What multiplies the matrices, with version.
    threads : str
        Threads of that library, and who says so; empty on a GPU.
    cache : float
        Bytes of last-level cache, all of them together.
    cache_known : bool
        Whether the system says so, or it is assumed.
    memory : float or None
        Bytes of main or device memory.
    """

    device: str
    name: str
    platform: str
    cores: int
    library: str
    threads: str = ""
    cache: float = float(UNKNOWN_CACHE)
    cache_known: bool = False
    memory: float | None = None


class Machine(Protocol):
    """A device with kernels; `measure` takes any object of this form."""

    description: Description
    precisions: tuple[str, ...]
    streams: tuple[str, ...]
    thread_counts: tuple[int, ...]

    def gemm(self, precision: str, m: int, n: int, k: int) -> Run:
        """Return the kernel C = A B of an m x k and a k x n matrix."""

    def stream(self, kernel: str, elements: int, threads: int) -> Run:
        """Return a kernel over long FP64 vectors."""

    def launch(self) -> Run:
        """Return the smallest kernel: one element."""

    def power(self) -> float | None:
        """Return the power drawn now, in watts, or None."""


def find_machine(device: "str | Machine") -> Machine:
    """Return the machine of a device name.

    Raises UnknownName for a name that is none, and MissingDependency for a GPU that no library sees.
    """
    if not isinstance(device, str):
        if not hasattr(device, "description"):
            raise InvalidInput(f"device: {device!r} is no device; write one of {', '.join(map(repr, DEVICES))}")
        return device
    if device not in DEVICES:
        raise unknown("device", device, DEVICES)
    return NumpyMachine() if device == "cpu" else _find_gpu()


def _find_gpu() -> Machine:
    reasons = []
    known: tuple[tuple[str, Callable[[Any], Machine]], ...] = (("torch", TorchMachine), ("cupy", CupyMachine))
    for library, make in known:
        try:
            return make(importlib.import_module(library))
        except (ImportError, *CANNOT) as problem:  # CuPy raises RuntimeError where there is no driver
            reasons.append(str(problem).splitlines()[0] if str(problem) else f"{library} does not work")
    raise MissingDependency(
        f"a GPU is measured through PyTorch or CuPy: {'; '.join(reasons)}; install one of them for your GPU, or measure the cpu"
    )


class NumpyMachine:
    """The processor, through NumPy and its BLAS."""

    precisions: tuple[str, ...] = ("fp64", "fp32")
    streams: tuple[str, ...] = ("stream_copy", "stream_scale", "stream_add", "triad_two_passes")

    def __init__(self) -> None:
        import numpy

        self._np = numpy
        cores = usable_cores()
        cache = last_level_cache()
        self.thread_counts: tuple[int, ...] = (1,) if cores == 1 else (1, cores)
        self.description = Description(
            device="cpu",
            name=processor_name(),
            platform=_platform(),
            cores=cores,
            library=f"NumPy {numpy.__version__}, {_blas(numpy)}",
            threads=_blas_threads(cores),
            cache=float(cache or UNKNOWN_CACHE),
            cache_known=cache is not None,
            memory=_main_memory(),
        )

    def gemm(self, precision: str, m: int, n: int, k: int) -> Run:
        """Return `numpy.matmul` into an array that is there already."""
        np = self._np
        kind = {"fp64": np.float64, "fp32": np.float32}[precision]
        random = np.random.default_rng(0).random(4099, kind)
        a, b, c = np.resize(random, (m, k)), np.resize(random, (k, n)), np.zeros((m, n), kind)
        return _repeated(lambda: np.matmul(a, b, out=c))

    def stream(self, kernel: str, elements: int, threads: int) -> Run:
        """Return an in-place NumPy kernel, its vectors cut into one piece a thread."""
        np = self._np
        x, y, z = np.ones(elements), np.ones(elements), np.ones(elements if STREAM_WORDS[kernel][0] > 2 else 1)

        def triad(part: slice) -> None:
            np.multiply(y[part], 3.0, out=z[part])  # the first pass writes z,
            np.add(z[part], x[part], out=z[part])  # the second reads it again

        kernels: dict[str, Callable[[slice], Any]] = {
            "stream_copy": lambda part: np.copyto(y[part], x[part]),
            "stream_scale": lambda part: np.multiply(x[part], 3.0, out=y[part]),
            "stream_add": lambda part: np.add(x[part], y[part], out=z[part]),
            "triad_two_passes": triad,
        }
        once = kernels[kernel]
        if threads == 1:
            return _repeated(lambda: once(slice(None)))
        return _in_threads(once, elements, threads)

    def launch(self) -> Run:
        """Return `numpy.add` of one element: the price of a call, Python's loop in it."""
        np = self._np
        one = np.ones(1)
        return _repeated(lambda: np.add(one, 1.0, out=one))

    def power(self) -> None:
        """Nothing: processors do not tell their power without privileges."""


def _repeated(once: Callable[[], Any], finish: Callable[[], Any] | None = None) -> Run:
    """A kernel from one call of it, and from what waits for the last one."""

    def run(calls: int) -> None:
        for _ in range(calls):
            once()
        if finish is not None:
            finish()

    return run


def _in_threads(once: Callable[[slice], Any], elements: int, threads: int) -> Run:
    """A kernel in several threads; NumPy lets go of the interpreter's lock in its inner loops."""
    cuts = [elements * i // threads for i in range(threads + 1)]
    parts = [slice(low, high) for low, high in itertools.pairwise(cuts)]

    def run(calls: int) -> None:
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(calls):
                for job in wait([pool.submit(once, part) for part in parts]).done:
                    job.result()

    return run


class TorchMachine:
    """A GPU through PyTorch, CUDA or ROCm."""

    streams: tuple[str, ...] = ("stream_copy", "stream_scale", "stream_add", "stream_triad")
    precisions: tuple[str, ...] = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8")
    thread_counts: tuple[int, ...] = (1,)

    def __init__(self, torch: Any) -> None:
        if not torch.cuda.is_available():
            raise MissingDependency("PyTorch is installed and sees no GPU")
        self._torch = torch
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        cache = getattr(properties, "L2_cache_size", None)
        self._read_power = _nvml_power(str(getattr(properties, "uuid", "")), int(torch.cuda.current_device()))
        self.description = Description(
            device="gpu",
            name=str(torch.cuda.get_device_name()),
            platform=_platform(),
            cores=int(properties.multi_processor_count),
            library=f"PyTorch {torch.__version__}",
            cache=float(cache or UNKNOWN_CACHE),
            cache_known=bool(cache),
            memory=float(properties.total_memory),
        )

    def gemm(self, precision: str, m: int, n: int, k: int) -> Run:
        """Return `torch.matmul`, or `torch._scaled_mm` for FP8; random numbers, since zeros draw less power."""
        torch = self._torch
        if precision == "fp8":
            return self._scaled(m, n, k)
        kind = {"fp64": "float64", "bf16": "bfloat16", "fp16": "float16"}.get(precision, "float32")
        a, b = self._random((m, k), kind), self._random((k, n), kind)
        c = torch.empty((m, n), dtype=getattr(torch, kind), device="cuda")
        plain = _repeated(lambda: torch.matmul(a, b, out=c), torch.cuda.synchronize)
        if kind != "float32":
            return plain

        def with_setting(calls: int) -> None:
            before = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
            try:
                plain(calls)
            finally:
                torch.set_float32_matmul_precision(before)

        return with_setting

    def _scaled(self, m: int, n: int, k: int) -> Run:
        torch = self._torch
        a = self._random((m, k), "float32").to(torch.float8_e4m3fn)
        b = self._random((n, k), "float32").to(torch.float8_e4m3fn).t()  # the second factor is wanted column by column
        one = torch.ones((), device="cuda")
        return _repeated(lambda: torch._scaled_mm(a, b, scale_a=one, scale_b=one, out_dtype=torch.bfloat16), torch.cuda.synchronize)

    def _random(self, shape: tuple[int, int], kind: str) -> Any:
        return self._torch.randn(shape, dtype=getattr(self._torch, kind), device="cuda")

    def stream(self, kernel: str, elements: int, threads: int) -> Run:  # noqa: ARG002
        """Return a kernel over FP64 vectors; the triad takes one pass here."""
        torch = self._torch
        x, y, z = (torch.ones(elements, dtype=torch.float64, device="cuda") for _ in range(3))
        kernels: dict[str, Callable[[], Any]] = {
            "stream_copy": lambda: y.copy_(x),
            "stream_scale": lambda: torch.mul(x, 3.0, out=y),
            "stream_add": lambda: torch.add(x, y, out=z),
            "stream_triad": lambda: torch.add(x, y, alpha=3.0, out=z),
        }
        return _repeated(kernels[kernel], torch.cuda.synchronize)

    def launch(self) -> Run:
        """Return the launch of a kernel of one element, many of them queued."""
        one = self._torch.ones(1, dtype=self._torch.float64, device="cuda")
        return _repeated(lambda: one.add_(1.0), self._torch.cuda.synchronize)

    def power(self) -> float | None:
        """Return the power that the driver reads, through NVML."""
        return self._read_power()


class CupyMachine:
    """A GPU through CuPy, for the formats that it multiplies without settings."""

    streams: tuple[str, ...] = ("stream_copy", "stream_scale", "stream_add", "triad_two_passes")
    precisions: tuple[str, ...] = ("fp64", "fp32", "fp16")
    thread_counts: tuple[int, ...] = (1,)

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy
        device = cupy.cuda.Device()
        properties = cupy.cuda.runtime.getDeviceProperties(device.id)
        name = properties["name"]
        cache = properties.get("l2CacheSize")
        self._wait = cupy.cuda.Device().synchronize
        self._read_power = _nvml_power("", int(device.id))
        self.description = Description(
            device="gpu",
            name=name.decode() if isinstance(name, bytes) else str(name),
            platform=_platform(),
            cores=int(properties["multiProcessorCount"]),
            library=f"CuPy {cupy.__version__}",
            cache=float(cache or UNKNOWN_CACHE),
            cache_known=bool(cache),
            memory=float(properties["totalGlobalMem"]),
        )

    def gemm(self, precision: str, m: int, n: int, k: int) -> Run:
        """Return `cupy.matmul`."""
        cp = self._cupy
        kind = {"fp64": cp.float64, "fp32": cp.float32, "fp16": cp.float16}[precision]
        a, b, c = cp.random.rand(m, k).astype(kind), cp.random.rand(k, n).astype(kind), cp.zeros((m, n), kind)
        return _repeated(lambda: cp.matmul(a, b, out=c), self._wait)

    def stream(self, kernel: str, elements: int, threads: int) -> Run:  # noqa: ARG002
        """Return a kernel over FP64 vectors; the triad takes two passes, as in NumPy."""
        cp = self._cupy
        x, y, z = (cp.ones(elements) for _ in range(3))
        kernels: dict[str, Callable[[], Any]] = {
            "stream_copy": lambda: cp.copyto(y, x),
            "stream_scale": lambda: cp.multiply(x, 3.0, out=y),
            "stream_add": lambda: cp.add(x, y, out=z),
            "triad_two_passes": lambda: cp.add(cp.multiply(y, 3.0, out=z), x, out=z),
        }
        return _repeated(kernels[kernel], self._wait)

    def launch(self) -> Run:
        """Return the launch of a kernel of one element, many of them queued."""
        one = self._cupy.ones(1)
        return _repeated(lambda: self._cupy.add(one, 1.0, out=one), self._wait)

    def power(self) -> float | None:
        """Return the power that the driver reads, through NVML."""
        return self._read_power()


def _nvml_power(uuid: str, index: int) -> Callable[[], float | None]:
    """A function that reads the GPU's power in watts, or that returns None where NVML cannot be read."""
    try:
        nvml = importlib.import_module("pynvml")
        nvml.nvmlInit()
        wanted = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
        handle = nvml.nvmlDeviceGetHandleByUUID(wanted) if uuid else nvml.nvmlDeviceGetHandleByIndex(index)
        nvml.nvmlDeviceGetPowerUsage(handle)
    except Exception:  # noqa: BLE001, RUF100 -- NVML has an error class of its own, and power is only an extra
        return lambda: None
    return lambda: float(nvml.nvmlDeviceGetPowerUsage(handle)) / 1000.0


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _platform() -> str:
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def processor_name() -> str:
    """Return the processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith(("model name", "hardware")))
    found = next((name for name in named if name), "")
    return found or _sysctl_text("machdep.cpu.brand_string") or platform.processor() or "unknown processor"


def last_level_cache(root: Path = Path("/sys/devices/system/cpu")) -> int | None:
    """Return the bytes of last-level cache, shared ones counted once; None where the system does not say."""
    found: dict[tuple[int, str], int] = {}
    for folder in root.glob("cpu[0-9]*/cache/index[0-9]*"):
        try:
            if (folder / "type").read_text().strip() == "Instruction":
                continue
            level, size = int((folder / "level").read_text()), (folder / "size").read_text().strip()
            found[level, (folder / "shared_cpu_list").read_text().strip()] = _cache_size(size)
        except (OSError, ValueError):
            continue
    if not found:
        return _sysctl_number("hw.l3cachesize") or _sysctl_number("hw.perflevel0.l2cachesize") or _sysctl_number("hw.l2cachesize")
    last = max(level for level, _ in found)
    return sum(size for (level, _), size in found.items() if level == last) or None


def _cache_size(text: str) -> int:
    factor = {"K": 2**10, "M": 2**20, "G": 2**30}.get(text[-1:], 1)
    return int(text.rstrip("KMG")) * factor


def _sysctl_bytes(name: str) -> bytes:
    """The answer of macOS and the BSDs; empty elsewhere."""
    if platform.system() in ("Linux", "Windows"):
        return b""
    library, size = ctypes.CDLL(ctypes.util.find_library("c")), ctypes.c_size_t(256)
    buffer = ctypes.create_string_buffer(size.value)
    failed = library.sysctlbyname(name.encode(), buffer, ctypes.byref(size), None, 0)
    return b"" if failed else buffer.raw[: size.value]


def _sysctl_text(name: str) -> str:
    return _sysctl_bytes(name).rstrip(b"\0").decode(errors="replace")


def _sysctl_number(name: str) -> int | None:
    return int.from_bytes(_sysctl_bytes(name), "little") or None


def _main_memory() -> float | None:
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return None


def _blas(numpy: Any) -> str:
    """Name and version of NumPy's BLAS, as its build says."""
    try:
        said = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{said['name']} {said.get('version', '')}".strip()
    except (KeyError, TypeError):
        return "unknown BLAS"


def _blas_threads(cores: int) -> str:
    """Threads of the BLAS and how that is known."""
    try:
        pools: Sequence[Mapping[str, Any]] = importlib.import_module("threadpoolctl").threadpool_info()
        counts = [int(pool["num_threads"]) for pool in pools if pool.get("user_api") == "blas"]
        if counts:
            return f"{max(counts)} (threadpoolctl)"
    except ImportError:
        pass
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return f"{os.environ[name]} ({name})"
    return f"{cores} (one a core, the usual default; not read back)"


@contextlib.contextmanager
def one_blas_thread() -> Iterator[bool]:
    """Let NumPy's BLAS use one thread for a while, where it is an OpenBLAS that can be told; says whether it was.

    Threads of one product wait for each other: beside other work they stand idle most of the time.
    """
    told = [(tell, ask()) for tell, ask in _openblas_controls()]
    for tell, _ in told:
        tell(1)
    try:
        yield bool(told)
    finally:
        for tell, before in told:
            tell(before)


def _openblas_controls() -> list[tuple[Callable[[int], Any], Callable[[], int]]]:
    """Functions that set and get the threads of each OpenBLAS in this process, on systems that list what is loaded."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    files = {line.split(maxsplit=5)[-1] for line in lines if "openblas" in line}
    controls = []
    for file in sorted(files):
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(file)
            pairs = [
                [f"{start}openblas_{verb}_num_threads{end}" for verb in ("set", "get")] for start in ("", "scipy_") for end in ("", "64_")
            ]
            controls += [(getattr(library, tell), getattr(library, ask)) for tell, ask in pairs if hasattr(library, tell)]
    return controls


def skinny_side(cache: float, element_size: float, most: float) -> int:
    """Return the side, a multiple of 64, of a square matrix twice as large as the cache, within `most` bytes.

    >>> skinny_side(32 * 2**20, 8.0, 2.0**30), skinny_side(32 * 2**20, 8.0, 16 * 2.0**20)
    (2944, 1408)
    """
    wanted = min(2.0 * cache, most)
    side = math.sqrt(wanted / element_size)
    return max(64, 64 * (math.ceil(side / 64.0) if wanted < most else math.floor(side / 64.0)))
