"""`measure`: time matrix products, vectors and launches on this machine, and predict shapes before timing them.

Times are those of `time.perf_counter`: warm-up, then samples of as many calls as fill a millisecond;
the best counts, and the median absolute deviation says how much the samples scatter. On a processor the
time that it gave to this process counts where it is shorter: waiting behind other work is then no part
of a kernel, but their share of caches and memory is.
"""

import datetime
import functools
import itertools
import math
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from nvscale.errors import InvalidInput
from nvscale.formulas import memory
from nvscale.truth.machines import CANNOT, STREAM_WORDS, Machine, Run, find_machine, one_blas_thread, skinny_side
from nvscale.truth.measurements import GemmFit, Measurement, Prediction, Row

Shape = tuple[int, int, int]
Progress = Callable[[int, int, str], None]
ELEMENT_SIZE = {"fp64": 8.0, "fp32": 4.0, "tf32": 4.0, "bf16": 2.0, "fp16": 2.0, "fp8": 1.0}
"""Bytes in memory of one element; tf32 is stored as fp32."""
SAMPLE = 1e-3
"""Seconds that one sample lasts at least."""
MOST_CALLS, MOST_SAMPLES, FEWEST_SAMPLES = 10_000, 100, 3
FEWEST_SHAPES = 5
"""Shapes of a number format that a fit needs: it has four unknowns."""
ABOVE = 1.25
"""How far the rate of very large products may lie above the best rate among the fitted ones."""
AGREE, MORE_ROUNDS = 1.1, 4
"""The best two rounds of a row agree to a tenth, or it is sampled again, so many times at most."""
NOISY = 0.2
"""Spread from which a row counts as disturbed."""
BUSY = 0.7
"""Load average from which a note says that other work was running."""
FINE_CLOCK = 1e-6
"""Resolution in seconds that a clock must have to time a sample."""
PATIENCE = 0.2
"""Seconds after which a slow kernel gets no further sample."""
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and how long.

    Parameters
    ----------
    fitted, predicted : sequence of (m, n, k)
        Shapes that the model is fitted to, and shapes that it predicts. A zero stands for the side of
        a matrix that is twice as large as the last-level cache.
    vectors : sequence of (m, n, k)
        Products of a matrix and a vector: another routine of a BLAS, and not part of the fit.
    stream_bytes, matrix_bytes : float
        Most bytes of one vector, and of one matrix that a zero asks for.
    row_seconds : float
        Time for the samples of one row, over all rounds; three a round are taken unless they are slow.
    rounds : int
        Times that all rows are gone through, so that a disturbance of a second spoils none; rows whose
        rounds disagree are sampled again while there is time.
    seconds : float
        Time after which a row gets one round of the fewest samples.
    """

    fitted: Sequence[Shape]
    predicted: Sequence[Shape]
    vectors: Sequence[Shape] = ((1, 0, 0), (0, 1, 0))
    stream_bytes: float = 40.0 * MIB
    matrix_bytes: float = 64.0 * MIB
    row_seconds: float = 0.08
    rounds: int = 2
    seconds: float = 8.0


def _square(*sides: int) -> tuple[Shape, ...]:
    return tuple((side, side, side) for side in sides)


_SKINNY = ((4, 0, 0), (32, 0, 0), (0, 16, 0))
_SKINNY_OTHER = ((8, 0, 0), (16, 0, 0), (0, 8, 0))
QUICK_CPU = Plan(
    fitted=(*_square(16, 64, 128, 256, 512), (768, 768, 64), *_SKINNY[:2]),
    predicted=(*_square(32, 96, 192, 384, 640), (512, 1024, 96), *_SKINNY_OTHER[:2]),
)
FULL_CPU = Plan(
    fitted=(*_square(16, 64, 128, 256, 512, 1024), (1024, 1024, 64), (64, 64, 8192), *_SKINNY),
    predicted=(*_square(32, 96, 192, 384, 768, 1536), (768, 1536, 96), (128, 128, 4096), *_SKINNY_OTHER),
    stream_bytes=256.0 * MIB, matrix_bytes=256.0 * MIB, row_seconds=0.3, seconds=40.0,
)  # fmt: skip
QUICK_GPU = Plan(
    fitted=(*_square(128, 1024, 4096), (4096, 4096, 256), (16, 0, 0), (128, 0, 0)),
    predicted=(*_square(512, 2048, 3072), (2048, 8192, 512), (32, 0, 0), (64, 0, 0)),
    stream_bytes=256.0 * MIB, matrix_bytes=256.0 * MIB, row_seconds=0.05, seconds=8.0,
)  # fmt: skip
FULL_GPU = Plan(
    fitted=(*_square(128, 256, 512, 1024, 4096, 8192), (8192, 8192, 256), (256, 256, 16384), (16, 0, 0), (64, 0, 0), (0, 32, 0)),
    predicted=(*_square(192, 384, 768, 2048, 6144, 7168), (4096, 8192, 512), (512, 512, 8192), (32, 0, 0), (128, 0, 0), (0, 64, 0)),
    stream_bytes=1024.0 * MIB, matrix_bytes=512.0 * MIB, row_seconds=0.25, seconds=35.0,
)  # fmt: skip
PLANS = {("cpu", True): QUICK_CPU, ("cpu", False): FULL_CPU, ("gpu", True): QUICK_GPU, ("gpu", False): FULL_GPU}


def sample_kernel(run: Run, budget: float, fewest: int = FEWEST_SAMPLES, *, on_processor: bool = False) -> tuple[list[float], int]:
    """Return times of one call of a kernel: two warm-up runs, then samples until the budget is spent.

    Parameters
    ----------
    run : callable
        Makes as many calls as it is told and returns when they are done.
    budget : float
        Seconds for the samples.
    fewest : int
        Samples that are taken in any case, unless they take much longer than the budget.
    on_processor : bool
        Whether the kernel runs in this process, so that its processor time bounds how long it takes.

    Returns
    -------
    list of float, int
        Seconds of one call in every sample, and the calls in a sample.
    """
    run(1)
    once = max(_clock(run, 1, on_processor), 1e-9)
    calls = min(max(1, math.ceil(SAMPLE / once)), MOST_CALLS)
    samples: list[float] = []
    start, patience = time.perf_counter(), max(4.0 * budget, PATIENCE)
    while len(samples) < MOST_SAMPLES:
        samples.append(max(_clock(run, calls, on_processor), 1e-9) / calls)
        spent = time.perf_counter() - start
        if spent > patience or (spent > budget and len(samples) >= fewest):
            break
    return samples, calls


def _clock(run: Run, calls: int, on_processor: bool) -> float:
    """Seconds of so many calls: elapsed, or those that all threads of the process ran, whichever is less."""
    start, ran = time.perf_counter(), time.process_time()
    run(calls)
    elapsed, ran = time.perf_counter() - start, time.process_time() - ran
    return min(elapsed, ran) if on_processor and ran > 0.0 and _fine_process_clock() else elapsed


@functools.cache
def _fine_process_clock() -> bool:
    """Whether the processor time of the process is counted finely enough."""
    return time.get_clock_info("process_time").resolution <= FINE_CLOCK


def measure(
    device: "str | Machine" = "cpu", *, quick: bool = False, progress: Progress | None = None, plan: Plan | None = None
) -> Measurement:
    """Measure this machine: matrix products, vectors, launches; fit half of the shapes and predict the others.

    Parameters
    ----------
    device : str or Machine
        "cpu" (NumPy and its BLAS; its threads are left as they are unless other work is running), "gpu" (PyTorch, or else CuPy), or
        an object with the kernels of another device.
    quick : bool
        Fewer shapes and samples: seconds, not a minute.
    progress : callable, optional
        Called with steps done, steps in all, and what comes next.
    plan : Plan, optional
        Shapes and times of your own.

    Returns
    -------
    Measurement
        `rows`, `fits`, `predictions`; `chip()`, `write(path)`, `write_rows(path)`, `to_dict()`.

    Raises
    ------
    UnknownName, MissingDependency, InvalidInput
        No such device; no library that sees a GPU; a plan with too few shapes.
    """
    machine = find_machine(device)
    chosen = plan or PLANS["cpu" if machine.description.device == "cpu" else "gpu", quick]
    if len(chosen.fitted) < FEWEST_SHAPES:
        raise InvalidInput(f"plan: {len(chosen.fitted)} shapes to fit are too few; wanted at least {FEWEST_SHAPES} for four unknowns")
    session = _Session(machine, chosen, progress or (lambda *_: None), load=_busy())
    if not session.crowded:
        return session.run()
    with one_blas_thread() as session.one_thread:
        return session.run()


def _busy() -> float:
    """Processes that were running or waiting during the last minute, where the system says so."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


@dataclass(slots=True)
class _Job:
    """One row to be: how to make its kernel, what it counts, and its samples so far."""

    kernel: str
    precision: str
    make: Callable[[], Run]
    flop: float
    data: float
    footprint: float
    shape: Shape | None = None
    elements: int | None = None
    how: str = ""
    samples: list[float] = field(default_factory=list)
    bests: list[float] = field(default_factory=list)
    calls: int = 1
    failed: bool = False

    @property
    def disturbed(self) -> bool:
        """Whether the best two rounds differ."""
        bests = sorted(self.bests)
        return not self.failed and len(bests) > 1 and bests[1] > AGREE * bests[0]

    @property
    def title(self) -> str:
        """What is said of it while it runs."""
        return f"{self.kernel}{self.how}" if self.shape is None else f"{self.kernel} {self.precision} {' x '.join(map(str, self.shape))}"


@dataclass(slots=True)
class _Session:
    """One measurement while it runs."""

    machine: Machine
    plan: Plan
    progress: Progress
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    powers: list[float] = field(default_factory=list)
    worked: set[str] = field(default_factory=set)
    started: float = field(default_factory=time.perf_counter)
    load: float = 0.0
    done: int = 0
    total: int = 0
    one_thread: bool = False

    @property
    def crowded(self) -> bool:
        """Whether other work holds so much of the processor that the threads of one product would wait for each other."""
        about = self.machine.description
        return about.device == "cpu" and self.load > max(BUSY, about.cores / 4.0)

    def run(self) -> Measurement:
        """Measure: launch and vectors, then the products that are fitted; predict the others; measure those."""
        single = [self._launch(), *itertools.starmap(self._stream, itertools.product(self.machine.streams, self.machine.thread_counts))]
        formats = self.machine.precisions
        first = [self._product(p, shape, "gemv") for p in formats for shape in self._sized(self.plan.vectors, p)]
        first += [self._product(p, shape, "gemm") for p in formats for shape in self._sized(self.plan.fitted, p)]
        other = [self._product(p, shape, "gemm") for p in formats for shape in self._sized(self.plan.predicted, p)]
        self.total = self.plan.rounds * (len(single) + len(first) + len(other)) + 1
        self._time(single)
        fitted = self._time(first)
        fits = self._fit([row for row in fitted if row.kernel == "gemm"])
        self._step(f"predicting {len(other)} shapes")
        wanted = [(job.precision, job.shape) for job in other if job.shape and job.precision in fits]
        promised = {(p, shape): float(fits[p].seconds(*map(float, shape))) for p, shape in wanted}
        found = {(row.precision, (row.m, row.n, row.k)): row.seconds for row in self._time(other)}
        predictions = [Prediction(p, *shape, seconds, found[p, shape]) for (p, shape), seconds in promised.items() if (p, shape) in found]
        self.progress(self.total, self.total, "done")
        return Measurement(
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            machine=self.machine.description,
            rows=tuple(self.rows),
            fits=tuple(fits.values()),
            predictions=tuple(predictions),
            skipped=self.skipped,
            power=max(self.powers, default=None),
            took=time.perf_counter() - self.started,
            notes=tuple(self._notes()),
        )

    def _step(self, what: str) -> None:
        self.progress(min(self.done, self.total), self.total, what)
        self.done += 1

    def _launch(self) -> _Job:
        return _Job("launch", "fp64", self.machine.launch, flop=1.0, data=16.0, footprint=8.0, elements=1)

    def _stream(self, kernel: str, threads: int) -> _Job:
        elements, (words, operations) = self._stream_elements(), STREAM_WORDS[kernel]
        how = f", {threads} thread{'s' if threads > 1 else ''}" if self.machine.description.device == "cpu" else ""
        make = functools.partial(self.machine.stream, kernel, elements, threads)
        data = 8.0 * words * elements
        return _Job(kernel, "fp64", make, flop=float(operations * elements), data=data, footprint=math.inf, elements=elements, how=how)

    def _product(self, precision: str, shape: Shape, kernel: str) -> _Job:
        m, n, k = map(float, shape)
        data = float(memory.compulsory_matmul_traffic(m, n, k, ELEMENT_SIZE[precision]))
        make = functools.partial(self.machine.gemm, precision, *shape)
        return _Job(kernel, precision, make, flop=2.0 * m * n * k, data=data, footprint=data, shape=shape)

    def _stream_elements(self) -> int:
        """Elements of one vector: four times the last-level cache, within the plan and a sixteenth of the memory."""
        about = self.machine.description
        most = min(self.plan.stream_bytes, (about.memory or math.inf) / 16.0)
        return max(1024, int(min(4.0 * about.cache, most) / 8.0))

    def _sized(self, shapes: Sequence[Shape], precision: str) -> list[Shape]:
        """Shapes with the zeros filled in, each once."""
        most = min(self.plan.matrix_bytes, (self.machine.description.memory or math.inf) / 16.0)
        side = skinny_side(self.machine.description.cache, ELEMENT_SIZE[precision], most)
        return list(dict.fromkeys((m or side, n or side, k or side) for m, n, k in shapes))

    def _time(self, jobs: Sequence[_Job]) -> list[Row]:
        """Sample all jobs, in rounds, so that a disturbance of a second spoils no row; return their rows."""
        for _, job in itertools.product(range(self.plan.rounds), jobs):
            self._step(job.title)
            dropped = job.failed or bool(job.shape and job.precision in self.skipped)
            if not dropped and not (job.samples and self._late()):
                self._sample(job)
        for _, job in itertools.product(range(MORE_ROUNDS), jobs):
            if job.disturbed and not self._late():
                self.progress(min(self.done, self.total), self.total, f"again: {job.title}")
                self._sample(job)
        rows = [self._row(job) for job in jobs if job.samples and not job.failed]
        self.rows += rows
        return rows

    def _late(self) -> bool:
        return time.perf_counter() - self.started > self.plan.seconds

    def _sample(self, job: _Job) -> None:
        try:
            budget = 0.0 if self._late() else self.plan.row_seconds / self.plan.rounds
            samples, job.calls = sample_kernel(job.make(), budget, on_processor=self.machine.description.device == "cpu")
        except CANNOT as problem:
            job.failed = True
            self.skipped[job.precision if job.kernel == "gemm" and job.precision not in self.worked else job.title] = _first_line(problem)
            return
        if job.kernel == "gemm":
            self.worked.add(job.precision)
        job.samples += samples
        job.bests.append(min(samples))
        drawn = self.machine.power() if job.kernel == "gemm" else None
        if drawn is not None:
            self.powers.append(drawn)

    def _row(self, job: _Job) -> Row:
        about = self.machine.description
        best, median = min(job.samples), statistics.median(job.samples)
        m, n, k = job.shape or (None, None, None)
        return Row(
            chip=about.name,
            kernel=job.kernel,
            precision=job.precision,
            m=m,
            n=n,
            k=k,
            batch=None if job.shape is None else 1,
            elements=job.elements,
            achieved_flop_per_s=job.flop / best if job.flop else None,
            achieved_bytes_per_s=job.data / best,
            seconds=best,
            implementation=f"{about.library}{job.how}",
            median_seconds=median,
            spread=statistics.median(abs(sample - median) for sample in job.samples) / median,
            repeats=len(job.samples),
            calls=job.calls,
            resident="memory" if job.footprint > about.cache else "cache",
        )

    def _fit(self, rows: Sequence[Row]) -> dict[str, GemmFit]:
        """A model for every number format with enough rows."""
        fits = {}
        for precision in self.machine.precisions:
            own = [row for row in rows if row.precision == precision]
            if len(own) >= FEWEST_SHAPES:
                fits[precision] = fit_gemm(own, self._bandwidth())
            else:
                said = f"{len(own)} of {len(self.plan.fitted)} shapes could be measured, too few to predict others"
                self.skipped.setdefault(precision, said)
        return fits

    def _bandwidth(self) -> float:
        return max((row.achieved_bytes_per_s for row in self.rows if row.resident == "memory"), default=math.nan)

    def _notes(self) -> Iterator[str]:
        about, vector = self.machine.description, 8.0 * self._stream_elements()
        if self.one_thread:
            yield "BLAS threads: 1, since other work was running; with all threads the best rates may be higher: measure again when idle"
        elif about.threads:
            yield f"BLAS threads: {about.threads}; left as they were"
        yield "bytes counted: each vector once a pass, each matrix once; what a cache fetches before a write is not counted"
        if "triad_two_passes" in self.machine.streams:
            yield "the triad takes two passes here (multiply, then add), 5 words an element; STREAM's own takes one and counts 3"
        if not about.cache_known:
            yield f"the system does not tell its last-level cache; {about.cache / MIB:.0f} MiB is assumed"
        if 2.0 * vector <= about.cache:
            size = f"{vector / MIB:.0f} MiB fit into the last-level cache of {about.cache / MIB:.0f} MiB"
            yield f"vectors of {size}: the bandwidth may be that of the cache"
        if about.device == "gpu":
            yield "rates are those of the library's kernels, on the units it chose; fp8 products are written as bf16, counted as fp8"
        if self.load > BUSY:
            said = f"other work was running: load average {self.load:.1f} of {about.cores} cores at the start"
            yield f"{said}; it takes its share of caches and memory"
        noisy = sum(row.spread > NOISY for row in self.rows)
        if noisy:
            yield f"{noisy} of {len(self.rows)} rows scatter by more than {NOISY:.0%}: measure again when the machine is idle"
        for what, why in self.skipped.items():
            yield f"skipped {what}: {why}"


def _first_line(problem: BaseException) -> str:
    return (str(problem).splitlines() or [""])[0][:200] or type(problem).__name__


def fit_gemm(rows: Sequence[Row], bandwidth: float) -> GemmFit:
    """Return launch time, compute share, bandwidth share and overlap that fit the measured matrix products best.

    Parameters
    ----------
    rows : sequence of Row
        Matrix products of one number format, at least five.
    bandwidth : float
        Bandwidth from memory, byte/s.

    Returns
    -------
    GemmFit
        Least squares of the logarithms, with less weight for outliers.
    """
    import numpy as np
    from scipy.optimize import least_squares

    sizes = np.array([(row.m, row.n, row.k) for row in rows], float).T
    seconds = np.array([row.seconds for row in rows])
    peak = max(row.achieved_flop_per_s or 0.0 for row in rows)
    precision = rows[0].precision
    size = ELEMENT_SIZE[precision]

    def made(free: Sequence[float]) -> GemmFit:
        launch, compute, traffic = (math.exp(value) for value in free[:3])
        return GemmFit(precision, size, peak, bandwidth, launch, compute, traffic, float(free[3]), len(rows))

    def residuals(free: Sequence[float]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        return np.asarray(np.log(made(free).seconds(*sizes) / seconds), float)

    shortest = math.log(seconds.min())
    low, high = [shortest - 10.0, math.log(0.01), math.log(0.01), 0.0], [shortest, math.log(ABOVE), 0.0, 1.0]
    starts = [(shortest - 1.0, math.log(0.9), math.log(share), overlap) for share in (0.3, 0.8) for overlap in (0.1, 0.9)]
    tried = [least_squares(residuals, start, bounds=(low, high), loss="soft_l1", f_scale=0.1) for start in starts]
    best = made(min(tried, key=lambda one: float(one.cost)).x.tolist())
    error = statistics.median(float(value) for value in np.abs(best.seconds(*sizes) / seconds - 1.0))
    return GemmFit(**{name: getattr(best, name) for name in GemmFit.__dataclass_fields__ if name != "error"}, error=error)
