import pytest
import torch

from ganface.latents.finding import conditional, jacobian_directions, sefa_directions

Z_DIM = 6


def rotation(seed=0):
    """An orthogonal matrix [Z_DIM, Z_DIM], whose rows are directions of no entry alone."""
    square = torch.randn(Z_DIM, Z_DIM, generator=torch.Generator().manual_seed(seed))
    return torch.linalg.qr(square).Q.T


def assert_directions(found, expected):
    """Equal up to the sign, which means nothing; a test of signs is below."""
    torch.testing.assert_close((found * expected).sum(1).abs(), torch.ones(len(expected)))


def test_of_a_linear_generator_they_are_its_singular_vectors():
    axes, strengths = rotation(), torch.tensor([5.0, 4, 3, 2, 1, 0.5])
    left = rotation(1)

    def draw(z):
        return (z @ axes.T * strengths) @ left

    found, shares = jacobian_directions(draw, torch.randn(3, Z_DIM), 4)
    assert_directions(found, axes[:4])
    expected = (strengths.square() / strengths.square().sum())[:4]
    torch.testing.assert_close(shares.float(), expected)


def test_derivatives_are_averaged_over_the_points():
    """Of z² the Jacobian at z is diag(2z), which central differences give exactly."""
    points = torch.zeros(2, Z_DIM)
    points[0, 3], points[1, 1] = 2.0, 1.0
    found, shares = jacobian_directions(torch.square, points, 2)
    torch.testing.assert_close(found, torch.eye(Z_DIM)[[3, 1]])
    torch.testing.assert_close(shares.float(), torch.tensor([0.8, 0.2]))


def test_sefa_finds_what_weights_react_to_whatever_their_scale():
    axes = rotation()
    first = 100 * axes[:1]  # one layer reads one direction, the other two of them
    second = torch.diag(torch.tensor([1.0, 0.5])) @ axes[1:3]
    found, shares = sefa_directions([first, second], 3)
    assert_directions(found, axes[:3])
    torch.testing.assert_close(shares.float(), torch.tensor([0.5, 0.4, 0.1]))


def test_the_sign_is_always_the_same():
    weights = [rotation()[:3] * torch.tensor([[3.0], [2], [1]])]
    found, _ = sefa_directions(weights, 3)
    again, _ = sefa_directions([-weights[0]], 3)
    assert torch.equal(found, again)
    assert (found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all()


@pytest.mark.parametrize("count", [1, 3])
def test_with_an_infinite_weight_nothing_else_moves(count):
    own, *others = torch.randn(count + 1, Z_DIM, generator=torch.Generator().manual_seed(2))
    others = torch.stack(others)
    found = conditional(own, others, torch.inf)
    torch.testing.assert_close(others @ found, torch.zeros(count), rtol=0, atol=1e-6)
    # The projection: nothing within reach of the others is nearer to the own gradient
    left = own - others.T @ torch.linalg.lstsq(others.T, own[:, None]).solution[:, 0]
    torch.testing.assert_close(found, left / left.norm())


def test_a_finite_weight_solves_what_it_says_and_lies_between():
    own, *others = torch.randn(3, Z_DIM, generator=torch.Generator().manual_seed(3))
    others = torch.stack(others)
    weight = 7.0
    system = torch.eye(Z_DIM) + weight * others.T @ others
    expected = torch.linalg.solve(system, own)
    found = conditional(own, others, weight)
    torch.testing.assert_close(found, expected / expected.norm())
    free, bound = own / own.norm(), conditional(own, others, torch.inf)
    assert free @ own > found @ own > bound @ own > 0
    assert (others @ free).norm() > (others @ found).norm() > 1e-3


def test_alone_it_is_its_own_gradient():
    own = torch.tensor([3.0, 0, 4, 0, 0, 0])
    torch.testing.assert_close(conditional(own, torch.empty(0, Z_DIM)), own / 5)
