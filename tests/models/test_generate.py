import pytest
import torch
from conftest import dcgan, tree
from PIL import Image

from ganface.io.tensors import read_header
from ganface.latents.paths import slerp, sweep, walks
from ganface.latents.seeds import z_of
from ganface.models.dcgan import Generator
from ganface.models.generate import (
    BATCH,
    COMPILE_FACES,
    generate,
    render_walks,
    use_compiled_kernels,
)
from ganface.models.snapshot import load_generator
from ganface.pictures.face_size import GAP
from ganface.pictures.grid import STRIP_COLUMNS, TABLE_CELL, cut, grid, to_pil
from ganface.pictures.png import read_png_meta
from ganface.pictures.walks import draw_strip, draw_sweep, draw_walk_frames


@pytest.fixture(scope="module")
def G(tiny_run):
    return load_generator(tiny_run.generator)[0]


@pytest.fixture(scope="module")
def z():
    return z_of(range(2 * BATCH + 3), 8)


def test_one_seed_is_one_face_in_any_batch(G, z):
    together = generate(G, z)
    assert together.shape == (len(z), 3, 32, 32)
    assert together.dtype == torch.uint8
    for seed in (0, 1, BATCH - 1, BATCH, len(z) - 1):
        alone = z_of([seed], 8)
        assert torch.equal(alone[0], z[seed])
        difference = generate(G, alone)[0].int() - together[seed].int()
        assert difference.abs().max() <= 1


def test_faces_differ_between_seeds(G, z):
    assert len(generate(G, z[:20]).flatten(1).unique(dim=0)) == 20


def test_drawing_changes_nothing_in_the_generator(G, z):
    before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
    first = generate(G, z)
    assert torch.equal(generate(G, z), first)
    assert all(torch.equal(before[name], tensor) for name, tensor in G.state_dict().items())


def test_where_many_are_drawn_they_are_drawn_the_same_but_for_a_level_here_and_there():
    G = Generator(dcgan(32, 8, 16)).eval()
    before = generate(G, z_of(range(9), 8)).int()
    use_compiled_kernels(G, COMPILE_FACES - 1)
    assert torch.equal(generate(G, z_of(range(9), 8)).int(), before)
    use_compiled_kernels(G, COMPILE_FACES)
    difference = (generate(G, z_of(range(9), 8)).int() - before).abs()
    assert difference.max() <= 1
    assert difference.float().mean() < 0.01


def test_a_grid_holds_the_faces_in_the_order_of_the_seeds(G, z):
    faces = generate(G, z[:10])
    sheet = grid(generate(G, z[:10]), 4)
    for index, face in enumerate(faces):
        assert cut(sheet, index, 4).tobytes() == to_pil(face).tobytes()


def test_walks_are_drawn_side_by_side_moment_by_moment(G, z):
    paths = walks(z[:6], 2, 3, slerp, loop=False)
    faces = render_walks(G, paths)
    assert faces.shape == (2, 7, 3, 32, 32)
    frames = draw_walk_frames(faces)
    assert len(frames) == 7
    for moment, frame in enumerate(frames):
        for row in range(2):
            assert cut(frame, row, 2).tobytes() == to_pil(faces[row, moment]).tobytes()


@pytest.mark.parametrize(("frames", "shown"), [(2, 2), (13, 13), (40, STRIP_COLUMNS)])
def test_a_strip_shows_both_ends_and_at_most_so_many_frames(frames, shown):
    faces = torch.arange(frames, dtype=torch.uint8).view(1, -1, 1, 1, 1).repeat(2, 1, 3, 8, 8)
    sheet = draw_strip(faces)
    assert sheet.size == (shown * (8 + GAP) - GAP, 2 * (8 + GAP) - GAP)
    levels = [cut(sheet, index, shown).getpixel((3, 3))[0] for index in range(2 * shown)]
    assert levels[:shown] == levels[shown:] == sorted(set(levels))
    assert (levels[0], levels[-1]) == (0, frames - 1)


def test_a_sweep_s_picture_holds_its_faces_in_rows_of_dimensions(G, z):
    faces = render_walks(G, sweep(z[0], (0, 5), -3, 3, 4))
    sheet = draw_sweep(faces, ["z[0]", "z[5]"], -3, 3)
    step = TABLE_CELL + GAP  # faces of 32 pixels are shown at twice their size
    left, top = sheet.width - 5 * step, sheet.height - 2 * step
    for row in range(2):
        for column in range(5):
            x, y = left + column * step, top + row * step
            cell = sheet.crop((x, y, x + TABLE_CELL, y + TABLE_CELL))
            face = to_pil(faces[row, column])
            assert cell.tobytes() == face.resize(cell.size, Image.Resampling.NEAREST).tobytes()


def test_a_run_s_pictures_are_drawn_from_the_snapshots_beside_them(tiny_run):
    for step, path in tiny_run.snapshots().items():
        G, _ = load_generator(path)
        expected = grid(generate(G, z_of(range(9), 8)), 3, scale=2).tobytes()
        with Image.open(tiny_run.grid(step)) as drawn:
            assert drawn.convert("RGB").tobytes() == expected
    assert len(tree(tiny_run.path / "snapshots")) == 3


def test_a_timeline_names_the_snapshots_that_drew_it(tiny_run):
    meta = read_png_meta(tiny_run.timeline)
    digests = [read_header(path).meta["sha256"] for path in tiny_run.snapshots().values()]
    assert meta["steps"] == list(tiny_run.snapshots())
    assert meta["snapshots"] == digests
