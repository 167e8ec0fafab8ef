"""The eight tasks in a real Chromium, in each language by the page's own words and by keys alone.

axe looks at each page; nothing comes from another address; a slow line is enough.

Chromium and its driver are Debian's; axe-core is fetched for the tests (see .ci/run) and looked
for under node_modules. Where one is missing the tests say so and are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from ecotone.model.words import say
from tests.portal import PASSWORD, serving, world
from tests.support import ROOT

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
from selenium import webdriver  # noqa: E402 - after the skip
from selenium.webdriver.chrome.options import Options  # noqa: E402 - after the skip
from selenium.webdriver.chrome.service import Service  # noqa: E402 - after the skip
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402 - after the skip
from selenium.webdriver.common.by import By  # noqa: E402 - after the skip
from selenium.webdriver.common.keys import Keys  # noqa: E402 - after the skip
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402 - after the skip

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
#: A folder in which to leave pictures of all pages, for somebody's eyes.
PICTURES = os.environ.get("ECOTONE_PICTURES")
NAMES = {"en": "English", "zh": "中文", "ru": "Русский"}


@pytest.fixture(scope="module")
def driver():
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        pytest.skip("chromium and chromium-driver are not installed")
    options = Options()
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                 "--window-size=1280,900", "--hide-scrollbars"):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    options.binary_location = shutil.which("chromium")
    found = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    found.set_page_load_timeout(60)
    # As a window in front has it: else nothing shows where the focus is.
    found.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    yield found
    found.quit()


@pytest.fixture
def address(tmp_path):
    """A server of its own, as ``ecotone serve`` starts it."""
    with serving(world(tmp_path)) as found:
        yield found


class Person:
    """Somebody who knows only what the page says, and has no mouse."""

    def __init__(self, driver, address: str, lang: str) -> None:
        self.driver, self.address, self.lang = driver, address, lang
        self.seen: dict[str, list[str]] = {}

    def word(self, key: str, **values: object) -> str:
        return str(say(f"portal.{key}", self.lang, **values))

    def go(self, path: str) -> None:
        self.driver.get(self.address + path)
        self.settled()

    def settled(self) -> None:
        """Wait until the page stands, and look at it."""
        for _ in range(300):
            ready = self.driver.execute_script("return document.readyState") == "complete"
            if ready and not self.driver.find_elements(By.CSS_SELECTOR, "main progress"):
                break
            time.sleep(0.1)
        self._look()

    def link(self, key: str, **values: object) -> None:
        self._press(f"//a[normalize-space()={_quoted(self.word(key, **values))}]")

    def link_with(self, text: str) -> None:
        self._press(f"//main//a[contains(normalize-space(), {_quoted(text)})]")

    def button(self, key: str, **values: object) -> None:
        self._press(f"//button[normalize-space()={_quoted(self.word(key, **values))}]")

    def fill(self, key: str, value: str) -> None:
        self._write(self.word(key), value)

    def _write(self, label: str, value: str) -> None:
        field = self._labelled(label)
        self.travel(field)
        if field.get_attribute("type") == "file":
            # What the system's own window would give.
            field.send_keys(value)
            return
        self.keys(Keys.CONTROL, "a")
        self.keys(value)

    def choose(self, key: str, value: str) -> None:
        field = self._labelled(self.word(key))
        self.travel(field)
        self.keys(Keys.HOME)
        for _ in field.find_elements(By.TAG_NAME, "option"):
            if field.get_attribute("value") == value:
                return
            self.keys(Keys.ARROW_DOWN)
        assert field.get_attribute("value") == value

    def keys(self, *keys: str) -> None:
        """Strike keys; the first of several is held down."""
        strokes = ActionChains(self.driver, duration=0)
        if len(keys) > 1:
            strokes.key_down(keys[0]).send_keys(*keys[1:]).key_up(keys[0]).perform()
        else:
            strokes.send_keys(*keys).perform()

    def travel(self, element) -> None:
        """Go to something by the tabulator alone, from wherever one is."""
        for _ in range(400):
            if self.driver.execute_script(_REACHED, element):
                return
            self.keys(Keys.TAB)
        raise AssertionError(f"no key leads to {element.get_attribute('outerHTML')[:200]}")

    def _labelled(self, label: str):
        path = f"//label[starts-with(normalize-space(), {_quoted(label)})]"
        found = self.driver.find_elements(By.XPATH, path)
        assert found, f"no field '{label}' on {self.driver.current_url}"
        return self.driver.find_element(By.ID, found[0].get_attribute("for"))

    def _press(self, path: str) -> None:
        found = self.driver.find_elements(By.XPATH, path)
        assert found, f"{path} is not on {self.driver.current_url}: {self.text()[:500]}"
        self.travel(found[0])
        self.keys(Keys.ENTER)
        time.sleep(0.15)
        self.settled()

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "main").text

    def reads(self, key: str, **values: object) -> None:
        wanted = self.word(key, **values)
        assert wanted in self.text(), f"'{wanted}' is not said: {self.text()[:600]}"

    def signs_in(self, name: str) -> None:
        self.driver.delete_all_cookies()
        self.go("/sign-in")
        self._press(f"//header//a[normalize-space()={_quoted(NAMES[self.lang])}]")
        self.fill("sign-in.person", name)
        self.fill("sign-in.password", PASSWORD)
        self.button("sign-in")

    def _look(self) -> None:
        """Run axe where it is there; leave a picture where one is wanted."""
        path = self.driver.current_url.removeprefix(self.address).partition("?")[0]
        kind = "-".join(p for p in path.split("/") if p and not any(c.isdigit() for c in p))
        if kind in self.seen or "report" in kind:
            return
        self.seen[kind] = []
        if PICTURES:
            folder = Path(PICTURES)
            folder.mkdir(parents=True, exist_ok=True)
            high = self.driver.execute_script("return document.documentElement.scrollHeight")
            self.driver.set_window_size(1280, min(max(int(high), 700), 3000))
            self.driver.save_screenshot(str(folder / f"{self.lang}-{kind or 'home'}.png"))
            self.driver.set_window_size(1280, 900)
        if AXE.is_file():
            self.driver.execute_script(AXE.read_text(encoding="utf-8"))
            told = self.driver.execute_async_script(
                "const done = arguments[arguments.length - 1]; axe.run().then(done);"
            )
            self.seen[kind] = [
                f"{v['id']}: {v['help']} {json.dumps([n['html'][:160] for n in v['nodes'][:3]])}"
                for v in told["violations"]
                if v["impact"] in ("serious", "critical")
            ]


#: Whether this has the focus; whoever is there must see it.
_REACHED = """
const there = document.activeElement === arguments[0];
if (there && getComputedStyle(arguments[0]).outlineStyle === "none") {
  throw "the focus is not seen on " + arguments[0].outerHTML;
}
return there;
"""


def _quoted(text: str) -> str:
    return f'"{text}"' if '"' not in text else f"'{text}'"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "lang",
    [pytest.param("en", marks=pytest.mark.slow), "zh", pytest.param("ru", marks=pytest.mark.slow)],
)
def test_the_eight_tasks(driver, address, lang, tmp_path):
    person = Person(driver, address, lang)
    person.signs_in("aigul")
    for task in (deliver, correct, match, preview, agree, run, approve, report):
        task(person, tmp_path)
    for path in ("/ledger", "/me", "/data/Occurrence/map"):
        person.go(path)
    wrong = {kind: found for kind, found in person.seen.items() if found}
    assert wrong == {}
    if not AXE.is_file():
        pytest.skip("axe-core is not under node_modules: the tasks were done, nothing was judged")


def deliver(person: Person, folder: Path) -> None:
    path = folder / "results.csv"
    path.write_text(
        "observation_id,site,property,value,unit,basis,time_start\n"
        "n-1,S01,nitrate,3.5,mg/L,N,2025-05-01T10:00:00Z\n"
        "n-2,S01,nitrate,?,mg/L,N,2025-05-02T10:00:00Z\n",
        encoding="utf-8",
    )
    person.link("menu.deliver")
    person.choose("deliver.dataset", "kncm-water")
    person.fill("deliver.file", str(path))
    person.button("deliver.check")
    person.reads("checked.partial")
    person.button("checked.accept", dataset="kncm-water")
    person.reads("batch.new")


def correct(person: Person, folder: Path) -> None:
    person.link("menu.data")
    person.link_with(str(say("share.noun.Observation", person.lang)).capitalize())
    person.fill("filter.text", "kncm-water-7")
    person.button("show")
    person._press("//tbody//a")
    person.link("record.correct")
    person.travel(person.driver.find_element(By.ID, "v-value"))
    person.keys(Keys.CONTROL, "a")
    person.keys("9.25")
    person.fill("correct.reason", "pipette")
    person.button("correct.do")
    person.reads("corrected.lead", old=1, new=2)


def match(person: Person, folder: Path) -> None:
    person.link("menu.matches")
    person.link_with("F01")
    pictures = person.driver.find_elements(By.CSS_SELECTOR, ".pair img")
    wide = [person.driver.execute_script("return arguments[0].naturalWidth", p) for p in pictures]
    assert wide == [640, 640]
    person.fill("pair.reason", "spots")
    person.button("pair.different")
    person.reads("matches.done")


def preview(person: Person, folder: Path) -> None:
    person.link("menu.sharing")
    person.link("preview")
    person.choose("preview.reader", "URUM")
    person.choose("preview.noun", "Occurrence")
    person.button("show")
    person.reads("preview.sees", reader="URUM")
    person.reads("preview.stays")
    person.reads("map.cells")


def test_the_map_is_dragged_and_zoomed_by_keys_and_mouse(driver, address):
    person = Person(driver, address, "zh")
    person.signs_in("aigul")
    person.go("/data/Occurrence/map")
    frame = driver.find_element(By.ID, "map")
    assert not driver.find_element(By.CSS_SELECTOR, "svg.map").is_displayed()

    def tiles() -> list[str]:
        WebDriverWait(driver, 20).until(
            lambda d: d.find_elements(By.CSS_SELECTOR, "img.leaflet-tile-loaded")
        )
        shown = driver.find_elements(By.CSS_SELECTOR, "img.leaflet-tile")
        return [img.get_attribute("src").removeprefix(address) for img in shown]

    first = tiles()
    assert all(t.startswith("/data/Occurrence/map/") and ".svg?" in t for t in first)
    zoom = {t.split("/")[4] for t in first}
    frame.send_keys("+")
    WebDriverWait(driver, 20).until(lambda _: {t.split("/")[4] for t in tiles()} - zoom)
    assert "°N" in frame.find_element(By.CSS_SELECTOR, ".place").text
    assert driver.find_element(By.CSS_SELECTOR, ".leaflet-control-zoom-in").get_attribute(
        "title"
    ) == say("portal.map.in", "zh")


def agree(person: Person, folder: Path) -> None:
    person.link("menu.sharing")
    person.link("draft.new")
    person.button("draft.read")
    person.reads("agreement.says")
    person.button("draft.save")
    at = person.driver.current_url.removeprefix(person.address)
    person.signs_in("saule")
    person.go(at)
    person.button("agreement.sign-do", party="KNCM")
    person.reads("agreement.unsigned")
    assert "KNCM" in person.driver.find_element(By.CSS_SELECTOR, "tbody").text


def run(person: Person, folder: Path) -> None:
    person.signs_in("aigul")
    person.link("menu.runs")
    person._press("//ul[@class='cards']//a")
    person.button("plan.start")
    person.reads("signoff")
    person.reads("status.draft")


def approve(person: Person, folder: Path) -> None:
    person.button("signoff.do.review")
    person.reads("status.reviewed")
    at = person.driver.current_url.removeprefix(person.address)
    for name, party in (("li", "URUM"), ("saule", "KNCM")):
        person.signs_in(name)
        person.go(at)
        person.button("signoff.do.approve", party=party)
    person.reads("status.approved")
    person.button("signoff.do.publish")
    person.reads("status.published")


def report(person: Person, folder: Path) -> None:
    person.link("menu.runs")
    person._press("//main//tbody//td/a")
    body = person.driver.find_element(By.TAG_NAME, "body").text
    assert "Saule" in body and "Li" in body
    assert person.driver.title
    person.go("/")


def test_a_slow_line_is_enough_and_nothing_comes_from_elsewhere(driver, address):
    person = Person(driver, address, "ru")
    person.signs_in("aigul")
    driver.get_log("performance")
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    line = {"offline": False, "latency": 150, "downloadThroughput": 125_000,
            "uploadThroughput": 125_000}  # fmt: skip
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", line)
    try:
        for path in ("/", "/data/Observation", "/data/Occurrence/map", "/sharing", "/deliver"):
            person.go(path)
            seconds = driver.execute_script(
                "const t = performance.getEntriesByType('navigation')[0];"
                "return t.loadEventEnd / 1000"
            )
            heard = [json.loads(e["message"])["message"] for e in driver.get_log("performance")]
            asked = [h["params"]["request"]["url"] for h in heard
                     if h["method"] == "Network.requestWillBeSent"]  # fmt: skip
            size = sum(h["params"]["encodedDataLength"] for h in heard
                       if h["method"] == "Network.loadingFinished")  # fmt: skip
            assert asked and all(url.startswith((address, "data:")) for url in asked), asked
            assert 1000 < size < 200_000, (path, size)
            assert seconds < 8, (path, seconds)
    finally:
        driver.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {**line, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1},
        )
        driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": False})
