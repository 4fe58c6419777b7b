"""The networks and their losses: one for the whole picture, one for close-ups of limbs.

A U-Net of plain 3 × 3 convolutions, which oneDNN runs faster in bfloat16 than depthwise ones. Full resolution is never
convolved: every 2 × 2 pixels of the input become channels of one pixel, and the head gives 4 × 17 logits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from rewarm.anatomy.network_input import CHANNELS
from rewarm.twin.scenes import LANDMARKS, PARTS, SIDE_CODES

WIDTHS: Final = (24, 48, 96, 144, 192)
FOOT: Final = tuple(range(PARTS.index("toe1"), PARTS.index("dorsum") + 1))
_TOE_WEIGHT: Final = 2.0
"""Of a pixel of a toe or finger in the cross-entropy; toes are a fiftieth of a picture."""
_PEAK_WEIGHT: Final = 20.0
_TINY: Final = 1e-6
_OFF_SKIN: Final = 255
_PIECE: Final = 16384
"""Pixels of 17 float32 that stay in a core's cache."""


def _convolution(given: int, made: int, step: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(given, made, 3, step, 1, bias=False), nn.BatchNorm2d(made, momentum=0.05), nn.ReLU(inplace=True)
    )


class FinderNetwork(nn.Module):
    """(n, 2, 192, 256) → logits of parts (n, 4 × 17, 96, 128), of sides (n, 3, 96, 128), landmarks (n, 19, 96, 128).

    The four logits of a part belong to the pixels (0, 0), (0, 1), (1, 0), (1, 1) of each 2 × 2.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, *, channels: int = CHANNELS, landmarks: bool = True) -> None:
        """``widths`` are the channels at 1/2, 1/4, … of the input's resolution, ``channels`` those of the input."""
        super().__init__()
        self.widths = widths
        self.stem = nn.Sequential(_convolution(4 * channels, widths[0]), _convolution(widths[0], widths[0]))
        pairs = list(pairwise(widths))
        self.down = nn.ModuleList(_convolution(fine, coarse, 2) for fine, coarse in pairs)
        self.encode = nn.ModuleList(_convolution(coarse, coarse) for _, coarse in pairs)
        self.narrow = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairs)
        self.decode = nn.ModuleList(_convolution(fine, fine) for fine, _ in pairs)
        self.parts = nn.Conv2d(widths[0], 4 * len(PARTS), 3, padding=1)
        self.coarse = nn.Conv2d(widths[0], len(SIDE_CODES) + (len(LANDMARKS) if landmarks else 0), 1)
        nn.init.constant_(self.coarse.bias[len(SIDE_CODES) :], -4.0)  # a landmark is rare

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, before any softmax."""
        x = self.stem(F.pixel_unshuffle(picture, 2))
        finer = []
        for down, encode in zip(self.down, self.encode, strict=True):
            finer.append(x)
            x = down(x)
            x = x + encode(x)
        for level in reversed(range(len(self.down))):
            x = finer[level] + F.interpolate(self.narrow[level](x), scale_factor=2.0, mode="nearest")
            x = x + self.decode[level](x)
        coarse = self.coarse(x)
        return self.parts(x), coarse[:, : len(SIDE_CODES)], coarse[:, len(SIDE_CODES) :]


def full_resolution(parts: Tensor) -> Tensor:
    """The head's logits (n, 4 × 17, 96, 128) → (n, 17, 192, 256)."""
    n, _, rows, columns = parts.shape
    by_part = parts.reshape(n, 4, len(PARTS), rows, columns).transpose(1, 2)
    return F.pixel_shuffle(by_part.reshape(n, 4 * len(PARTS), rows, columns), 2)


def class_weights() -> Tensor:
    """Weight of a pixel of each part in the cross-entropy."""
    return torch.tensor([_TOE_WEIGHT if name.startswith(("toe", "finger")) else 1.0 for name in PARTS])


def losses(answer: tuple[Tensor, Tensor, Tensor], truth: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The terms of the loss, each a scalar, already weighted; ``truth`` as :func:`training.data.encoded` makes it."""
    parts, sides, landmarks = answer
    n, _, rows, columns = parts.shape
    # One row per pixel, in the order of the head's channels: no shuffling of logits to full resolution.
    logits = parts.permute(0, 2, 3, 1).reshape(-1, len(PARTS))
    labels = truth["parts"].reshape(n, rows, 2, columns, 2).permute(0, 1, 3, 2, 4).reshape(-1).long()
    terms = {"parts": PartsLoss.apply(logits, labels, class_weights().to(logits.device))}
    # 255 is off the skin, where no side is asked for. Summed and divided, as a batch without skin has no mean.
    wanted = truth["sides"].long()
    on_skin = (wanted != _OFF_SKIN).sum().clamp_min(1)
    terms["sides"] = 0.5 * F.cross_entropy(sides.float(), wanted, ignore_index=_OFF_SKIN, reduction="sum") / on_skin
    if landmarks.shape[1]:
        terms["landmarks"] = 20.0 * LandmarksLoss.apply(landmarks, truth["landmarks"])
    return terms


# Autograd's passes over 17 and 19 maps cost as much as the network's own on a CPU. The two losses that follow know
# their gradients and work on pieces that stay in the cache.


def _pieces(length: int, device: torch.device) -> list[slice]:
    step = _PIECE if device.type == "cpu" else length
    return [slice(at, at + step) for at in range(0, length, step)]


def _softmax(rows: Tensor) -> Tensor:
    """Over the last axis; twice as fast as torch's for rows as short as 17, which it does not vectorise."""
    powers = (rows - rows.amax(1, keepdim=True)).exp_()
    return powers.div_(powers.sum(1, keepdim=True))


class PartsLoss(torch.autograd.Function):
    """Cross-entropy + soft Dice of every part + cross-entropy and soft Dice of the whole foot.

    (pixels, 17) logits, (pixels,) labels, (17,) weights → a scalar. Dice counts over the whole batch, and only parts
    that are in it.
    """

    @staticmethod
    def forward(ctx, logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:  # noqa: D102
        kind = torch.promote_types(logits.dtype, torch.float32)
        weights = weights.to(kind)
        foot = torch.zeros_like(weights)
        foot[list(FOOT)] = 1.0
        pieces = _pieces(len(labels), logits.device)
        count = torch.bincount(labels, minlength=len(weights)).to(kind)
        all_weight = (count * weights).sum()

        both, total = torch.zeros_like(weights), torch.zeros_like(weights)
        loss, foot_both, foot_sum = (torch.zeros((), dtype=kind, device=logits.device) for _ in range(3))
        for piece in pieces:
            p, label = _softmax(logits[piece].to(kind)), labels[piece]
            own = p.gather(1, label[:, None])[:, 0].clamp_min(_TINY)
            is_foot, p_foot = foot[label], (p @ foot).clamp(_TINY, 1.0 - _TINY)
            loss -= (weights[label] * own.log()).sum() / all_weight
            loss -= torch.where(is_foot > 0, p_foot, 1.0 - p_foot).log().sum() / len(labels)
            both.index_add_(0, label, own)
            total += p.sum(0)
            foot_both += (p_foot * is_foot).sum()
            foot_sum += p_foot.sum()
        total += count + 1.0
        dice = (2.0 * both + 1.0) / total
        present = (count > 0).to(kind) / (count > 0).sum()
        foot_total = foot_sum + (count * foot).sum() + 1.0
        foot_dice = (2.0 * foot_both + 1.0) / foot_total
        loss = loss + (present * (1.0 - dice)).sum() + (1.0 - foot_dice)

        gradient = torch.empty_like(logits)
        for piece in pieces:
            p, label = _softmax(logits[piece].to(kind)), labels[piece]
            own = p.gather(1, label[:, None])[:, 0].clamp_min(_TINY)
            is_foot, p_foot = foot[label], (p @ foot).clamp(_TINY, 1.0 - _TINY)
            by_foot = torch.where(is_foot > 0, -1.0 / p_foot, 1.0 / (1.0 - p_foot)) / len(labels)
            by_foot += (foot_dice - 2.0 * is_foot) / foot_total
            by_p = torch.addr((present * dice / total).expand_as(p), by_foot, foot)
            by_own = -(weights / all_weight)[label] / own - 2.0 * (present / total)[label]
            by_p.scatter_add_(1, label[:, None], by_own[:, None])
            by_p -= (by_p * p).sum(1, keepdim=True)
            gradient[piece] = by_p.mul_(p)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None, None]:  # noqa: D102
        (gradient,) = ctx.saved_tensors
        return gradient * outer, None, None


class LandmarksLoss(torch.autograd.Function):
    """Mean cross-entropy of logits (n, 19, y, x) against heat 0..255, pixels on a peak weighted 21-fold."""

    @staticmethod
    def forward(ctx, logits: Tensor, heat: Tensor) -> Tensor:  # noqa: D102
        kind = torch.promote_types(logits.dtype, torch.float32)
        loss = torch.zeros((), dtype=kind, device=logits.device)
        gradient = torch.empty_like(logits)
        for z, h, made in zip(logits, heat, gradient, strict=True):
            z, wanted = z.to(kind), h.to(kind) / 255.0
            weight = (1.0 + _PEAK_WEIGHT * wanted) / logits.numel()
            loss += (weight * (F.softplus(z) - wanted * z)).sum()
            made.copy_(weight * (torch.sigmoid(z) - wanted))
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None]:  # noqa: D102
        (gradient,) = ctx.saved_tensors
        return gradient * outer, None
