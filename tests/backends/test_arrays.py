"""Arrays of a backend: what is put comes back, sums have one order, and a download is the moment it was asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tissuesim.backends.base import BACKENDS, load_backend
from tissuesim.tissue import box_tissue


@pytest.mark.parametrize("name", BACKENDS)
def test_rows_come_back(name: str, cuda: str) -> None:
    """Claim: rows, tables, copies and zeros are what they say, for every type a state holds."""
    arrays = load_backend(name).arrays
    for dtype in (np.float32, np.float64, np.int32):
        rows = np.arange(600, dtype=dtype).reshape(200, 3)
        there, other = arrays.put_rows(rows), arrays.zeros_rows(200, 3, dtype)
        assert not arrays.get_rows(other).any()
        arrays.copy_rows(other, there)
        arrays.synchronize()
        assert np.array_equal(arrays.get_rows(other), rows) and arrays.get_rows(other).dtype == dtype
        table = arrays.refill(arrays.put(rows[0]), rows[1])
        assert np.array_equal(arrays.get(table), rows[1])


def values_of(n: int, dtype: type) -> np.ndarray:
    """Columns that do not add up to the same in another order."""
    generator = np.random.default_rng(2)
    values = 10.0 ** generator.uniform(-3, 9 if dtype is np.int32 else 12, (n, 5)) - 10.0
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 6, 7), (7, 9, 11), (41, 41, 41)])
def test_column_facts_agree(shape: tuple[int, int, int], dtype: type, cuda: str) -> None:
    """Claim: sums, weighted sums and extremes are the same bits on every backend, and right."""
    tissue = box_tissue(shape, 0.3)
    values = values_of(tissue.n, dtype)
    found = []
    for name in BACKENDS:
        arrays = load_backend(name).arrays
        kept = arrays.stored(tissue)
        places = np.argsort(tissue.box_index)[np.searchsorted(np.sort(tissue.box_index), kept.box_index)]
        facts = arrays.column_facts(arrays.put_rows(values[places]), arrays.mesh(kept, np.float32))
        found.append(np.array([facts.total, facts.weighted, facts.below_zero, facts.greatest]))
    for other in found[1:]:
        assert np.array_equal(found[0], other)
    total, weighted, below_zero, greatest = found[0]
    exact = [math.fsum(column) for column in values.T.astype(np.float64)]
    assert total == pytest.approx(exact, rel=1e-13)
    assert weighted == pytest.approx(np.float32(0.3**3) * np.array(exact), rel=1e-6)
    assert np.array_equal(below_zero, np.maximum(-values.min(axis=0).astype(np.float64), 0.0))
    assert np.array_equal(greatest, np.maximum(values.max(axis=0).astype(np.float64), 0.0))


@pytest.mark.parametrize("name", BACKENDS)
def test_not_a_number_is_found(name: str, cuda: str) -> None:
    """Claim: one NaN among many voxels comes out of both extremes of its column alone."""
    arrays, tissue = load_backend(name).arrays, box_tissue((9, 9, 9), 1.0)
    values = np.ones((tissue.n, 2), np.float32)
    values[700, 1] = np.nan
    facts = arrays.column_facts(arrays.put_rows(values), arrays.mesh(arrays.stored(tissue), np.float32))
    assert np.isnan(facts.greatest).tolist() == np.isnan(facts.below_zero).tolist() == [False, True]


def test_a_download_is_a_moment(cuda: str) -> None:
    """Claim: what happens on the device after a download began does not reach it, whichever is done first."""
    arrays = load_backend("cuda").arrays
    rows = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    order = np.random.default_rng(1).permutation(1000)
    there = arrays.put_rows(rows)
    download = arrays.Download({"signals": there}, order)
    arrays.copy_rows(there, arrays.zeros_rows(1000, 2, np.float32))
    arrays.synchronize()
    found = download.result()["signals"]
    assert np.array_equal(found[order], rows)
    assert not arrays.get_rows(there).any()


def test_repeated_work_reads_new_values(cuda: str) -> None:
    """Claim: recorded launches do again what they did, on what the same arrays hold then; other arrays are others."""
    arrays = load_backend("cuda").arrays
    repeat = arrays.Repeater()
    first, second, target = (arrays.put_rows(np.full((500, 1), value)) for value in (1.0, 2.0, 0.0))
    for source, value in (
        (first, 1.0),
        (first, 1.0),
        (first, 1.0),
        (second, 2.0),
        (second, 2.0),
        (first, 1.0),
    ):
        repeat("copy", (source, target), lambda source=source: arrays.copy_rows(target, source))
        assert np.all(arrays.get_rows(target) == value)
    arrays.copy_rows(first, arrays.put_rows(np.full((500, 1), 9.0)))
    repeat("copy", (first, target), lambda: pytest.fail("was recorded"))
    assert np.all(arrays.get_rows(target) == 9.0)


def test_few_recordings_are_kept(cuda: str) -> None:
    """Claim: however many lengths of a step a run has, the results of few of them stay on the device; all are right."""
    arrays = load_backend("cuda").arrays
    repeat = arrays.Repeater()
    sources = [arrays.put_rows(np.full((500, 1), float(value))) for value in range(20)]
    target = arrays.zeros_rows(500, 1, np.float64)
    for _ in range(3):
        for value, source in enumerate(sources):
            for _ in range(3):
                repeat("copy", (source, target), lambda source=source: arrays.copy_rows(target, source))
                assert np.all(arrays.get_rows(target) == value)
    assert len(repeat._known) == arrays.LARGEST_NUMBER
    # the last one used is still recorded
    repeat("copy", (sources[-1], target), lambda: pytest.fail("was recorded"))
    repeat("copy", (sources[-arrays.LARGEST_NUMBER], target), lambda: pytest.fail("was recorded"))


def test_downloads_share_their_place(cuda: str) -> None:
    """Claim: a download that takes the place of one before it does not reach into it, though nobody has read it yet."""
    arrays = load_backend("cuda").arrays
    rows = np.arange(2000, dtype=np.float32).reshape(1000, 2)
    there, other = arrays.put_rows(rows), arrays.put_rows(rows + 1.0)
    first = arrays.Download({"signals": there}, None)
    second = arrays.Download({"signals": other}, None, first)
    assert np.array_equal(second.result()["signals"], rows + 1.0)
    assert np.array_equal(first.result()["signals"], rows)


def test_a_full_device_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, cuda: str) -> None:
    """Claim: memory that runs out on the device ends in one sentence that says what to do."""
    from tissuesim.backends.cuda import device
    from tissuesim.errors import InputError

    def full(*arguments: object) -> None:
        raise MemoryError("Out of memory allocating 8,000 bytes")

    arrays = load_backend("cuda").arrays
    monkeypatch.setattr(device.cupy(), "zeros", full)
    with pytest.raises(
        InputError, match="the device is full: Out of memory allocating 8,000 bytes; use a larger"
    ):
        arrays.zeros_rows(1000, 1, np.float64)
