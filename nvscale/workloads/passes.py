"""Element-wise and row-wise operators: activation functions, softmax, norms, look-ups, routing, quantisation, STREAM."""

from nvscale.formats import precision
from nvscale.formulas import passes
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Ratio
from nvscale.workloads.words import framework_name, pass_operator


class Pass(Record):
    """One pass of an operator over rows of elements.

    Parameters
    ----------
    operator : str
        "gelu", "softmax", "layernorm", "embedding", "top_k_routing", "static_quantise_fp8", "stream_triad" ...
    columns : 1
        Elements of a row.
    rows : 1
        Rows.
    precision : str
        Number format of the elements.
    framework : str
        Software whose kernels run; empty for none in particular.

    Examples
    --------
    >>> Pass(operator="softmax", rows=4096, columns=2048).traffic
    33554432.0
    """

    operator: str
    columns: Count
    rows: Count = 1.0
    precision: str = "bf16"
    framework: str = ""

    def __post_init__(self) -> None:
        """Check the fields; operator and framework take the spelling of the data."""
        super().__post_init__()
        object.__setattr__(self, "operator", pass_operator(self.operator).name)
        object.__setattr__(self, "framework", framework_name(self.framework))
        precision(self.precision)

    @property
    def elements(self) -> Count:
        """Elements of all rows."""
        return self.rows * self.columns

    @property
    def traffic(self) -> Bytes:
        """Bytes that one pass moves."""
        known, size = pass_operator(self.operator), precision(self.precision).bytes_per_element
        return passes.pass_traffic(self.elements, known.reads * size, known.writes * size)

    @property
    def reduced_length(self) -> Ratio:
        """Elements that are reduced together; 0 for element-wise operators."""
        return self.columns if pass_operator(self.operator).row_wise == "yes" else 0.0
