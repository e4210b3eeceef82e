"""Matrix multiplies: C = A B with A of m x k (activations) and B of k x n (weights)."""

from collections.abc import Sequence
from typing import Any, Self

from nvscale.errors import InvalidInput
from nvscale.formulas import matrix_multiply
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Flop, Share
from nvscale.units import Unit
from nvscale.workloads.words import OperandStorage, framework_name, operand_storage


class Gemm(Record):
    """One matrix multiply, or a batch of them with weights of their own.

    Parameters
    ----------
    m, n, k : 1
        Rows of the activations, columns of the weights, inner length.
    precision : str
        How the operands are stored: a number format, or e.g. "fp8_block", "int4_weight_only".
    batch : 1
        Multiplies of that size in one kernel.
    framework : str
        Software whose kernels run: "sglang", "trtllm", "vllm", "pytorch"; empty for none in particular.
    replayed : 1
        1: the kernel is run again and again as benchmarks do, so that what fits the last-level cache is
        read from there; 0: a layer of a model, whose weights come from memory.
    quantising : 1
        1: activations are quantised on the fly where the precision wants it; 0: they come quantised.

    Examples
    --------
    >>> work = Gemm(m=16, n=8192, k=8192)
    >>> work.flop, work.traffic
    (2147483648.0, 134742016.0)
    """

    m: Count
    n: Count
    k: Count
    precision: str = "bf16"
    batch: Count = 1.0
    framework: str = ""
    replayed: Share = 1.0
    quantising: Share = 1.0

    def __post_init__(self) -> None:
        """Check the fields; precision and framework take the spelling of the data."""
        super().__post_init__()
        object.__setattr__(self, "precision", operand_storage(self.precision).name)
        object.__setattr__(self, "framework", framework_name(self.framework))

    @classmethod
    def grouped(cls, rows: Sequence[Any], *, n: Count, k: Count, **others: Any) -> Self:
        """Return a grouped multiply: each group of rows has weights of its own, as experts have.

        Work and traffic depend on the sum of the rows and on how many groups have any, not on how the rows
        are spread; empty groups touch no weights. The last tiles of small groups are not counted apart.

        Parameters
        ----------
        rows : sequence of float
            Rows of every group; at least one is above 0.
        n, k : 1
            Columns and inner length, the same for all groups.
        others : Any
            Further fields: precision, framework, replayed, quantising.

        Raises
        ------
        InvalidInput
            A number of rows is neither 0 nor 1 or more, or there are no rows at all.

        Examples
        --------
        >>> experts = Gemm.grouped([7, 0, 1, 28], n=4096, k=2048)
        >>> experts.batch, experts.flop == 2 * 36 * 4096 * 2048, experts.weights == 3 * 4096 * 2048 * 2
        (3.0, True, True)
        """
        if "m" in others or "batch" in others:
            raise InvalidInput("Gemm.grouped: m and batch follow from rows; leave them out")
        filled = [Unit("1", ">=1").si(each, "Gemm.grouped: rows") for each in rows if each != 0.0]
        if not filled:
            raise InvalidInput(f"Gemm.grouped: rows {list(rows)!r} hold no row; wanted at least one above 0")
        return cls(m=sum(filled) / len(filled), n=n, k=k, batch=float(len(filled)), **others)

    @property
    def storage(self) -> OperandStorage:
        """How the operands are stored."""
        return operand_storage(self.precision)

    @property
    def flop(self) -> Flop:
        """Operations: 2 m n k."""
        return self.batch * matrix_multiply.multiply_work(self.m, self.n, self.k)

    @property
    def weights(self) -> Bytes:
        """Bytes of the weights."""
        return self.batch * self.n * self.k * self.storage.weight

    @property
    def traffic(self) -> Bytes:
        """Bytes that the multiply itself moves: each operand once."""
        stored = self.storage
        once = matrix_multiply.multiply_traffic(self.m, self.n, self.k, stored.weight, stored.activation, stored.product)
        return self.batch * once

    @property
    def quantisation_traffic(self) -> Bytes:
        """Bytes that the quantisation of the activations moves before the multiply."""
        return self.quantising * self.batch * matrix_multiply.quantisation_traffic(self.m, self.k, self.storage.quantised)
