"""The report as people meet it: in a real browser, on a desk and on a phone, with and without 3D graphics."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.xdist_group("report")

LAYOUT = Path(__file__).with_name("layout_desktop.png")
LAYOUT_SIZE = (96, 68)  # of the reference, in cells; text becomes grey blocks
LARGEST_DIFFERENCE = 6.0  # of 255, mean over the cells: fonts of another machine, not another layout


def layout(picture: np.ndarray) -> np.ndarray:
    """Return a picture as a few large grey cells."""
    from PIL import Image

    return np.asarray(Image.fromarray(picture).convert("L").resize(LAYOUT_SIZE, Image.Resampling.BOX), float)


def difference(browser, reference: Path) -> float:
    """Return how far the window is from a reference picture, in grey levels."""
    from PIL import Image

    return float(np.abs(layout(browser.picture()) - np.asarray(Image.open(reference), float)).mean())


def test_the_page_is_quiet_and_alone(browser, page):
    """No error or warning on the console, nothing asked of any network, and the title tells what it is."""
    browser.open(page)
    assert browser.complaints() == []
    assert browser.asked_for() <= {"file", "data"}
    assert browser.run("return document.title") == "Kidney CAR T: report of a tissuesim run"
    assert browser.run("return document.documentElement.lang") == "en"


def test_a_request_would_be_seen(browser, page, tmp_path):
    """The check above can fail: a page that asks for a picture elsewhere is stopped, and says so."""
    other = tmp_path / "asks.html"
    asks = '<img src="http://198.51.100.1/picture.png" alt="elsewhere"></main>'
    other.write_text(page.read_text(encoding="utf-8").replace("</main>", asks), encoding="utf-8")
    browser.open(other)
    assert any("Content Security Policy" in line for line in browser.complaints())


def test_the_organ_is_drawn_and_can_be_turned(browser, page):
    """The canvas shows an organ with more than one color; turning, cutting and another day change the picture."""
    browser.open(page)
    assert browser.run("return document.querySelector('.viewer').dataset.state") == "drawn"
    browser.run("document.querySelector('.viewer').scrollIntoView({behavior: 'instant'})")

    def seen() -> np.ndarray:
        size = browser.run(
            "const c = document.querySelector('.viewer canvas'), r = c.getBoundingClientRect();"
            "return [r.left, r.top, r.width, r.height].map(Math.round)"
        )
        left, top, width, height = size
        return browser.picture()[max(top, 0) : top + height, left : left + width].astype(float)

    def pull(name: str, value: int) -> None:
        browser.run(
            "const i = document.querySelector(`.viewer [name=${arguments[0]}]`); i.value = arguments[1];"
            "i.dispatchEvent(new Event('input', {bubbles: true}))",
            name,
            value,
        )

    first = seen()
    ground = np.abs(first - first[5, 5]).max(axis=2) < 8.0
    assert 0.1 < 1.0 - ground.mean() < 0.9, "an organ on its ground, neither empty nor out of the picture"
    assert first[~ground].std(axis=0).min() > 10.0
    last_day = browser.run("return Number(document.querySelector('.viewer [name=day]').max)")
    pull("day", last_day)
    healed = seen()
    assert np.abs(healed - first).mean() > 2.0
    assert healed[~ground].mean() < first[~ground].mean(), "a healed organ is darker"
    pull("cut", 80)
    cut = seen()
    assert np.abs(cut - healed).mean() > 0.5
    browser.run(
        "document.querySelector('.viewer canvas').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'ArrowLeft', bubbles: true, cancelable: true}))"
    )
    assert np.abs(seen() - cut).mean() > 0.5
    assert browser.complaints() == []


def test_every_field_and_day_can_be_chosen(browser, page):
    """No combination of color and day leaves an error, and the legend names the color that is shown."""
    browser.open(page)
    names = browser.run(
        "const v = document.querySelector('.viewer'), f = v.querySelector('[name=field]');"
        "const d = v.querySelector('[name=day]');"
        "const seen = []; for (const o of f.options) { f.value = o.value; f.dispatchEvent(new Event('input'));"
        "for (let k = 0; k <= Number(d.max); k++) { d.value = k; d.dispatchEvent(new Event('input')); }"
        "seen.push(v.querySelector('.bar-name').textContent); } return seen"
    )
    assert names == ["Inflammation", "Damage", "Fibrosis", "Killing hazard summed over time"]
    assert browser.complaints() == []


def test_without_3d_graphics_the_stills_remain(flat_browser, page):
    """A browser without WebGL hides the empty view, says why, and shows the drawn pictures."""
    flat_browser.open(page)
    assert flat_browser.run("return document.querySelector('.viewer').dataset.state") == "still"
    assert flat_browser.run("return document.querySelector('.viewer .stage').offsetHeight") == 0
    assert "no 3D graphics" in flat_browser.run(
        "return document.querySelector('.viewer figcaption').innerText"
    )
    assert flat_browser.run("return document.querySelector('.still img').naturalWidth") > 500


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_width_scrolls_sideways(browser, page, width):
    """On a small phone, a phone, a tablet and a desk the page is as wide as the window, and its text is legible."""
    browser.open(page, width, 844)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    sizes = browser.run(
        "return [...document.querySelectorAll('main :is(p, td, th, li, figcaption, h2, h3, h4)')]"
        ".filter(e => e.offsetWidth > 1 && e.innerText).map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 12.0
    chart = browser.run(
        "const t = document.querySelector('.plot svg text'), s = t.ownerSVGElement;"
        "return parseFloat(getComputedStyle(t).fontSize) * s.getBoundingClientRect().width / s.viewBox.baseVal.width"
    )
    assert chart >= 6.5


def test_values_can_be_read_off_a_chart(browser, page, real_run):
    """Pointing at a day of the first chart shows that day and the number of CAR T cells of the totals."""
    browser.open(page)
    day, value = browser.run(
        "const p = document.querySelector('figure[data-chart=\"0\"] .plot'), c = CHARTS.charts[0];"
        "const r = p.querySelector('svg').getBoundingClientRect();"
        "const share = (c.left + (9 - c.days[0]) / (c.days[1] - c.days[0]) * (c.right - c.left)) / c.width;"
        "p.dispatchEvent(new PointerEvent('pointermove', {clientX: r.left + share * r.width, clientY: r.top + 50}));"
        "const b = p.querySelector('.reading');"
        "return [b.querySelector('strong').textContent, b.querySelector('span').textContent]"
    )
    shown = float(day.removeprefix("day "))
    assert abs(shown - 9.0) < 0.5
    totals = real_run.totals["car_t_per_ul"].sel(time=shown, method="nearest").item()
    assert value.startswith("CAR T cells") and float(value.split()[-1]) == pytest.approx(totals, rel=0.02)


def test_everything_has_words(browser, page):
    """Pictures, charts, controls and the canvas have a name for those who do not see them; headings skip no level."""
    browser.open(page)
    nameless = browser.run(
        "return [...document.querySelectorAll('img')].filter(e => e.alt.length < 20).length"
        " + [...document.querySelectorAll('[role=img]')].filter(e => {"
        "   const by = e.getAttribute('aria-labelledby');"
        "   return !(e.getAttribute('aria-label') || (by && document.getElementById(by)?.textContent)); }).length"
        " + [...document.querySelectorAll('input, select, button')].filter("
        "   e => !(e.labels?.length || e.getAttribute('aria-label'))).length"
    )
    assert nameless == 0
    levels = browser.run(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    twice = browser.run(
        "const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.length - new Set(ids).size"
    )
    assert twice == 0


def test_contrast_is_enough(browser, page):
    """Every text of the page stands 4.5 to 1 against the ground behind it (WCAG AA)."""
    browser.open(page)
    worst = browser.run(
        """
        const rgb = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
        const light = ([r, g, b]) => {
          const f = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
          return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
        const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
          if (c.length < 4 || c[3] > 0.9) return c; } return [255, 255, 255]; };
        let worst = [21, ''];
        for (const e of document.querySelectorAll('body *:not(svg *):not(script):not(style)')) {
          if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.offsetWidth) continue;
          const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
          const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          if (ratio < worst[0]) worst = [ratio, e.outerHTML.slice(0, 80)];
        }
        return worst;"""
    )
    assert worst[0] >= 4.5, worst


def test_the_layout_is_the_one_that_was_looked_at(browser, page, tmp_path):
    """The first window looks like the reference; a page that has lost its style does not."""
    browser.open(page)
    assert difference(browser, LAYOUT) < LARGEST_DIFFERENCE
    text = page.read_text(encoding="utf-8")
    bare = tmp_path / "bare.html"
    bare.write_text(text[: text.index("<style>")] + text[text.index("</style>") + 8 :], encoding="utf-8")
    browser.open(bare)
    assert difference(browser, LAYOUT) > LARGEST_DIFFERENCE


def test_nothing_overlaps(browser, page):
    """Headings, tables, charts and pictures stand below or beside one another at the widths of a desk and a phone."""
    for width in (1280, 390):
        browser.open(page, width, 900)
        over = browser.run(
            "const boxes = [...document.querySelectorAll("
            "'main :is(h2, h3, .table, .plot, .still, .map, .viewer, pre)')]"
            ".map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width && r.height && e.checkVisibility());"
            "const bad = []; for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {"
            "const [a, p] = boxes[i], [b, q] = boxes[j]; if (a.contains(b) || b.contains(a)) continue;"
            "if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1)"
            "bad.push(a.outerHTML.slice(0, 60) + ' | ' + b.outerHTML.slice(0, 60)); } return bad"
        )
        assert over == []


def test_it_prints(browser, page):
    """On paper the view to turn gives way to the stills, and the page becomes several."""
    browser.open(page)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = browser.run("return getComputedStyle(document.querySelector('.viewer')).display")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert hidden == "none"
    import base64

    paper = base64.b64decode(
        browser.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    )
    assert paper.startswith(b"%PDF") and paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") >= 3


def test_a_scene_of_a_notebook_tells_its_colors_and_asks_for_nothing(browser, real_run, tmp_path):
    """The scene that turns shows an organ, its color bar and its cells; no network, no error."""
    pytest.importorskip("trame_vtk")
    from tissuesim.viz.turning import turning_scene

    scene = turning_scene(real_run, "kidney", day=9.0)
    assert scene is not None
    page = tmp_path / "scene.html"
    page.write_text(scene, encoding="utf-8")
    browser.open(page)
    end = time.monotonic() + 60.0
    while not browser.run("return Boolean(document.querySelector('canvas'))"):
        assert time.monotonic() < end, "the scene was not drawn"
        time.sleep(0.05)
    told = browser.run("return document.documentElement.innerText")
    assert "Inflammation" in told and "Kidney, day 9" in told and "CAR T cells: " in told
    assert browser.asked_for() <= {"file", "data"}
    assert not [line for line in browser.complaints() if "rror" in line]
