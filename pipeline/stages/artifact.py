"""A model on disk: a skops file and its card; never a pickle, and nothing is loaded that is not on the list."""

import hashlib
import io
import json
import secrets
import sys
import tokenize
import zipfile
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from pipeline.labels import LABELS
from pipeline.stages.calibration import TemperatureScaled
from pipeline.stages.errors import StageError
from pipeline.stages.normalising import GroupNormaliser, NormalisedModel
from pipeline.stages.stable_bytes import stable_bytes

# Everything a model of ours is made of beyond what skops trusts by itself (scikit-learn and NumPy types). A file that
# asks for any other type is not loaded.
ALLOWED_TYPES = frozenset(
    {
        *(f"{kind.__module__}.{kind.__qualname__}" for kind in (TemperatureScaled, NormalisedModel, GroupNormaliser)),
        "imblearn.over_sampling._random_over_sampler.RandomOverSampler",
        "imblearn.over_sampling._smote.base.SMOTE",
        "imblearn.pipeline.Pipeline",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    }
)
# What zipfile, json, NumPy and skops raise for archives that are not what they seem.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    ArithmeticError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,  # from the header of an array
    RuntimeError,  # NotImplementedError and RecursionError among them
)
PROBABILITY_ROUNDING = 1e-6
LIBRARIES = ("numpy", "scipy", "scikit-learn", "imbalanced-learn", "skops", "pyAudioAnalysis")


def write_artifact(path: Path, pipeline: Any, card: dict[str, Any]) -> dict[str, Any]:
    """Write a model as a skops file; it appears under `path` only when it is whole.

    Parameters
    ----------
    path : Path
        The file to write.
    pipeline : TemperatureScaled or NormalisedModel
        `TrainingResult.pipeline`, alone or with what features are standardised with.
    card : dict
        What is to be known of the model; only what JSON can hold.

    Returns
    -------
    dict
        The card with ``artifact_sha256`` (of the file, hexadecimal) and ``library_versions``. Equal models give equal
        hashes.

    Raises
    ------
    TypeError, ValueError
        The card holds what JSON cannot (NaN included).
    """
    content = stable_bytes(skops.io.dumps(pipeline))
    complete = {
        **card,
        "artifact_sha256": hashlib.sha256(content).hexdigest(),
        "library_versions": {
            "python": ".".join(map(str, sys.version_info[:3])),
            **{name: version(name) for name in LIBRARIES},
        },
    }
    json.dumps(complete, allow_nan=False)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return complete


def read_artifact(path: Path, card: dict[str, Any]) -> Any:
    """Read a model that `write_artifact` wrote.

    The bytes that are hashed are the bytes that are loaded.

    Parameters
    ----------
    path : Path
        The skops file.
    card : dict
        Its card, with ``artifact_sha256``.

    Returns
    -------
    TemperatureScaled or NormalisedModel
        For `normalising.predict_video`.

    Raises
    ------
    StageError
        The file is missing, damaged, not the one of this card, holds types that are not on the list, or unpacks to
        more than its size.
    """
    try:
        if not path.is_file():
            raise FileNotFoundError(path)  # a device or a pipe might never end
        content = path.read_bytes()
    except OSError as error:
        raise StageError("The model's file is missing or cannot be read; train the model again.") from error
    if hashlib.sha256(content).hexdigest() != card.get("artifact_sha256"):
        raise StageError("The model's file is not the one its card describes, so it is not used; train it again.")
    try:
        _check_size(content)
        unknown = set(skops.io.get_untrusted_types(data=content))
        if unknown - ALLOWED_TYPES:
            foreign = ", ".join(sorted(unknown - ALLOWED_TYPES))
            raise StageError(f"The model's file holds types that are not allowed ({foreign}), so it is not loaded.")
        pipeline = skops.io.loads(content, trusted=sorted(unknown))
        if isinstance(pipeline, TemperatureScaled | NormalisedModel):
            _try_out(pipeline)
    except UntrustedTypesFoundException as error:
        raise StageError("The model's file holds types that are not allowed, so it is not loaded.") from error
    except DAMAGE as error:
        raise StageError("The model's file is damaged or not a model of Crossmodal; train the model again.") from error
    if not isinstance(pipeline, TemperatureScaled | NormalisedModel):
        raise StageError("The model's file holds something else than a model of Crossmodal; train the model again.")
    return pipeline


def _check_size(content: bytes) -> None:
    """ValueError where the archive's members are larger than the archive, which they are stored in uncompressed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(content):
            raise ValueError("the archive unpacks to more than its size")


def _try_out(model: TemperatureScaled | NormalisedModel) -> None:
    """Predict one segment; whatever a model without some of its parts raises, or ValueError."""
    classifier = model.classifier if isinstance(model, NormalisedModel) else model
    row = np.zeros((1, classifier.estimator.n_features_in_))
    probabilities = classifier.predict_proba(model.normaliser.apply(row) if isinstance(model, NormalisedModel) else row)
    if probabilities.shape != (1, len(LABELS)) or not abs(probabilities.sum() - 1) < PROBABILITY_ROUNDING:
        raise ValueError("the model gives no probabilities")
