"""Checkpoints: what goes in comes out, two are kept, damage is noticed and the older one is used."""

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.run import load_latest_checkpoint, save_checkpoint

ARRAYS = {
    "kidney/cells": np.arange(12, dtype=np.int32).reshape(3, 4),
    "kidney/signals": np.array([[0.1, -0.0], [np.nan, np.inf]], dtype=np.float32),
    "file": np.float64(3.0),  # a name numpy.savez itself cannot hold
    "empty": np.zeros((0, 6)),
}


def test_round_trip_in_every_bit(tmp_path):
    """Names, shapes, dtypes and bits of the arrays and the facts come back unchanged."""
    save_checkpoint(tmp_path, -480, ARRAYS, {"tick": -480, "seed": np.int64(7), "done": ["infusion"]})
    arrays, facts = load_latest_checkpoint(tmp_path)
    assert facts == {"tick": -480, "seed": 7, "done": ["infusion"]}
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype and arrays[name].shape == np.shape(array)
        assert arrays[name].tobytes() == np.asarray(array).tobytes(), name


def test_the_last_two_are_kept_in_order_of_ticks(tmp_path):
    """Negative ticks (before the infusion) sort before positive ones; only the newest two files remain."""
    for tick in (-1000, -20, 0, 5, 400):
        save_checkpoint(tmp_path, tick, {"x": np.array([tick])}, {"tick": tick})
        assert load_latest_checkpoint(tmp_path)[1]["tick"] == tick
    assert sorted(path.name.split("_")[1] for path in tmp_path.iterdir()) == ["tick+400", "tick+5"]


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_newest_falls_back_with_one_warning(tmp_path, caplog, damage):
    """A flipped bit, a cut file or an empty file is noticed, said in one line, and the older one is used."""
    save_checkpoint(tmp_path, 1, {"x": np.arange(1000)}, {"tick": 1})
    newest = save_checkpoint(tmp_path, 2, {"x": np.arange(1000)}, {"tick": 2})
    content = bytearray(newest.read_bytes())
    if damage == "flip":
        content[len(content) // 2] ^= 1
    newest.write_bytes({"flip": bytes(content), "cut": bytes(content[:-100]), "empty": b""}[damage])
    assert load_latest_checkpoint(tmp_path)[1]["tick"] == 1
    assert len(caplog.records) == 1 and newest.name in caplog.text
    save_checkpoint(tmp_path, 2, {"x": np.arange(1000)}, {"tick": 2, "again": True})
    assert load_latest_checkpoint(tmp_path)[1] == {"tick": 2, "again": True}


def test_all_damaged_is_an_error_and_none_is_none(tmp_path):
    """No checkpoint is None; checkpoints that are all damaged are an error, not a quiet restart."""
    assert load_latest_checkpoint(tmp_path) is None
    assert load_latest_checkpoint(tmp_path / "nowhere") is None
    save_checkpoint(tmp_path, 1, {"x": np.arange(3)}, {}).write_bytes(b"x")
    with pytest.raises(InputError, match="damaged"):
        load_latest_checkpoint(tmp_path)


def test_python_objects_are_refused(tmp_path):
    """A checkpoint never holds a pickle; the failed attempt leaves no file behind."""
    with pytest.raises(ValueError, match="allow_pickle"):
        save_checkpoint(tmp_path, 1, {"x": np.array([{}], dtype=object)}, {})
    assert not list(tmp_path.iterdir())
