from ganface.training.snapshots import spread


def test_of_many_milestones_the_timeline_shows_some_evenly():
    assert spread([5, 7], 3) == [5, 7]
    assert spread([5, 7, 9], 3) == [5, 7, 9]
    assert spread([*range(0, 101, 10)], 3) == [0, 50, 100]
    assert spread([*range(200)], 30)[0] == 0
    assert spread([*range(200)], 30)[-1] == 199
    assert len({*spread([*range(31)], 30)}) == 30
