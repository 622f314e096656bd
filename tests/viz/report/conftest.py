"""A real run, short and coarse, and a browser that tells all it does."""

from __future__ import annotations

import base64
import io
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tissuesim.run import Run
from tissuesim.viz.report import pictures, volume
from tissuesim.viz.report.build import write_report

SETTINGS = (
    "organs.kidney.spacing=8 mm",
    "time.start=-10 day",
    "time.end=120 day",
    "output.frames.every=60 day",
    "output.frames.days=[-6, 0, 3, 5, 7, 9, 11, 14, 21, 28, 60, 90]",
    "checkpoint_every=100 day",
)


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The shipped kidney at 8 mm, from day -10 to 120, healed by CAR T cells."""
    from tissuesim.scenario import load
    from tissuesim.simulation import Simulation

    simulation = Simulation(load("kidney_car_t", SETTINGS), backend="numba")
    folder = simulation.create_run(out=tmp_path_factory.mktemp("report") / "kidney")
    simulation.run()
    return Run(folder)


@pytest.fixture(scope="session")
def page(real_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the real run."""
    return write_report(real_run, tmp_path_factory.mktemp("page"))


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what takes long, for tests of words and tables."""
    monkeypatch.setattr(pictures, "stills", lambda *_: {})
    monkeypatch.setattr(pictures, "maps", lambda *_: [])
    monkeypatch.setattr(volume, "scenes", lambda *_: [])


class Browser:
    """A headless browser at one page: what it shows, what it says, and what it asked the network for."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Open a file in a window of that size and wait until the 3D view has decided what it can do."""
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.resize(width, height)
        self.driver.get(page.resolve().as_uri())
        end = time.monotonic() + 60.0
        while (
            self.run("const v = document.querySelector('.viewer'); return v && v.dataset.state") == "waiting"
        ):
            assert time.monotonic() < end, "the 3D view neither drew nor gave up"
            time.sleep(0.05)

    def resize(self, width: int, height: int) -> None:
        """Give the page a window of that many CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a piece of JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def picture(self) -> np.ndarray:
        """Return the window as (height, width, 3) bytes."""
        from PIL import Image

        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))

    def complaints(self) -> list[str]:
        """Return what the console said: errors and warnings of scripts, styles, policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def asked_for(self) -> set[str]:
        """Return the scheme of everything that was asked for since the page was opened."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        urls = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return {url.partition(":")[0] for url in urls}


@pytest.fixture(scope="session")
def start_browser() -> Callable[..., Any]:
    """Give the function that starts Chromium with more options; skip where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium to drive a browser")
    program = next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs chromium and chromedriver on PATH")

    def start(*extra: str) -> Any:
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = program
        for option in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            *extra,
        ):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        return webdriver.Chrome(options=options, service=Service(driver))

    return start


@pytest.fixture(scope="session")
def browser(start_browser: Callable[..., Any]) -> Iterator[Browser]:
    """A browser with WebGL in software."""
    driver = start_browser("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def flat_browser(start_browser: Callable[..., Any]) -> Iterator[Browser]:
    """A browser without any 3D graphics."""
    driver = start_browser("--disable-3d-apis")
    yield Browser(driver)
    driver.quit()
