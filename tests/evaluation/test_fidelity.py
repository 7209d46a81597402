"""Our figures against torch-fidelity's own, and its Inception with weights drawn by chance."""

import os
import socket
from pathlib import Path

import pytest
import torch

from ganface.dataset.pack import Pack
from ganface.errors import UserError, WorkError
from ganface.evaluation import fidelity
from ganface.evaluation.drawn import choose
from ganface.evaluation.fidelity import (
    WEIGHTS,
    Fidelity,
    Inception,
    NotAvailableError,
    compare,
    find_weights,
)
from ganface.evaluation.frechet import frechet_distance, gaussian_of
from ganface.models.features import DIM, RandomFeatures

torch_fidelity = pytest.importorskip("torch_fidelity")

from torch_fidelity import calculate_metrics  # noqa: E402
from torch_fidelity import feature_extractor_inceptionv3 as inceptionv3  # noqa: E402
from torch_fidelity.feature_extractor_base import FeatureExtractorBase  # noqa: E402
from torch_fidelity.registry import register_feature_extractor  # noqa: E402

SETTINGS = {"cuda": False, "cache": False, "save_cpu_ram": True, "verbose": False}


class OurFeatures(FeatureExtractorBase):
    """RandomFeatures, as torch-fidelity wants them."""

    def __init__(self, name, features_list, **_):
        super().__init__(name, features_list)
        self.network = RandomFeatures()

    def forward(self, images):
        return (self.network(images),)

    @staticmethod
    def get_provided_features_list():
        return ("all",)

    @staticmethod
    def get_default_feature_layer_for_metric(_):
        return "all"


@pytest.fixture(scope="module", autouse=True)
def _registered():
    register_feature_extractor("ours", OurFeatures)


class Dataset(torch.utils.data.Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


@pytest.fixture(scope="module")
def sets():
    """Two sets of soft noise, the second brighter: uint8 [N, 3, 32, 32]."""
    dice = torch.Generator().manual_seed(0)
    small = torch.randint(0, 200, (600, 3, 8, 8), generator=dice)
    images = small.repeat_interleave(4, 2).repeat_interleave(4, 3).to(torch.uint8)
    return images[:300], images[300:] + 40


def test_our_frechet_distance_is_torch_fidelitys(sets):
    theirs = calculate_metrics(
        input1=Dataset(sets[0]),
        input2=Dataset(sets[1]),
        feature_extractor="ours",
        fid=True,
        **SETTINGS,
    )
    features = [RandomFeatures()(images) for images in sets]
    ours = frechet_distance(*map(gaussian_of, features))
    assert features[0].shape == (300, DIM)
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    assert ours > 10


def test_what_we_call_is_what_torch_fidelity_calculates(sets):
    theirs = calculate_metrics(
        input1=Dataset(sets[0]),
        input2=Dataset(sets[1]),
        feature_extractor="ours",
        fid=True,
        kid=True,
        prc=True,
        kid_subset_size=300,
        **SETTINGS,
    )
    assert compare(*(RandomFeatures()(images) for images in sets)) == {
        "fid": pytest.approx(theirs["frechet_inception_distance"]),
        "kid": pytest.approx(theirs["kernel_inception_distance_mean"]),
        "precision": theirs["precision"],
        "recall": theirs["recall"],
    }


def test_figures_stand_beside_those_of_other_reals(pack_file):
    reals = Pack(pack_file)
    measured = Fidelity(reals, 40, RandomFeatures())
    assert measured.floors.keys() == {"fid", "kid", "precision", "recall"}
    chosen = choose(reals, 80)

    figures = measured.measure(reals, chosen[:40])
    assert figures["fid"] == pytest.approx(0, abs=1e-3 * measured.floors["fid"])
    assert (figures["precision"], figures["recall"]) == (1, 1)
    figures = measured.measure(reals, chosen[40:])
    assert figures.items() >= measured.floors.items()
    figures = measured.measure(reals, range(100))
    assert figures["fid_all"] == pytest.approx(0, abs=1e-3 * measured.floors["fid"])


# ---------------------------------------------------------------------------- Inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder that holds weights by chance, of a size that lets features differ."""

    class Unloaded(inceptionv3.FeatureExtractorInceptionV3):
        def load_state_dict(self, *_):
            for module in self.modules():
                if isinstance(module, torch.nn.Conv2d):
                    torch.nn.init.kaiming_normal_(module.weight)

    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inceptionv3, "load_state_dict_from_url", lambda *_, **__: {})
        torch.manual_seed(0)
        network = Unloaded("inception-v3-compat", ["2048"])
    torch.save(network.state_dict(), folder / WEIGHTS)
    return folder


def test_inception_gives_an_image_the_same_features_in_any_batch(weights, sets):
    inception = Inception(weights / WEIGHTS, torch.device("cpu"))
    images = sets[0][:3]
    found = inception(images)
    assert found.shape == (3, 2048)
    assert (found[0] - found[1]).abs().max() > 0.01
    torch.testing.assert_close(inception(images[1:2]), found[1:2], rtol=1e-3, atol=1e-3)


class Harm:
    """A pickle that does something when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_weights_that_are_none_are_refused_and_nothing_in_them_is_executed(tmp_path):
    path, harmed = tmp_path / WEIGHTS, tmp_path / "harmed"
    for content in (Harm(harmed), 1):
        torch.save({"weight": content}, path)
        with pytest.raises(WorkError, match="not the weights"):
            Inception(path, torch.device("cpu"))
    assert not harmed.exists()
    assert fidelity.FORCE_SAFE not in os.environ

    torch.save({"weight": Harm(harmed)}, path)
    torch.load(path, weights_only=False)["weight"].close()
    assert harmed.exists()  # it is as harmful as it is meant to be


def test_only_the_published_weights_are_taken(weights, monkeypatch):
    with pytest.raises(UserError, match="damaged, or not the weights"):
        find_weights(weights, download=False)
    monkeypatch.setattr(fidelity, "DIGEST", "")
    assert find_weights(weights, download=False) == weights / WEIGHTS


def test_without_download_the_internet_is_never_asked(tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("asked for the internet")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(NotAvailableError, match="--download"):
        find_weights(None, download=False)
    with pytest.raises(UserError, match="there is no weights-inception"):
        find_weights(tmp_path, download=True)


def test_download_puts_the_weights_where_pytorch_keeps_them(weights, tmp_path, monkeypatch):
    def fetch(url, path, digest, progress):
        assert url.endswith(WEIGHTS)
        assert not progress
        assert digest == fidelity.DIGEST
        Path(path).write_bytes((weights / WEIGHTS).read_bytes())

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    monkeypatch.setattr(fidelity, "DIGEST", "")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / WEIGHTS
    assert find_weights(None, download=True) == path
    assert find_weights(None, download=False) == path


def test_a_download_that_fails_is_a_reason_and_no_error(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fail)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(NotAvailableError, match="no route to host"):
        find_weights(None, download=True)


def test_without_torch_fidelity_the_reason_names_the_extra(monkeypatch):
    monkeypatch.setattr(fidelity, "find_spec", lambda _: None)
    with pytest.raises(NotAvailableError, match=r"ganface\[eval\]"):
        find_weights(None, download=False)
