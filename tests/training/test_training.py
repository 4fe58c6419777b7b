"""Training in small: batches and runs repeat exactly, also after a stop, and the losses know their gradients."""

import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs .venv-train: make train")
pytest.importorskip("onnx", reason="training needs .venv-train: make train")

from rewarm.anatomy.close_up import Frame  # noqa: E402
from rewarm.anatomy.network import CLOSE_UP, OVERVIEW, load_network  # noqa: E402
from training import data, export, train  # noqa: E402
from training.network import LandmarksLoss, PartsLoss, class_weights, full_resolution, losses  # noqa: E402

RANDOM = np.random.default_rng(9)
TINY = train.Settings(steps=4, layouts=4, batch=2, widths=(4, 4, 8, 8, 8), workers=0, held_out=2)


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(data, "SHARD", 4)


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "SHARD", 4)
        data._generate_shard(folder, 1, 0)
        data._generate_shard(folder, 1, 1)
    return sorted(folder.glob("*.npz"))


def test_layouts_come_back_from_their_shard(shards):
    (layout, *_), random = data.read_shard(shards[0]), np.random.default_rng((1, 0))
    fresh = data.random_layout(random, data.TRAINING, shape=data.NETWORK_SHAPE)
    np.testing.assert_array_equal(layout.parts, fresh.parts)
    np.testing.assert_array_equal(layout.landmarks, fresh.landmarks)
    np.testing.assert_allclose(layout.along, fresh.along, atol=2e-3)
    assert (layout.kinds, layout.views) == (fresh.kinds, fresh.views)


def test_batches_can_be_taken_up_anywhere(shards, small_shards):
    whole = data.training_batches(shards, 2, seed=3)
    batches = [next(whole) for _ in range(7)]
    later = next(data.training_batches(shards, 2, seed=3, first=6))
    for name, array in batches[6].items():
        np.testing.assert_array_equal(array, later[name])
    assert not np.array_equal(batches[6]["input"], batches[2]["input"])  # the layouts come again in another dress


def test_processes_give_the_batches_of_their_turn(shards):
    assert len(shards) == 2
    several = data.batches_of_workers(shards, 2, seed=3, first=1, workers=2)
    got = [next(several) for _ in range(2)]
    several.close()
    for worker, batch in enumerate(got):
        alone = data.training_batches(shards, 2, seed=3, first=1, worker=worker, workers=2)
        np.testing.assert_array_equal(batch["input"], next(alone)["input"])


def test_a_flipped_example_has_its_sides_exchanged(shards):
    random = np.random.default_rng(2)
    layout = max(data.read_shard(shards[0]), key=lambda item: int((item.sides > 0).sum()))
    example = data.painted(layout, random)
    mirror = data.flipped(example)
    np.testing.assert_array_equal(mirror.parts, example.parts[:, ::-1])
    assert (mirror.sides == 1).sum() == (example.sides == 2).sum()
    np.testing.assert_array_equal(data.flipped(mirror).sides, example.sides)
    np.testing.assert_allclose(data.flipped(mirror).points, example.points, atol=1e-3)


def test_a_turned_example_keeps_points_on_their_pixels():
    parts = np.zeros(data.NETWORK_SHAPE, np.uint8)
    parts[60:66, 100:108] = 2
    points = np.full((1, 19, 3), np.nan, np.float32)
    points[0, 0] = (104.0, 63.0, 1.0)
    example = data.Example(parts + np.float32(20.0), parts, np.zeros_like(parts), points)
    turn = np.deg2rad(30.0)
    matrix = 1.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    turned = data._warped(example, np.column_stack((matrix, (40.0, -30.0))))
    rows, columns = np.nonzero(turned.parts == 2)
    np.testing.assert_allclose(turned.points[0, 0, :2], (columns.mean() + 0.5, rows.mean() + 0.5), atol=0.3)


def test_landmark_maps_peak_at_visible_landmarks_only():
    points = np.full((2, 19, 3), np.nan, np.float32)
    points[0, 0], points[1, 0], points[0, 1] = (41.0, 61.0, 1.0), (11.0, 105.0, 1.0), (50.0, 50.0, 0.0)
    maps = data.landmark_maps(points)
    assert maps[0, 30, 20] == maps[0, 52, 5] == 255
    assert maps[1:].max() == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_close_ups_truth_lies_where_its_picture_does(mirrored):
    parts = np.zeros(data.NETWORK_SHAPE, np.uint8)
    parts[60:90, 100:120] = 2
    points = np.full((1, 19, 3), np.nan, np.float32)
    points[0, 0] = (104.0, 66.0, 1.0)
    example = data.Example(20.0 + 5.0 * parts.astype(np.float32), parts, np.minimum(parts, 1), points)
    frame = Frame(110.0, 75.0, 0.6, 40.0, mirrored)
    cut, sides = data._cut(example.parts, example.sides, frame)
    assert int((cut == 2).sum()) == int((sides == (2 if mirrored else 1)).sum()) == pytest.approx(1667, rel=0.03)
    warm = data.close_up_channels(example.celsius, data.fitting_of(parts.shape), frame)[0]
    assert ((warm > warm.mean()) == (cut > 0)).mean() > 0.98
    x, y = data._points_in(points, frame)[0, 0, :2]
    back = frame.matrix[:, :2] @ (x, y) + frame.matrix[:, 2]
    np.testing.assert_allclose(back, (104.0, 66.0), atol=1e-3)
    assert cut[int(y), int(x)] == 2


def test_every_limb_has_a_frame_in_which_its_digits_are_up(shards):
    wrong = seen = 0
    for layout in data.read_shard(shards[0]) + data.read_shard(shards[1]):
        example = data.painted(layout, np.random.default_rng(3))
        for frame in data._limbs(example):
            parts, _ = data._cut(example.parts, example.sides, frame)
            digits, heel = np.isin(parts, range(2, 7)), parts == data.PARTS.index("heel")
            if digits.sum() > 100 and heel.sum() > 100:
                seen += 1
                wrong += np.nonzero(digits)[0].mean() > np.nonzero(heel)[0].mean()
                first, last = (np.nonzero(parts == code)[1] for code in (2, 6))
                if len(first) > 40 and len(last) > 40:
                    wrong += first.mean() > last.mean()
    assert seen >= 2
    assert wrong == 0


def test_the_losses_know_their_gradients():
    torch.manual_seed(1)
    logits = torch.randn(40, 17, dtype=torch.double, requires_grad=True)
    labels, weights = torch.randint(0, 12, (40,)), class_weights().double()
    assert torch.autograd.gradcheck(lambda z: PartsLoss.apply(z, labels, weights), (logits,))
    heat = torch.randint(0, 255, (2, 19, 3, 4)).to(torch.uint8)
    maps = torch.randn(2, 19, 3, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: LandmarksLoss.apply(z, heat), (maps,))


def test_a_perfect_answer_costs_next_to_nothing():
    """And so the order of the head's logits is the one in which the losses read the truth."""
    random = np.random.default_rng(4)
    codes = torch.from_numpy(random.integers(0, 17, (2, 192, 256)).astype(np.uint8))
    wanted = torch.nn.functional.one_hot(codes.long(), 17).permute(0, 3, 1, 2).float()
    logits = 30.0 * torch.nn.functional.pixel_unshuffle(wanted, 2)
    logits = logits.reshape(2, 17, 4, 96, 128).transpose(1, 2).reshape(2, 68, 96, 128)
    np.testing.assert_array_equal(full_resolution(logits).argmax(1), codes)
    truth = {
        "parts": codes,
        "sides": torch.full((2, 96, 128), 255, dtype=torch.uint8),
        "landmarks": torch.zeros((2, 19, 96, 128), dtype=torch.uint8),
    }
    terms = losses((logits, torch.zeros(2, 3, 96, 128), torch.full((2, 19, 96, 128), -30.0)), truth)
    assert all(float(term) < 1e-3 for term in terms.values())


def learn(run, shards, until):
    batches = data.training_batches(shards, TINY.batch, seed=TINY.seed, first=run.step)
    while run.step < until:
        run.learn(next(batches))


def test_a_stopped_run_goes_on_exactly(shards, small_shards, tmp_path):
    torch.set_num_threads(1)
    device = torch.device("cpu")
    whole, first = train.Training(TINY, device), train.Training(TINY, device)
    learn(whole, shards, 4)
    learn(first, shards, 2)
    first.save(tmp_path / "checkpoint.pt")
    second = train.Training.load(tmp_path / "checkpoint.pt", device)
    assert (second.step, second.settings) == (2, TINY)
    learn(second, shards, 4)
    for name in ("network", "average"):
        expected, found = getattr(whole, name).state_dict(), getattr(second, name).state_dict()
        assert all(torch.equal(expected[key], found[key]) for key in expected)
    begun = train.Training(TINY, device).network.state_dict()
    assert not torch.equal(begun["close_up.parts.weight"], whole.network.state_dict()["close_up.parts.weight"])


def test_both_networks_learn_alike_one_after_the_other_and_at_a_time(shards, small_shards, tmp_path, monkeypatch):
    monkeypatch.setattr(train, "generate_layouts", lambda *_, **__: shards)
    monkeypatch.setattr(train, "held_out_scenes", lambda *_: [data.painted(data.read_shard(shards[0])[0], RANDOM)] * 2)
    weights = []
    for threads in (1, 2):
        run = train.Training(TINY, torch.device("cpu"))
        folder = tmp_path / str(threads)
        folder.mkdir()
        train.train(run, folder, threads=threads, checkpoint_minutes=0.0, validate_minutes=0.0)
        assert run.step == TINY.steps
        weights.append(run.average.state_dict())
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_the_exported_files_answer_as_pytorch_does(tmp_path):
    torch.manual_seed(2)
    network = export.folded(train.TwoLooks(train.WIDTHS))
    export.write_both(network, tmp_path, {"format": "3"})
    assert {path.name for path in tmp_path.iterdir()} == {OVERVIEW, CLOSE_UP}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < export.LARGEST_BYTES
    random = np.random.default_rng(1)
    for name, own, shape in ((OVERVIEW, network.overview, (2, 96, 128)), (CLOSE_UP, network.close_up, (8, 128, 64))):
        pictures = random.normal(size=(2, *shape)).astype(np.float32)
        assert export.largest_difference(own, tmp_path / name, pictures) < export.LARGEST_DIFFERENCE
        assert load_network(tmp_path / name).get_modelmeta().custom_metadata_map["format"] == "3"


def test_going_on_without_a_checkpoint_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["train", "--resume", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"checkpoint\.pt: expected a checkpoint; found no file"):
        train.main()
