"""FID, KID, precision and recall: the figures of papers, as torch-fidelity computes them.

Heusel et al. 2017 (FID), Bińkowski et al. 2018 (KID), Kynkäänniemi et al. 2019 (precision and
recall), in features of the Inception network that Heusel et al. took. torch-fidelity is an optional
extra, and the network's weights are a file of their own.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from ganface.errors import UserError, WorkError
from ganface.evaluation.drawn import Images, choose, extract_features
from ganface.io.console import Track, untracked

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
DIGEST = "6726825d"  # what its SHA-256 begins with
FORCE_SAFE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
BATCH = 32  # images of 299 × 299: more take gigabytes

Figures = dict[str, float]


class NotAvailableError(Exception):
    """These figures cannot be had here, and why."""


def find_weights(folder: Path | None, download: bool) -> Path:
    """The file of Inception's weights: in `folder`, or else where PyTorch keeps downloads.

    The internet is asked for `download` alone. Raises UserError if the folder has no such file, or
    another than the published one; NotAvailableError if there is none, or no torch-fidelity.
    """
    if folder and not (folder / WEIGHTS).is_file():
        raise UserError(f"--weights {folder}: there is no {WEIGHTS} in it")
    if find_spec("torch_fidelity") is None:
        raise NotAvailableError("torch-fidelity is missing: pip install 'ganface[eval]'")
    path = (folder or Path(torch.hub.get_dir()) / "checkpoints") / WEIGHTS
    if download and not path.is_file():
        _download(path)
    if not path.is_file():
        raise NotAvailableError(
            "Inception's weights are not here: add --download, or --weights with a folder that "
            f"holds {WEIGHTS}"
        )
    if not digest_of(path).startswith(DIGEST):
        raise UserError(f"{path}: damaged, or not the weights that FID is defined by")
    return path


def _download(path: Path) -> None:
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(URL_INCEPTION_V3, str(path), DIGEST, progress=False)
    except (OSError, RuntimeError) as error:
        raise NotAvailableError(f"Inception's weights cannot be downloaded ({error})") from error


class Inception:
    """uint8 images [N, 3, S, S] on the CPU -> float32 features [N, 2048] on the CPU.

    The images are enlarged to 299 × 299 as TensorFlow did it for the first FIDs.
    Raises WorkError if `weights` is no file of the network's weights.
    """

    def __init__(self, weights: Path, device: torch.device) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        try:
            with _nothing_executed():
                network = FeatureExtractorInceptionV3(
                    "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(weights)
                )
        except (pickle.UnpicklingError, RuntimeError, EOFError, TypeError) as error:
            raise WorkError(f"{weights}: not the weights of Inception") from error
        self._network = network.to(device)
        self._device = device

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        parts = images.split(BATCH)
        return torch.cat([self._network(part.to(self._device))[0].cpu() for part in parts])


@contextmanager
def _nothing_executed() -> Iterator[None]:
    """The weights are a pickle, which torch-fidelity reads without asking for tensors alone."""
    before = os.environ.get(FORCE_SAFE)
    os.environ[FORCE_SAFE] = "1"
    try:
        yield
    finally:
        os.environ.pop(FORCE_SAFE)
        if before is not None:
            os.environ[FORCE_SAFE] = before


def compare(fakes: Tensor, reals: Tensor) -> Figures:
    """The figures of features [N, d] and [M, d]; KID of at most 1,000 at a time, 100 times."""
    from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric
    from torch_fidelity.metric_prc import (
        KEY_METRIC_PRECISION,
        KEY_METRIC_RECALL,
        prc_features_to_metric,
    )

    subset = min(1000, len(fakes), len(reals))
    kid = kid_features_to_metric(fakes, reals, kid_subset_size=subset, verbose=False)
    # save_cpu_ram: not all distances at once
    prc = prc_features_to_metric(fakes, reals, save_cpu_ram=True, verbose=False)
    return {
        "fid": fid(fakes, reals),
        "kid": kid[KEY_METRIC_KID_MEAN],
        "precision": prc[KEY_METRIC_PRECISION],
        "recall": prc[KEY_METRIC_RECALL],
    }


def fid(fakes: Tensor, reals: Tensor) -> float:
    from torch_fidelity.metric_fid import (
        KEY_METRIC_FID,
        fid_features_to_statistics,
        fid_statistics_to_metric,
    )

    statistics = [fid_features_to_statistics(features) for features in (fakes, reals)]
    return fid_statistics_to_metric(*statistics, verbose=False)[KEY_METRIC_FID]


class Fidelity:
    """Holds Inception's features of the reals; prepared once, for any number of generators."""

    def __init__(
        self, reals: Images, count: int, inception: Inception, track: Track = untracked
    ) -> None:
        """Split the reals as `Evaluation` does: reference, and others that measure chance."""
        (self._reals,) = extract_features(reals, range(len(reals)), [inception], track)
        chosen = choose(reals, 2 * count)
        self._inception = inception
        self._reference = self._reals[chosen[:count]]
        self.floors = compare(self._reals[chosen[count:]], self._reference)

    def measure(self, fakes: Images, indices: Sequence[int], track: Track = untracked) -> Figures:
        """The figures of the fakes of these indices.

        As many as in the reference are compared with it. "fid_all" is of all of them and all reals,
        which is the custom of papers.
        """
        (features,) = extract_features(fakes, indices, [self._inception], track)
        return {
            **compare(features[: len(self._reference)], self._reference),
            "fid_all": fid(features, self._reals),
        }


def digest_of(weights: Path) -> str:
    return hashlib.sha256(weights.read_bytes()).hexdigest()


def describe_inception(weights: Path) -> dict[str, str]:
    """What has to be equal for these figures to be compared."""
    return {
        "tool": f"torch-fidelity {version('torch-fidelity')}",
        "network": "inception-v3-compat, features of 2048",
        "weights": digest_of(weights),
        "resize": "to 299 × 299, bilinear as in TensorFlow 1",
    }
