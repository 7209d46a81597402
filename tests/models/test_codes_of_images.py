import pytest
import torch

from ganface.dataset.pack import Pack
from ganface.models.codes import Codes, principal_codes


class Images:
    """A pack of given images."""

    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def batch(self, indices):
        return self.images[indices]


def test_codes_are_rows_by_index_and_learn_alone():
    codes = Codes(torch.arange(6.0).view(3, 2))
    given = codes(torch.tensor([2, 0]))
    assert given.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    given.sum().backward()
    assert codes.weight.grad.tolist() == [[1, 1], [0, 0], [1, 1]]


def test_codes_are_kept_in_the_ball_where_those_of_seeds_lie():
    codes = Codes(torch.tensor([[30.0, 40.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]))
    codes.into_ball()
    torch.testing.assert_close(codes.weight.norm(dim=1), torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(codes.weight[0], torch.tensor([1.2, 1.6, 0.0, 0.0]))


def test_codes_of_pca_have_the_mean_and_covariance_of_N_0_I(pack_file):
    pack = Pack(pack_file)
    codes = principal_codes(pack, 8, 4)
    assert codes.shape == (len(pack), 8)
    torch.testing.assert_close(codes.mean(0), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(codes.T.cov(correction=0), torch.eye(8), atol=1e-3, rtol=0)


def test_the_first_number_of_a_code_is_what_images_differ_most_in():
    brightness = torch.linspace(0, 200, 20)
    images = brightness[:, None, None, None].expand(20, 3, 8, 8) + 20 * torch.rand(20, 3, 8, 8)
    (code,) = principal_codes(Images(images.byte()), 1, 2).T
    assert torch.corrcoef(torch.stack([code, brightness]))[0, 1] > 0.99  # the sign is chosen


@pytest.mark.parametrize("count", [1, 3])
def test_of_few_images_the_last_numbers_are_0(count):
    images = (torch.rand(count, 3, 8, 8) * 255).byte()
    codes = principal_codes(Images(images), 6, 2)
    assert codes.isfinite().all()
    assert codes[:, count - 1 :].abs().max() < 1e-3
