"""The run directory: named, never overwritten, its status readable at every moment."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import yaml

from tissuesim.errors import InputError
from tissuesim.run import create_run_directory, provenance, read_status, write_provenance, write_status
from tissuesim.run.provenance import git_commit

SCENARIO = {"name": "kidney", "seed": 3, "time": {"start": -120.0, "end": np.float64(365.0)}}


def test_name_and_content(tmp_path):
    """The name is <name>-<UTC>-<hash8>; config as given and a scenario that loads are inside."""
    text = "# mine\nname: kidney   # kept as it is\n"
    path = create_run_directory(tmp_path / "runs", "kidney car/t", text, SCENARIO)
    assert re.fullmatch(r"kidney-car-t-\d{8}T\d{6}-[0-9a-f]{8}", path.name)
    assert (path / "config.yaml").read_text() == text
    assert yaml.safe_load((path / "scenario.yaml").read_text()) == {
        "name": "kidney", "seed": 3, "time": {"start": -120.0, "end": 365.0},
    }  # fmt: skip


def test_runs_started_together_get_their_own_directories(tmp_path):
    """Sixteen equal runs started in the same second never share a directory."""
    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(lambda _: create_run_directory(tmp_path, "a", "", SCENARIO), range(16)))
    assert len(set(paths)) == 16


def test_given_path_is_taken_only_if_new_or_empty(tmp_path):
    """`out` is used as it is, but never over something that exists."""
    out = tmp_path / "new" / "run"
    assert create_run_directory(tmp_path, "a", "", SCENARIO, out=out) == out
    with pytest.raises(InputError, match="not empty"):
        create_run_directory(tmp_path, "a", "", SCENARIO, out=out)
    (tmp_path / "file").write_text("mine")
    for taken in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(InputError, match=r"cannot be a run folder"):
            create_run_directory(tmp_path, "a", "", SCENARIO, out=taken)
    with pytest.raises(InputError, match="is not a folder"):
        create_run_directory(tmp_path / "file", "a", "", SCENARIO)
    assert (tmp_path / "file").read_text() == "mine"


def test_status_is_whole_at_every_moment(tmp_path):
    """A reader polling while status.json is rewritten 200 times never sees half a file."""
    write_status(tmp_path, "running", steps=0)
    done = threading.Event()

    def write() -> None:
        for step in range(200):
            write_status(tmp_path, "running", steps=step, filling="x" * 5000)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    while not done.is_set():
        seen.append(read_status(tmp_path)["steps"])
    writer.join()
    assert seen == sorted(seen) and read_status(tmp_path)["steps"] == 199
    assert [path.name for path in tmp_path.iterdir()] == ["status.json"]


def test_wrong_status_words_and_places_are_refused(tmp_path):
    """Only the four known words are written; a folder that is no run is named in one sentence."""
    with pytest.raises(ValueError, match="did you mean 'finished'"):
        write_status(tmp_path, "finish")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not a run directory"):
        read_status(tmp_path)
    (tmp_path / "status.json").write_text('{"status": "runn')
    with pytest.raises(InputError, match="damaged"):
        read_status(tmp_path)


def test_provenance_says_how_to_repeat_the_run(tmp_path):
    """Command, seed, backend, versions and machine are there and survive the way through JSON."""
    content = provenance(["tissuesim", "run", "a.yaml"], 7, "numba", device="cpu")
    write_provenance(tmp_path, content)
    assert json.loads((tmp_path / "provenance.json").read_text()) == content
    assert content["command"] == ["tissuesim", "run", "a.yaml"] and content["seed"] == 7
    assert content["versions"]["numpy"] == np.__version__ and content["cpu_count"] >= 1
    assert content["backend"] == "numba" and content["device"] == "cpu"


def test_a_folder_without_git_has_no_commit(tmp_path):
    """An installed package outside a checkout says None instead of the commit of some parent folder."""
    assert git_commit(tmp_path) is None
