"""What a report says: sentences from readouts, ledgers that add up, treatments in place, a page that holds."""

from __future__ import annotations

import base64
import json
import re
import zlib

import numpy as np
import pytest

from tissuesim.errors import InputError
from tissuesim.readouts import CATALOGUE
from tissuesim.verification import Check
from tissuesim.verification.saved import save_scorecard, saved_scorecard
from tissuesim.viz.plots.courses import Courses
from tissuesim.viz.report import build, charts, ran, story, trust, volume
from tissuesim.viz.report.build import as_script, write_report
from tissuesim.viz.treatment import INFUSION, Treatment

pytestmark = pytest.mark.xdist_group("report")


class Patient:
    """Stands in for the courses of a run: columns, endpoints, and what was done."""

    def __init__(self, days, columns, endpoints, treatments=()):
        self.days, self.columns, self.treatments, self.name = days, columns, list(treatments), "patient"
        self.run = type("FakeRun", (), {"endpoints": endpoints, "organs": (), "totals": {}})()

    def __contains__(self, name):
        return name in self.columns

    def values(self, names):
        """Return the sum of columns."""
        return sum(self.columns[name] for name in names)


def infused():
    """One infusion on day 0."""
    return [Treatment(INFUSION, 0.0, None, "infusion")]


ENDS = {
    "day_car_t_peak": 8.75,
    "car_t_peak_per_ul": 54.6,
    "day_b_below_1pct": 5.5,
    "aplasia_days": 107.0,
    "day_autoreactive_extinct": None,
    "remission_day": 90.0,
    "clinical_relapse_day": None,
}


@pytest.mark.parametrize(
    ("last", "relapse", "state", "words"),
    [
        (1.0, None, "remission", "had not come back by day 365, the end of the run"),
        (0.0, 200.0, "relapse", "was in remission from day 90 and came back on day 200"),
        (1.0, 200.0, "remission", "came back on day 200 and was in remission again"),
        (0.0, None, "active", "had been in remission from day 90 but was active on day 365"),
    ],
)
def test_the_headline_tells_the_end_as_it_was(last, relapse, state, words):
    """Remission, relapse, relapse and remission again, activity at the end: each in its own words."""
    days = np.array([-10.0, 0.0, 365.0])
    columns = {"remission": np.array([0.0, 0.0, last]), "autoreactive_total": np.array([1e7, 1e7, 40.0])}
    patient = Patient(days, columns, {**ENDS, "clinical_relapse_day": relapse}, infused())
    text = story.headline(patient)
    assert story.state(patient) == state and words in text
    assert "peaked in blood on day 9 at 55 per µL" in text and "came back after 107 days" in text
    assert "never cleared (40 at the end)" in text and "died" not in text


def test_without_treatment_nothing_is_said_of_an_infusion():
    """A patient who got nothing has no peak and no aplasia in the sentence, whatever the endpoints hold."""
    days = np.array([0.0, 365.0])
    columns = {"remission": np.zeros(2), "disease_activity": np.array([0.62, 1.01])}
    text = story.headline(Patient(days, columns, {**ENDS, "remission_day": None}))
    assert text.startswith("Without treatment, disease activity went from 0.62 to 1.01")
    assert "infusion" not in text and "peaked" not in text
    assert text.endswith("The disease was active on day 365, the end of the run.")


def test_a_short_follow_up_is_no_cure():
    """Remission five days before the end is not told as freedom from relapse."""
    days = np.array([0.0, 95.0])
    patient = Patient(days, {"remission": np.array([0.0, 1.0])}, ENDS, infused())
    rows = {row.name: row.values[0] for row in story.outcomes([patient])}
    assert rows["Relapse"] == "none, but seen for 5 days only"
    assert rows["Remission"] == "day 90" and rows["B-cell aplasia"] == "107 days"
    assert "Last autoreactive B cell dead" not in rows


def test_the_real_headline_agrees_with_the_endpoints(real_run):
    """Every number of the sentence is an endpoint of the run, rounded."""
    ends, text = real_run.endpoints, story.headline(Courses(real_run))
    assert f"day {ends['day_car_t_peak']:.0f} at {ends['car_t_peak_per_ul']:.2g} per" in text
    assert f"died on day {ends['day_autoreactive_extinct']:.0f} in the kidney" in text
    assert f"remission from day {ends['remission_day']:.0f}" in text
    assert (
        f"SLEDAI-2K was {ends['sledai_day0']:.3g} on day 0 and {ends['sledai_day90']:.3g} on day 90" in text
    )


def test_the_ledger_finds_a_lost_cell(real_run):
    """The ledger of a real run closes to the last cell; with one cell taken away it shows a gap of one."""
    rows = trust.ledger(real_run)
    cells = [row for row in rows if row.kind == "cell"]
    assert len([row for row in cells if row.organ == "kidney"]) == 5
    assert all(row.gap == 0.0 for row in cells) and sum(row.turnover for row in cells) > 1e9
    assert any(
        row.organ == "pools" and row.name == "blood_car_t_effector" and row.turnover > 0 for row in cells
    )
    signals = [row for row in rows if row.kind == "signal"]
    assert len(signals) == 8 and 0.0 < max(row.relative for row in signals) < 1e-6

    class Robbed:
        totals = real_run.totals.copy(deep=True)

    Robbed.totals["kidney.naive_b.sum"][-1] -= 1.0
    gaps = {(row.organ, row.name): row.gap for row in trust.ledger(Robbed) if row.kind == "cell"}
    assert gaps.pop(("kidney", "naive_b")) == 1.0 and set(gaps.values()) == {0.0}
    lines = trust.ledger_summary(trust.ledger(Robbed))
    assert [line["organ"] for line in lines if "naive b" in line["gap"]] == ["kidney"]


def test_the_margins_are_those_that_the_run_recorded(real_run, page, tmp_path):
    """The largest values stand in the page with their bounds; one above its bound is told, none is made up."""
    told = json.loads((real_run.path / "stability.json").read_text())
    rows = trust.measured_margins(real_run)
    text = page.read_text(encoding="utf-8")
    for key, name in trust.MARGINS.items():
        assert rows[name].startswith(f"{told['organs']['kidney'][key]:.2g}")
        assert f" {told['limits'][key]:g}" in rows[name] and name in text
    assert 0.05 < told["organs"]["kidney"]["rate"] < 1.0

    class Beyond:
        path = tmp_path

    assert trust.measured_margins(Beyond) == {}
    told["organs"]["kidney"]["growth"] = 0.2
    (tmp_path / "stability.json").write_text(json.dumps(told))
    assert "above it for one step" in trust.measured_margins(Beyond)[trust.MARGINS["growth"]]


def test_the_grades_are_those_of_the_model(real_run):
    """Each parameter of the model is listed once, with the grade it has in the model."""
    from tissuesim.model import Model

    rows = {row.name: row for row in trust.parameters(real_run)}
    model = Model.load("autoimmune")
    assert set(rows) == set(model.parameters)
    assert {name: row.grade for name, row in rows.items()} == {
        name: parameter.grade for name, parameter in model.parameters.items()
    }
    counts = {row["grade"]: int(row["count"]) for row in trust.grade_table(list(rows.values()))}
    assert sum(counts.values()) == len(model.parameters)


def test_the_line_of_time_is_to_scale(real_run):
    """Lymphodepletion from -5 to -2 and the infusion on day 0 stand where they belong in a run of 130 days."""
    rows = {row["name"]: row for row in ran.timeline(Courses(real_run))}
    (course,), (infusion,) = rows["lymphodepletion"]["marks"], rows["CD19 CAR T"]["marks"]
    assert course["left"] == pytest.approx(100 * 5 / 130, abs=0.01)
    assert course["width"] == pytest.approx(100 * 3 / 130, abs=0.01) and not course["event"]
    assert infusion["event"] and infusion["left"] == pytest.approx(100 * 10 / 130, abs=0.01)
    assert rows["lymphodepletion"]["when"] == "day \N{MINUS SIGN}5 to \N{MINUS SIGN}2"


def test_repeated_doses_are_one_row():
    """Two doses of an antibody stand on one line, each at its day; what lies before the run stands at its edge."""
    done = [Treatment("rituximab", day, None, "antibody") for day in (0.0, 14.0)]
    done.append(Treatment("leukapheresis", -40.0, None, "leukapheresis"))
    patient = Patient(np.array([-10.0, 90.0]), {}, {}, done)
    patient.span = (-10.0, 90.0)
    rows = {row["name"]: row for row in ran.timeline(patient)}
    assert rows["rituximab"]["when"] == "days 0, 14"
    assert [mark["left"] for mark in rows["rituximab"]["marks"]] == [10.0, 24.0]
    assert rows["leukapheresis"]["marks"][0]["left"] == 0.0


def test_a_certificate_is_shown_with_what_failed(real_run, tmp_path, monkeypatch, no_pictures):
    """A product that was given though a criterion failed says so: the criterion, its limit, the override."""
    certificate = {
        "product": "car_t <b>",
        "released": False,
        "override": True,
        "criteria": [{"name": "viability", "value": 0.7, "limit": ">= 0.8", "passed": False}],
    }
    monkeypatch.setattr(ran, "certificates", lambda run: [certificate])
    text = write_report(real_run, tmp_path).read_text(encoding="utf-8")
    for words in ("Not released", "by override", "viability", "&gt;= 0.8", "FAIL", "car_t &lt;b&gt;"):
        assert words in text, words


def test_a_name_cannot_break_the_page(real_run, tmp_path, monkeypatch, no_pictures):
    """A run called like a script is text, in the page and in its data."""
    evil = "</script><script>alert(1)</script>"
    monkeypatch.setattr(Courses, "name", evil, raising=False)
    runs = [Courses(real_run, evil)]
    text = build.render(runs, None)
    assert evil not in text and "alert(1)" in text
    assert json.loads(as_script({"a": evil}).encode()) == {"a": evil}


def test_the_page_is_small_and_holds_no_address(real_run, page, tmp_path):
    """Under 15 MB, and nothing in it that a browser would fetch: no src, href or url() but data and places in it."""
    text = page.read_text(encoding="utf-8")
    assert page.stat().st_size < 15_000_000
    markup = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    targets = re.findall(r"""(?:src|href)=["']([^"']*)""", markup) + re.findall(r"url\(([^)]*)\)", markup)
    assert targets and all(target.startswith(("data:", "#")) for target in targets)
    assert write_report(real_run, tmp_path / "again.html").read_bytes() == page.read_bytes()


def test_two_runs_stand_side_by_side(real_run, untreated_directory, tmp_path, no_pictures):
    """Against another run each outcome has two columns, each chart both lines; five runs are refused."""
    text = write_report(real_run, tmp_path, [untreated_directory]).read_text(encoding="utf-8")
    head = re.search(r"<th scope=\"col\">outcome</th>(.*?)</tr>", text, flags=re.S)
    assert head and "Kidney CAR T" in head[1] and "Kidney untreated" in head[1]
    behind = json.loads(re.search(r'id="chart-data">(.*?)</script>', text, flags=re.S)[1])
    names = [curve["name"] for curve in behind["charts"][0]["curves"]]
    assert "B cells (CD19+), Kidney CAR T" in names and "B cells (CD19+), Kidney untreated" in names
    with pytest.raises(InputError, match="at most 3"):
        write_report(real_run, tmp_path, [untreated_directory] * 4)


def test_charts_carry_the_numbers_they_draw(real_run):
    """The values behind a chart are those of the totals on the same days, to the digits that are shown."""
    _, behind = charts.sections([Courses(real_run)])
    days, totals = np.array(behind["days"][0]), real_run.totals
    curve = next(curve for curve in behind["charts"][0]["curves"] if curve["name"] == "CAR T cells")
    expected = np.interp(days, totals["time"].values, totals["car_t_per_ul"].values)
    assert np.allclose(np.array(curve["values"], float), expected, rtol=1e-3)
    assert days[0] == -10.0 and days[-1] == 120.0 and np.sum((days >= -10) & (days <= 40)) > 150


def unpacked(text, dtype):
    """Return packed numbers."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype)


def test_the_scene_holds_the_fields_of_the_run(real_run):
    """Surface, boxes and dots of the page are those of the run: volume, mean inflammation, where cells are."""
    (scene,) = volume.scenes(real_run, real_run.organs)
    x, y, z = scene["shape"]
    dataset = real_run["kidney"]
    tissue = unpacked(scene["tissue"], np.uint8).reshape(z, y, x) / 255.0
    assert tissue.sum() * 8.0**3 == pytest.approx(float(dataset["volume"].sum()), rel=0.01)
    field = scene["fields"][0]
    frame = scene["days"].index(7.0)
    values = unpacked(field["frames"][frame], np.uint8).reshape(z, y, x) / 255.0 * float(field["top"])
    true = dataset["inflammation"].sel(time=7.0).values
    weight = dataset["volume"].values
    assert (values * tissue).sum() / tissue.sum() == pytest.approx(
        np.nansum(np.minimum(true, float(field["top"])) * weight) / weight.sum(), rel=0.02
    )
    mesh = scene["mesh"]
    points = unpacked(mesh["positions"], np.uint16).reshape(-1, 3) / 65535 * mesh["size"] + mesh["low"]
    a, b, c = points[unpacked(mesh["indices"], np.uint32).reshape(-1, 3)].transpose(1, 0, 2)
    enclosed = abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
    assert enclosed == pytest.approx(weight.sum(), rel=0.08)
    (car_t,) = [layer for layer in scene["dots"] if layer["name"] == "CAR T cells"]
    before, at_peak = scene["days"].index(-6.0), scene["days"].index(9.0)
    assert unpacked(car_t["frames"][before], np.uint16).size == 0
    assert unpacked(car_t["frames"][at_peak], np.uint16).size >= 3 * 100


def test_a_fine_organ_is_made_coarser_without_losing_any():
    """Blocks keep the sum of what is in them, and the factor brings the box under the limit."""
    box = np.random.default_rng(1).random((31, 20, 27))
    assert volume.blocks(box, 4).sum() * 64 == pytest.approx(box.sum())
    factor = volume.coarsening((300, 200, 250), 160_000)
    cells = np.prod([np.ceil((extent + 6) / factor) for extent in (300, 200, 250)])
    assert factor > 1 and cells <= 160_000
    assert volume.coarsening((28, 10, 17), 160_000) == 1


def test_the_scorecard_is_kept_for_the_next_report(tmp_path, monkeypatch):
    """A full scorecard is read back and not replaced by a quick one; one of another version does not count."""
    monkeypatch.setenv("TISSUESIM_CACHE", str(tmp_path))
    assert saved_scorecard() is None
    save_scorecard([Check("order", 2.0, 1.9, "+- 0.15", True)], quick=True)
    assert saved_scorecard()["quick"] is True
    save_scorecard([Check("order", 2.0, 1.2, "+- 0.15", False)], quick=False)
    save_scorecard([Check("order", 2.0, 1.9, "+- 0.15", True)], quick=True)
    kept = saved_scorecard()
    assert kept["passed"] is False and kept["checks"][0]["measured"] == 1.2
    monkeypatch.setattr("tissuesim.verification.saved.__version__", "99")
    assert saved_scorecard() is None


def test_a_failed_check_is_shown(real_run, tmp_path, no_pictures):
    """The report of a machine whose solver fails a check says so at the head of the checks and in its row."""
    check = {"name": "order <x>", "theory": 2.0, "measured": 1.2, "tolerance": "+- 0.15", "passed": False}
    card = {"version": "1", "when": "now", "quick": False, "passed": False, "checks": [check]}
    text = write_report(real_run, tmp_path, scorecard=card).read_text(encoding="utf-8")
    assert "0 of 1 checks passed" in text and "order &lt;x&gt;" in text
    assert "Not checked on this machine" not in text
    assert "Not checked on this machine" in write_report(real_run, tmp_path).read_text(encoding="utf-8")


def test_every_told_score_is_in_the_catalogue():
    """Names that the report looks for exist, so that none is passed over for a slip of the pen."""
    assert set(story.TOLD) <= set(CATALOGUE)
