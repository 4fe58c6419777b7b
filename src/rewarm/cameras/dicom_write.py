"""Write a picture's temperatures as a DICOM Parametric Map in °C, bit by bit (DICOM PS3.3 A.75).

The object is DERIVED, modality TG (thermography), unit UCUM ``Cel``, float or double float pixels, without any name or
number of a patient: the archive's own tools enter those. The identifiers of study and series follow from the hash of
the camera's file, so that the same recording lands in the same study again. highdicom is an optional dependency.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import xarray as xr

from rewarm.cameras.dicom import INSTALL, UNKNOWN
from rewarm.errors import OutputError
from rewarm.thermogram import camera_identity, object_parameters, provenance, temperature_c
from rewarm.version import __version__

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
"""Says that a derived object's source was no DICOM object: the camera's own file stands behind it."""
UNKNOWN_PIXEL_SIZE_MM: Final = 1.0
EMPTY: Final = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDate",
    "StudyTime",
)


def write_dicom(thermogram: xr.Dataset, path: Path) -> None:
    """Write a still picture to ``path``.

    Raises :class:`OutputError` where highdicom is not installed or no pixel has a temperature.
    """
    try:
        from highdicom.content import VOILUTTransformation
        from highdicom.pm import ParametricMap, RealWorldValueMapping
        from highdicom.sr import CodedConcept
        from pydicom.uid import generate_uid
    except ImportError as error:
        raise OutputError(
            f"{path.name}: expected highdicom to write DICOM; found it not installed. Install it: {INSTALL}"
        ) from error
    values = np.ascontiguousarray(temperature_c(thermogram))
    if not np.isfinite(values).any():
        raise OutputError(f"{path.name}: expected a picture with temperatures; found none in any pixel")
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    camera, seed = camera_identity(thermogram), thermogram.attrs["provenance_sha256"] or "no file"
    celsius = CodedConcept(value="Cel", scheme_designator="UCUM", meaning="degree Celsius")
    temperature = CodedConcept(value="246508008", scheme_designator="SCT", meaning="Temperature")
    made = ParametricMap(
        source_images=[_source_image(thermogram, values.shape[0], values.shape[1])],
        pixel_array=values,
        series_instance_uid=generate_uid(entropy_srcs=[seed, "map series"]),
        series_number=1,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer=camera.camera_make or UNKNOWN,
        manufacturer_model_name=camera.camera_model or UNKNOWN,
        software_versions=f"rewarm {__version__}",
        device_serial_number=camera.camera_serial or UNKNOWN,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[
            RealWorldValueMapping(
                lut_label="temperature",
                lut_explanation="temperature of each pixel",
                unit=celsius,
                value_range=(low, high),
                slope=1.0,
                intercept=0.0,
                quantity_definition=temperature,
            )
        ],
        voi_lut_transformations=[
            VOILUTTransformation(window_center=(low + high) / 2, window_width=max(high - low, 0.01))
        ],
        content_label="TEMPERATURE",
        content_description="Temperatures in degree Celsius",
    )
    made.Modality = "TG"
    made.ImageComments = _comments(thermogram)
    moment = _dicom_moment(camera.acquired_at)
    if moment:
        made.AcquisitionDateTime = moment
    with path.open("wb") as stream:
        made.save_as(stream, enforce_file_format=True)


def _source_image(thermogram: xr.Dataset, height: int, width: int) -> Dataset:
    """What the map is derived from: the camera's file as a DICOM object that is only named, never written."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    seed = thermogram.attrs["provenance_sha256"] or "no file"
    size_mm = thermogram.attrs["pixel_size_mm"] or UNKNOWN_PIXEL_SIZE_MM
    source = Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    source.SOPClassUID = SECONDARY_CAPTURE
    source.SOPInstanceUID = generate_uid(entropy_srcs=[seed, "camera file"])
    source.StudyInstanceUID = generate_uid(entropy_srcs=[seed, "study"])
    source.SeriesInstanceUID = generate_uid(entropy_srcs=[seed, "camera series"])
    source.FrameOfReferenceUID = generate_uid(entropy_srcs=[seed, "frame of reference"])
    for keyword in EMPTY:
        setattr(source, keyword, "")
    source.Modality = "TG"
    source.Rows, source.Columns = height, width
    # The plane of the picture itself: a camera knows nothing of where the patient lay.
    source.ImagePositionPatient = [0, 0, 0]
    source.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    source.PixelSpacing = [size_mm, size_mm]
    source.SliceThickness = size_mm
    return source


def _comments(thermogram: xr.Dataset) -> str:
    """For a person who looks at the object in an archive: where it comes from and what it was computed with."""
    where_from, parameters = provenance(thermogram), object_parameters(thermogram)
    stated = [
        (parameters.emissivity, "emissivity {:.4g}"),
        (parameters.reflected_c, "reflected temperature {:.4g} Cel"),
        (parameters.distance_m, "distance {:.4g} m"),
        (parameters.humidity_pct, "relative humidity {:.4g} %"),
        (parameters.air_c, "air temperature {:.4g} Cel"),
    ]
    sentences = [f"Derived from a camera file with SHA-256 {where_from.sha256} by rewarm {__version__}."]
    sentences += [text.format(value) + "." for value, text in stated if value is not None]
    if thermogram.attrs["pixel_size_mm"] is None:
        sentences.append("Pixel spacing not known: 1 mm is a placeholder, measure no lengths.")
    return " ".join(sentences)


def _dicom_moment(acquired_at: str | None) -> str | None:
    """ISO 8601 as DICOM's date and time; None for what is not one."""
    try:
        moment = datetime.datetime.fromisoformat(acquired_at or "")
    except ValueError:
        return None
    zone = moment.strftime("%z") if moment.tzinfo is not None else ""
    return moment.strftime("%Y%m%d%H%M%S.%f") + zone
