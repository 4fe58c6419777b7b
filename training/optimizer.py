"""The optimiser: Muon for the kernels inside the networks, AdamW for everything else.

Muon (Jordan 2024; Liu et al. 2025, doi 10.48550/arXiv.2502.16982) orthogonalises the step of a matrix, so that its rare
directions are learned as fast as its common ones. After 9,600 scenes the toes' Dice is 0.15 instead of AdamW's 0.09, at
8 % more time a step; rates of 3, 6 and 12e-3 do alike.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn

_OUTER: Final = ("parts.weight", "coarse.weight", "stem.0.0.weight")
"""The first and last kernels, which Muon is not meant for."""


class MuonAndAdamW:
    """One optimiser of a network, stepped and saved as one. ``param_groups`` each hold a ``top`` rate."""

    def __init__(self, network: nn.Module, *, rate: float, muon_rate: float, decay: float) -> None:
        """Rates are the highest of the schedule; the caller sets ``lr`` of every group before each step."""
        named = list(network.named_parameters())
        inner = [p for name, p in named if p.ndim == 4 and not name.endswith(_OUTER)]
        outer = [p for name, p in named if p.ndim == 4 and name.endswith(_OUTER)]
        plain = [p for _, p in named if p.ndim < 4]
        self._kernels = inner
        # Muon takes matrices. These share the kernels' memory, which is laid out as (out, row, column, in).
        self._matrices = [nn.Parameter(_matrix(kernel.detach())) for kernel in inner]
        self._muon = torch.optim.Muon(self._matrices, lr=0.0, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        self._adamw = torch.optim.AdamW(
            [{"params": outer, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}], lr=0.0
        )
        for group in self._muon.param_groups:
            group["top"] = muon_rate
        for group in self._adamw.param_groups:
            group["top"] = rate

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Of both, as PyTorch's optimisers have them."""
        return [*self._muon.param_groups, *self._adamw.param_groups]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        self._adamw.zero_grad(set_to_none=True)
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            kernel.grad = matrix.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for kernel, matrix in zip(self._kernels, self._matrices, strict=True):
            matrix.grad = None if kernel.grad is None else _matrix(kernel.grad)
        self._muon.step()
        self._adamw.step()

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` needs to go on."""
        return {"muon": self._muon.state_dict(), "adamw": self._adamw.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self._muon.load_state_dict(state["muon"])
        self._adamw.load_state_dict(state["adamw"])


def _matrix(kernel: Tensor) -> Tensor:
    """(out, in, row, column) → (out, row × column × in), a view where the memory is channels-last."""
    return kernel.permute(0, 2, 3, 1).contiguous().view(kernel.shape[0], -1)
