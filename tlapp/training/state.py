"""Everything that changes while a phase learns, as tensors: saved after an epoch, put back later.

Going on from a saved state gives the same weights, bit for bit, as never having stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from tlapp.errors import TrainingError
from tlapp.messages import message
from tlapp.training.optim import laid_out_like

State = Mapping[str, Tensor]  # names as in `LearningState.save`

MOST_LEARNT_BYTES = 100_000_000  # of parameters; AdamW's two moments take twice as much again

_EPOCHS = "epochs"
_STEPS = "steps"
_RATES = "rates"  # of each group of parameters, at its next step
_GENERATOR = "generator"


@dataclass(frozen=True, eq=False)
class LearningState:
    """What a trainer changes. `save` copies all of it, `load` puts it back in place."""

    parameters: Sequence[Tensor]
    buffers: Sequence[Tensor]  # statistics that are learnt as well
    optimizer: Optimizer
    schedule: LambdaLR
    generator: torch.Generator

    def save(self, epochs: int) -> State | None:
        """A copy, after so many epochs of this phase; None: too large to be kept at every epoch."""
        learnt = sum(tensor.nbytes for tensor in (*self.parameters, *self.buffers))
        if learnt > MOST_LEARNT_BYTES:
            return None
        moments = self.optimizer.state_dict()["state"]
        return {
            **{f"parameter {i}": tensor for i, tensor in enumerate(_copies(self.parameters))},
            **{f"buffer {i}": tensor for i, tensor in enumerate(_copies(self.buffers))},
            **{
                f"moment {i} {key}": value.clone(memory_format=torch.contiguous_format)
                for i, of_parameter in moments.items()
                for key, value in of_parameter.items()
                if isinstance(value, Tensor)
            },
            _GENERATOR: self.generator.get_state(),
            _STEPS: torch.tensor(self.schedule.last_epoch),
            _RATES: torch.tensor(
                [group["lr"] for group in self.optimizer.param_groups], dtype=torch.float64
            ),
            _EPOCHS: torch.tensor(epochs),
        }

    def load(self, state: State) -> int:
        """Put back what `save` returned; how many epochs had passed then.

        Raises TrainingError when it is of another network or damaged.
        """
        try:
            return self._load(state)
        except (KeyError, RuntimeError, ValueError, TypeError, IndexError) as error:
            raise TrainingError(
                message("What this training needs to go on is damaged."),
                hint=message("Fine-tune its best epoch, or train again."),
            ) from error

    def _load(self, state: State) -> int:
        with torch.no_grad():
            for kind, tensors in (("parameter", self.parameters), ("buffer", self.buffers)):
                for i, tensor in enumerate(tensors):
                    tensor.copy_(state[f"{kind} {i}"])
        self._load_moments(state)
        self.generator.set_state(state[_GENERATOR])
        self.schedule.last_epoch = int(state[_STEPS])
        for group, rate in zip(self.optimizer.param_groups, state[_RATES].tolist(), strict=True):
            group["lr"] = rate
        return int(state[_EPOCHS])

    def _load_moments(self, state: State) -> None:
        """What the optimizer remembers of each parameter; a step count is a single number."""
        groups = self.optimizer.param_groups
        parameters = [parameter for group in groups for parameter in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in state.items():
            kind, *place = name.split(" ")
            if kind == "moment":
                i, key = int(place[0]), place[1]
                moment = laid_out_like(parameters[i], value) if value.ndim else value
                moments.setdefault(i, {})[key] = moment
        plain_groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": moments, "param_groups": plain_groups})


def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [tensor.detach().clone(memory_format=torch.contiguous_format) for tensor in tensors]
