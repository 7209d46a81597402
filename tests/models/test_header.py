import itertools

import pytest

from ganface.config.settings import SIZES
from ganface.models.dcgan import Generator
from ganface.models.header import generator_shapes


@pytest.mark.parametrize("size", SIZES)
def test_the_shapes_told_without_pytorch_are_the_generator_s(size):
    for upsample, modulate in itertools.product(["transposed", "nearest"], [False, True]):
        arguments = (size, 5, 3, upsample, modulate)
        state = Generator(*arguments).state_dict()
        assert generator_shapes(*arguments) == {n: tuple(t.shape) for n, t in state.items()}
