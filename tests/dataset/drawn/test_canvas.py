import pytest

from ganface.dataset.drawn.canvas import NECK, Canvas, Pose, mirrored

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)
LEFT_HALF = [(-0.5, -0.5), (0, -0.5), (0, 0.5), (-0.5, 0.5)]


@pytest.fixture
def pen():
    return Canvas(16, WHITE).pen(Pose())


def colours(pen):
    return pen.canvas.finished().load()


def test_a_face_that_looks_ahead_stays_where_it_is():
    assert Pose().place((0.2, -0.1)) == (0.2, -0.1)


def test_a_tilted_head_turns_clockwise_about_the_neck():
    pose = Pose(tilt=90)
    assert pose.place(NECK) == pytest.approx(NECK)
    assert pose.place((0, NECK[1] - 0.4)) == pytest.approx((0.4, NECK[1]))


def test_what_is_in_front_moves_where_the_head_turns_and_what_is_behind_moves_back():
    assert Pose(turn=1).place((0, 0))[0] > 0.05
    assert Pose(turn=1, depth=-0.5).place((0, 0))[0] < -0.02
    assert Pose(turn=1, depth=0).place((0.1, 0)) == (0.1, 0)


def test_the_far_side_of_a_turned_face_is_narrower():
    near, middle, far = (Pose(turn=1).place((x, 0))[0] for x in (-0.2, 0, 0.2))
    assert middle - near > far - middle > 0


def test_two_faces_turned_to_either_side_mirror_each_other():
    right, left = Pose(turn=0.7).place((0.1, 0.2)), Pose(turn=-0.7).place((-0.1, 0.2))
    assert right == pytest.approx((-left[0], left[1]))


def test_what_is_drawn_inside_an_outline_stays_there(pen):
    with pen.canvas.inside(pen.at(LEFT_HALF)):
        pen.ellipse((0, 0), (0.6, 0.6), RED)
    pixels = colours(pen)
    assert pixels[4, 8] == RED
    assert pixels[12, 8] == WHITE


def test_a_fade_goes_from_one_colour_above_to_another_below(pen):
    pen.canvas.fade(pen.at(LEFT_HALF), RED, BLUE)
    pixels = colours(pen)
    reds = [pixels[4, y][0] for y in range(16)]
    assert reds == sorted(reds, reverse=True)
    assert reds[0] > 240
    assert reds[-1] < 15
    assert pixels[12, 8] == WHITE


def test_a_glow_fades_to_nothing_at_its_edge(pen):
    pen.glow((0, 0), (0.4, 0.4), RED, 1.0)
    pixels = colours(pen)
    greens = [pixels[x, 8][1] for x in range(8, 16)]
    assert greens[0] < 60
    assert greens == sorted(greens)
    assert pixels[15, 8] == WHITE


def test_a_see_through_colour_is_mixed_with_what_is_below(pen):
    pen.polygon(LEFT_HALF, BLUE, alpha=0.5)
    assert colours(pen)[4, 8] == pytest.approx((127, 127, 255), abs=2)


def test_a_smooth_line_passes_through_its_points_and_a_stroke_thins_at_its_ends(pen):
    points = [(-0.3, 0.0), (0.0, 0.2), (0.3, 0.0)]
    line = pen.line(points)
    assert all(place in line for place in pen.at(points))
    pen.stroke([(-0.4, 0), (0.4, 0)], RED, 0.4, ends=0.0)
    pixels = colours(pen)
    heights = [sum(pixels[x, y][1] < 128 for y in range(16)) for x in (2, 8)]
    assert heights[0] < heights[1] / 2


def test_a_half_is_mirrored_into_a_whole():
    assert mirrored([(0, 0), (1, 1), (0, 2)]) == [(0, 0), (1, 1), (0, 2), (-1, 1)]
