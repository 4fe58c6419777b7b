"""Cameras: bytes → thermogram. Knows nothing of feet."""

from rewarm.cameras.convert import convert as convert
from rewarm.cameras.convert import save_thermogram as save_thermogram
from rewarm.cameras.description import describe as describe
from rewarm.cameras.description import description_text as description_text
from rewarm.cameras.flir_photo import VisiblePhoto as VisiblePhoto
from rewarm.cameras.flir_photo import visible_photo as visible_photo
from rewarm.cameras.readers import READERS as READERS
from rewarm.cameras.readers import Reader as Reader
from rewarm.cameras.readers import open_thermogram as open_thermogram
from rewarm.cameras.resume import unfinished as unfinished

__all__ = [
    "READERS",
    "Reader",
    "VisiblePhoto",
    "convert",
    "describe",
    "description_text",
    "open_thermogram",
    "save_thermogram",
    "unfinished",
    "visible_photo",
]
