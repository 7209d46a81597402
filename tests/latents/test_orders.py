"""What faces are to show -> the numbers that follow z."""

import pytest
import torch

from ganface.errors import UserError
from ganface.latents.labels import (
    multi_hot,
    obey,
    parse_order,
    parse_orders,
    same_labels,
    with_labels,
)
from ganface.latents.latents import in_turn
from ganface.latents.paths import slerp, walks, with_straight_labels

ATTRIBUTES = {
    "hair": ["aqua", "red"],
    "light": ["-2..0.5", "0.5..1", "1..1e3"],
    "mood": ["sad", "gay"],
}


def rows(text):
    return [order.labels for order in parse_orders(text, ATTRIBUTES)]


def test_an_order_says_values_of_some_attributes():
    assert rows("hair=red") == [(2, 0, 0)]
    assert rows(" mood = gay , hair=aqua") == [(1, 0, 2)]
    assert [order.name for order in parse_orders("mood=gay,hair=aqua", ATTRIBUTES)] == [
        "mood=gay,hair=aqua"
    ]


def test_a_star_is_each_value_and_two_are_each_pair():
    assert rows("light=*") == [(0, 1, 0), (0, 2, 0), (0, 3, 0)]
    assert rows("hair=*,mood=*") == [(1, 0, 1), (1, 0, 2), (2, 0, 1), (2, 0, 2)]


def test_a_number_is_the_range_in_which_it_lies():
    assert rows("light=-1") == rows("light=-2..0.5") == [(0, 1, 0)]
    assert rows("light=70") == [(0, 3, 0)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hair", "such as hair=aqua"),
        ("hair=", "such as hair=aqua"),
        ("hare=red", "no such label; there are hair, light, mood; did you mean hair?"),
        ("hair=aqa", "no such value; there are aqua, red; did you mean aqua?"),
        ("light=-3", "no such value; there are -2..0.5"),
        ("hair=red,hair=aqua", "hair is there twice"),
    ],
)
def test_what_is_no_order_is_refused(text, message):
    with pytest.raises(UserError) as error:
        parse_orders(text, ATTRIBUTES)
    assert message in str(error.value)


def test_of_a_model_without_labels_nothing_can_be_ordered():
    with pytest.raises(UserError, match="knows no labels"):
        parse_orders("hair=red", None)
    with pytest.raises(UserError, match="write which"):
        parse_order("hair=*", ATTRIBUTES)


def test_each_value_has_a_number_and_what_is_not_known_has_zeros():
    labels = torch.tensor([[1, 3, 0], [2, 0, 2]], dtype=torch.uint8)
    expected = [[1, 0, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0, 1]]
    assert multi_hot(labels, ATTRIBUTES).tolist() == expected


def test_labels_follow_z_wherever_it_is_read():
    z, labels = torch.randn(2, 3, 4), torch.tensor([1.0, 0])
    found = with_labels(z, labels)
    assert torch.equal(found[..., :4], z)
    assert torch.equal(found[1, 2, 4:], labels)


def test_what_is_ordered_takes_the_place_of_what_was_and_the_rest_stays():
    start = torch.cat([torch.randn(2, 4), torch.tensor([[1.0, 0, 0, 1, 0, 0, 1]] * 2)], 1)
    order = parse_order("hair=red,mood=sad", ATTRIBUTES)
    found = obey(start, order, ATTRIBUTES)
    assert torch.equal(found[:, :4], start[:, :4])
    assert found[0, 4:].tolist() == [0, 1, 0, 1, 0, 1, 0]
    spread = start[:, None].expand(-1, 3, -1)  # as z⁺
    assert torch.equal(obey(spread, order, ATTRIBUTES), found[:, None].expand(-1, 3, -1))


def test_from_order_to_order_z_stays_and_labels_go_straight():
    start = torch.cat([torch.randn(2, 4), torch.zeros(2, 7)], 1)
    orders = [parse_order(f"hair={value}", ATTRIBUTES) for value in ("aqua", "red")]
    stops = in_turn(start, orders, ATTRIBUTES)
    way = walks(stops, 2, 4, with_straight_labels(slerp, 4), False)
    torch.testing.assert_close(way[..., :4], start[:, None, :4].expand(-1, 5, -1))
    assert way[1, :, 4:6].tolist() == [[1, 0], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0, 1]]


def test_of_a_walk_on_the_sphere_labels_go_straight():
    a, b = torch.tensor([1.0, 0, 1, 0]), torch.tensor([0, 1.0, 0, 1])
    middle = with_straight_labels(slerp, 2)(a, b, 0.5)
    torch.testing.assert_close(middle, torch.tensor([0.5**0.5, 0.5**0.5, 0.5, 0.5]))
    assert torch.equal(with_straight_labels(slerp, 4)(a, b, 0.3), slerp(a, b, 0.3))


def test_equal_labels_are_told_whatever_holds_them():
    assert same_labels({"a": ("x", "y")}, {"a": ["x", "y"]})
    assert not same_labels({"a": ("x", "y")}, {"a": ("y", "x")})
    assert not same_labels({}, None)
