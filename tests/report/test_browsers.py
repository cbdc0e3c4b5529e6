"""report.html in real browsers, headless and without a network: it opens, moves, and complains of nothing."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from invrender.report.html import report_page
from tests.report import told

selenium = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402 - selenium may be missing

NEEDED = bool(os.environ.get("NEED_BROWSER"))
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
CASES: dict[str, dict[str, Any]] = {
    "mesh": {},
    "textured": {"asset": told.textured},
    "volume": {"asset": told.blob, "method": "transmittance"},
    "scene": {"asset": told.scene, "method": "scene"},
    "hostile": {"title": told.HOSTILE, "warnings": [told.HOSTILE], "source": told.HOSTILE},
    "bare": {"asset": "nothing to show", "cameras": None, "compared": (), "metrics": {}, "timings": {}},
}


def missing(what: str) -> None:
    """There is no browser: a failure where one was promised, else a skip."""
    (pytest.fail if NEEDED else pytest.skip)(f"{what} is not installed (Debian: see .ci/browsers.py)")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("pages")
    found = {}
    for name, case in CASES.items():
        asset = case.get("asset")
        story = told.story(base / name, **{**case, "asset": asset() if callable(asset) else asset})
        found[name] = base / name / "report.html"
        found[name].write_text(report_page(story), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chrome, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if chrome is None or driver is None:
        missing("chromium with chromedriver")
    options = selenium.ChromeOptions()
    options.binary_location = chrome
    for argument in ("--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
                     "--disable-dev-shm-usage", "--window-size=1200,900", OFFLINE):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = selenium.ChromeService(driver)
    with selenium.Chrome(options, service) as found:
        found.set_script_timeout(60)
        yield found


def opened(browser: Any, page: Path) -> None:
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page.as_uri())
    browser.execute_async_script(
        "const done = arguments[0]; const ready = () => [...document.querySelectorAll('.live canvas')]"
        ".every(c => c.dataset.state) && (document.querySelectorAll('.viewer, .slices').length === "
        "document.querySelectorAll('.live').length) ? done() : setTimeout(ready, 50); ready();"
    )


def shades(browser: Any, canvas: str = ".viewer canvas") -> Any:
    """The pixels of a canvas [H,W,4] as it is shown."""
    url = browser.execute_script("return document.querySelector(arguments[0]).toDataURL('image/png')", canvas)
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as shown:
        return np.asarray(shown.convert("RGBA"))


def press(browser: Any, name: str) -> None:
    browser.find_element(By.NAME, name).click()
    settle(browser)


def slide(browser: Any, name: str, value: int) -> None:
    browser.execute_script(
        "const s = document.getElementsByName(arguments[0])[0]; s.value = arguments[1];"
        "s.dispatchEvent(new Event('input'))",
        name,
        value,
    )


def settle(browser: Any) -> None:
    browser.execute_async_script(
        "const d = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => d()))"
    )


@pytest.mark.parametrize("name", CASES)
def test_it_opens_and_asks_for_nothing(name: str, browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages[name])
    assert browser.get_log("browser") == []
    asked = [entry["message"] for entry in browser.get_log("performance") if "requestWillBeSent" in entry["message"]]
    assert len(asked) >= 1  # the page itself
    for message in asked:
        assert '"url":"file://' in message or '"url":"data:' in message, message[:300]
    assert browser.find_elements(By.TAG_NAME, "h1")
    assert not browser.find_elements(By.CSS_SELECTOR, "img[onerror]")
    width = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


@pytest.mark.parametrize("name", ["mesh", "textured", "scene"])
def test_the_result_can_be_turned(name: str, browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages[name])
    first = shades(browser)
    covered = first[..., 3] > 0
    assert 0.05 < covered.mean() < 0.9  # balls before an empty ground
    assert first[covered][:, :3].std() > 5
    canvas = browser.find_element(By.CSS_SELECTOR, ".viewer canvas")
    canvas.send_keys("\ue012\ue012\ue013")  # arrows: left, left, up
    settle(browser)
    turned = shades(browser)
    assert (turned != first).mean() > 0.02
    press(browser, "wires")
    assert (shades(browser) != turned).mean() > 0.01
    press(browser, "wires")
    press(browser, "reset")
    assert np.array_equal(shades(browser), first)


def test_a_camera_shows_what_it_saw(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["mesh"])
    press(browser, "cameras")
    names = [tip.text for tip in browser.find_elements(By.CSS_SELECTOR, ".viewer .tip") if tip.text]
    assert set(names) <= {f"view_{i}.png" for i in range(6)} and len(names) >= 3
    press(browser, "cameras")
    browser.execute_script(
        "const s = document.querySelector('.viewer select'); s.value = '2'; s.dispatchEvent(new Event('change'))"
    )
    settle(browser)
    seen = shades(browser)[..., 3] > 0
    rows, columns = np.nonzero(seen)
    assert abs(rows.mean() - seen.shape[0] / 2) < 6  # the orbit's cameras look at its middle
    assert abs(columns.mean() - seen.shape[1] / 2) < 6


def test_sliders_move_the_slices(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["volume"])
    for axis in "xyz":
        before = shades(browser, f"canvas[data-axis={axis}]")
        assert before[..., :3].max() > 100
        slide(browser, axis, 2)
        assert not np.array_equal(before, shades(browser, f"canvas[data-axis={axis}]"))
    cut = shades(browser, "canvas[data-axis=y]")
    slide(browser, "high", 20)
    assert shades(browser, "canvas[data-axis=y]").mean() > cut.mean()


def test_a_slice_stands_the_right_way_up(browser: Any, pages: dict[str, Path]) -> None:
    """The blob lies to the right of the middle along x."""
    opened(browser, pages["volume"])
    cut = shades(browser, "canvas[data-axis=z]")[..., 0].astype(float)
    assert (cut.sum(0) * np.arange(cut.shape[1])).sum() / cut.sum() > cut.shape[1] * 0.55


def test_numbers_of_the_losses_are_told_where_one_points(browser: Any, pages: dict[str, Path]) -> None:
    opened(browser, pages["mesh"])
    plot = browser.find_element(By.CSS_SELECTOR, "svg.course")
    selenium.ActionChains(browser).scroll_to_element(plot).move_to_element(plot).perform()
    assert "step" in browser.find_element(By.CSS_SELECTOR, "svg.course + .told").text


def test_a_phone_needs_no_sideways_scrolling(browser: Any, pages: dict[str, Path]) -> None:
    try:
        browser.set_window_size(500, 900)  # the least that headless Chromium takes
        for page in pages.values():
            opened(browser, page)
            width = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
            assert width[0] <= width[1]
    finally:
        browser.set_window_size(1200, 900)


def test_without_webgl_there_is_a_picture(pages: dict[str, Path], tmp_path: Path) -> None:
    chrome = shutil.which("chromium")
    if chrome is None:
        missing("chromium")
    done = subprocess.run(
        [chrome, "--headless", "--no-sandbox", "--disable-gpu", "--disable-3d-apis", "--virtual-time-budget=3000",
         f"--user-data-dir={tmp_path}", "--dump-dom", pages["mesh"].as_uri()],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "No 3-D view" in done.stdout
    assert 'class="viewer live"' not in done.stdout


def test_firefox_draws_it_too(pages: dict[str, Path], tmp_path: Path) -> None:
    firefox = shutil.which("firefox-esr") or shutil.which("firefox")
    if firefox is None:
        missing("firefox-esr")
    picture = tmp_path / "page.png"
    home = {**os.environ, "HOME": str(tmp_path), "MOZ_HEADLESS": "1"}
    subprocess.run(
        [firefox, "--headless", "--no-remote", "--profile", str(tmp_path), "--window-size=1000,1400",
         "--screenshot", str(picture), pages["volume"].as_uri()],
        env=home, capture_output=True, check=False, timeout=180,
    )  # fmt: skip
    with Image.open(picture) as shown:
        pixels = np.asarray(shown.convert("RGB")).astype(int)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 100
    warm = (pixels[..., 0] > pixels[..., 2] + 60).mean()  # the colours of the slices, which its script draws
    assert warm > 0.002


def test_webkit_runs_its_scripts(pages: dict[str, Path]) -> None:
    """By the protocol of its driver itself, on a display of its own: it has no headless mode."""
    places = sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))
    if not (places and shutil.which("WebKitWebDriver") and shutil.which("xvfb-run")):
        pytest.skip("WebKit is not installed (Debian: webkit2gtk-driver, xvfb, xauth)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(path: str, data: Any, method: str = "POST") -> Any:
        body = None if data is None else json.dumps(data).encode()
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/session{path}", body, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.load(answer)["value"]

    command = ["xvfb-run", "-a", "WebKitWebDriver", "-p", str(port)]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as driver:
        try:
            wanted = {"webkitgtk:browserOptions": {"binary": str(places[-1]), "args": ["--automation"]}}
            session = f"/{_until(lambda: call('', {'capabilities': {'alwaysMatch': wanted}}))['sessionId']}"
            for name, canvas in (("volume", "canvas[data-axis=z]"), ("mesh", ".viewer canvas")):
                call(f"{session}/url", {"url": pages[name].as_uri()})
                asked = {"script": f"return document.querySelector('{canvas}').dataset.state", "args": []}
                assert _until(lambda asked=asked: call(f"{session}/execute/sync", asked)) == "ready"
            call(session, None, "DELETE")
        finally:
            os.killpg(driver.pid, signal.SIGTERM)


def _until(found: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What a function gives as soon as it gives something; errors of a driver that does not listen yet count not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(urllib.error.URLError, ConnectionError):
            if (value := found()) is not None:
                return value
        time.sleep(0.2)
    raise TimeoutError
