"""What a limb may look like while it warms: a few pictures whose mixtures its frames are taken to be.

A foot that comes out of cold water is darker than the room and becomes brighter than it, so that no single picture of
it stays alike, and the correlation with one (ECC) follows the change of temperature instead of the motion. What does
stay is where its regions are: a frame is taken as a mixture of one soft picture for each region, one for the room, and
a remainder (veins, texture) that changes slowly. Motion shows as what such mixtures cannot explain (tracking with a
linear model of illumination: Hager and Belhumeur 1998, doi 10.1109/34.722606).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rewarm.regions import ANGIOSOMES, WHOLE_LIMBS, Mask, Regions

Floats = NDArray[np.float32]

LIMB_PX: Final = 8_000
"""A limb is looked at with about as many pixels as this, by averaging 1, 2 × 2, 3 × 3 or 4 × 4 of the picture's."""
COARSEST: Final = 4
RIM_SHARE: Final = 0.12
"""How far around a limb is looked at, in radii of a disc of its area."""
OPTICS_PX: Final = 1.0
"""Standard deviation of the blur of outlines, of the picture's pixels: optics and the pixel itself."""
GAP_PX: Final = 1
"""Gaps in a limb of up to twice this width are closed."""
SKIN_SHARE: Final = 0.10
"""Standard deviation over which skin temperature passes between regions, in radii of a disc of the limb's area."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """One limb's pictures, in a window of the reference frame, averaged ``scale`` × ``scale``.

    ``left`` and ``top`` are the window's place in the picture, px; ``shape`` its (y, x) in averaged pixels; ``seen``
    (y, x) which of these are looked at. ``parts`` (parts, pixels) are the pictures at the pixels seen, the room's
    last; ``steps`` (parts, 3, pixels) how each changes when the limb moves by one averaged pixel to the right, one
    down, and turns by one radian about ``middle`` (x, y, in averaged pixels of the window).
    """

    scale: int
    left: int
    top: int
    shape: tuple[int, int]
    seen: Mask
    parts: Floats
    steps: Floats
    middle: tuple[float, float]
    products: NDArray[np.float64]

    def steps_of(self, picture: Floats) -> Floats:
        """How a picture (y, x) of the window's shape changes with motion: (3, pixels)."""
        return _steps(picture, self.seen, self.middle)

    def whole(self, values: Floats) -> Floats:
        """Values at the pixels seen as a picture (y, x), zero elsewhere."""
        picture = np.zeros(self.shape, dtype=np.float32)
        picture[self.seen] = values
        return picture


def limb_appearance(regions: Regions, side: str, *, grow_px: float = 0.0) -> Appearance | None:
    """The pictures of one side's limb, its outline moved outwards by ``grow_px``; None where nothing was found."""
    masks = [
        item.mask for item in regions.found if item.side == side and item.region not in (*ANGIOSOMES, *WHOLE_LIMBS)
    ]
    limb = limb_mask(regions, side)
    if not limb.any():
        return None
    rest = limb & ~np.any(masks, axis=0) if masks else limb
    if np.count_nonzero(rest) > 0.02 * np.count_nonzero(limb):
        masks.append(rest)
    others = np.zeros_like(limb)
    for other in {item.side for item in regions.found} - {side}:
        others |= limb_mask(regions, other)
    radius_px = sqrt(np.count_nonzero(limb) / np.pi)
    scale = int(np.clip(round(sqrt(np.count_nonzero(limb) / LIMB_PX)), 1, COARSEST))
    window = _window(limb, round(2.0 * RIM_SHARE * radius_px) + 2 * scale, scale)
    near = _dilated(limb, round(RIM_SHARE * radius_px) + scale) & ~_dilated(others, round(4 * OPTICS_PX))
    seen = _averaged(near[window].astype(np.float32), scale) > 0.5
    cover = cv2.GaussianBlur(_grown(limb[window], grow_px), (0, 0), OPTICS_PX)
    soft = np.stack([cv2.GaussianBlur(m[window].astype(np.float32), (0, 0), SKIN_SHARE * radius_px) for m in masks])
    shares = soft / np.maximum(soft.sum(axis=0), 1e-6)
    pictures = [_averaged(cover * share, scale) for share in shares]
    pictures.append(np.ones_like(pictures[0]))
    y, x = np.nonzero(_averaged(cover, scale) > 0.5)
    middle = (float(x.mean()), float(y.mean()))
    parts = np.stack([picture[seen] for picture in pictures])
    steps = np.stack([_steps(picture, seen, middle) for picture in pictures])
    wide = parts.astype(np.float64)
    return Appearance(scale, window[1].start, window[0].start, seen.shape, seen, parts, steps, middle, wide @ wide.T)


def limb_mask(regions: Regions, side: str) -> Mask:
    """Union of what was found of a side's limb."""
    mask = np.zeros(regions.shape, dtype=np.bool_)
    for item in regions.found:
        if item.side == side and item.region not in ANGIOSOMES:
            mask |= item.mask
    return mask


def averaged_frame(frame: Floats, scale: int) -> Floats:
    """A frame averaged ``scale`` × ``scale``; rows and columns beyond the last whole block are cut off."""
    if scale == 1:
        return frame
    rows, columns = frame.shape[0] // scale * scale, frame.shape[1] // scale * scale
    return _averaged(frame[:rows, :columns], scale)


def _averaged(picture: Floats, scale: int) -> Floats:
    size = (picture.shape[1] // scale, picture.shape[0] // scale)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


def _steps(picture: Floats, seen: Mask, middle: tuple[float, float]) -> Floats:
    """Gradients per pixel along x, y and the turn about ``middle`` (Scharr answers alike in all directions)."""
    along_x = cv2.Scharr(picture, cv2.CV_32F, 1, 0, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)[seen]
    along_y = cv2.Scharr(picture, cv2.CV_32F, 0, 1, scale=1 / 32, borderType=cv2.BORDER_REPLICATE)[seen]
    y, x = np.nonzero(seen)
    return np.stack([along_x, along_y, (x - middle[0]) * along_y - (y - middle[1]) * along_x]).astype(np.float32)


def _dilated(mask: Mask, by_px: int) -> Mask:
    if by_px < 1 or not mask.any():
        return mask
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by_px + 1, 2 * by_px + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def _grown(mask: Mask, by_px: float) -> Floats:
    """How much of each pixel lies within the mask's outline, moved outwards by ``by_px``; narrow gaps closed first.

    Between regions that were drawn one by one lie gaps that are none of the limb's.
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * GAP_PX + 1, 2 * GAP_PX + 1))
    whole = cv2.copyMakeBorder(mask.astype(np.uint8), GAP_PX, GAP_PX, GAP_PX, GAP_PX, cv2.BORDER_REPLICATE)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, disc)
    inside = cv2.distanceTransform(whole, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - whole, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    signed = np.where(whole > 0, inside - 0.5, 0.5 - outside)
    share = np.clip(signed + by_px + 0.5, 0.0, 1.0).astype(np.float32)
    return np.asarray(share[GAP_PX:-GAP_PX, GAP_PX:-GAP_PX])


def _window(mask: Mask, margin: int, scale: int) -> tuple[slice, slice]:
    """The mask's surroundings; edges fall on whole blocks of the averaged frame."""
    edges = []
    for axis, size in ((1, mask.shape[0]), (0, mask.shape[1])):
        where = np.flatnonzero(mask.any(axis=axis))
        first = max(int(where[0]) - margin, 0) // scale * scale
        last = min(-(-(int(where[-1]) + 1 + margin) // scale), size // scale) * scale
        edges.append(slice(first, last))
    return edges[0], edges[1]
