"""A training job: which model, on how long sequences, in how large batches, in which formats."""

from typing import Annotated, Any

from nvscale.errors import InvalidInput
from nvscale.formats import precision
from nvscale.ops import FLOAT, carrier
from nvscale.record import Record
from nvscale.transformers import Model
from nvscale.unit_types import Bytes, Count, Share
from nvscale.units import Unit


class Training(Record):
    """One training job, without saying on what it runs or how it is spread.

    Parameters
    ----------
    model : Model
        The transformer.
    sequence : 1
        Tokens of a sequence.
    global_batch : 1
        Sequences of one optimizer step.
    precision : str
        Number format of the matrix multiplies of the layers; attention scores and the output head stay at 16 bits.
    frozen : 1
        Share of the weights that get no gradient: 0 for pre-training, about 1 for low-rank adapters.
    weight_size, gradient_size, optimizer_size : byte
        Bytes per parameter of the working weights, of the gradient that is kept and reduced into, and of
        optimizer states with the master weights (Adam in mixed precision: 4 + 4 + 4).
    reduced_size : byte
        Bytes per parameter that cross the network when gradients are reduced.
    loss_is_fused : 1
        1: the loss never stores the logits in 32 bits.

    Examples
    --------
    >>> from nvscale.transformers import Model
    >>> small = Model(name="small", layers=12, hidden=768, heads=12, ffn=3072, ffn_matrices=2, vocabulary=50257)
    >>> Training(model=small, sequence=1024, global_batch=512).tokens
    524288.0
    """

    model: Model
    sequence: Count
    global_batch: Count
    precision: str = "bf16"
    frozen: Share = 0.0
    weight_size: Bytes = 2.0
    gradient_size: Bytes = 4.0
    optimizer_size: Bytes = 12.0
    reduced_size: Bytes = 2.0
    loss_is_fused: Annotated[Any, Unit("1", "[0,1]")] = 1.0

    def __post_init__(self) -> None:
        """Check the fields; the precision takes the spelling of the catalogue."""
        super().__post_init__()
        object.__setattr__(self, "precision", precision(self.precision).name)
        context, sequence = self.model.positions, self.sequence
        if carrier(context) == FLOAT and carrier(sequence) == FLOAT and 0.0 < context < sequence:
            raise InvalidInput(
                f"Training: sequence = {sequence:g} is longer than the {context:g} positions that {self.model.name or 'the model'} learned"
            )

    @property
    def tokens(self) -> Any:
        """Tokens of one optimizer step."""
        return self.global_batch * self.sequence
