"""Pictures of all pages, with the demo running: `python deploy/screenshots.py [--folder docs/pages] [--wait 75]`.

Each at the width of a desk and of a phone, by Debian's Chromium. What is wrong on one (an error, something that scrolls
sideways at 320 pixels) ends it with exit code 1.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = (1280, 390)
NARROW = 320
PAGES = {
    "overview": "/",
    "routes": "/routes",
    "route": "/routes/repair-detail",
    "disagreements": "/routes/rent-balance/disagreements",
    "history": "/routes/rent-balance/history",
    "flip": "/routes/tenancy-search/do/flip?to=new",
    "rollback": "/routes/repair-detail/do/rollback",
    "backends": "/backends",
    "writes": "/writes",
    "try": "/try?method=GET&url=/rents/T100001/balance",
    "ledger": "/ledger",
    "proof": "/ledger/rents-legacy",
    "audit": "/audit",
    "configuration": "/configuration",
}
LINK = re.compile(r"https?://\S+/sign-in\?code=\S+")


def main() -> int:
    """Start the demo, wait, and look at everything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--folder", type=Path, default=ROOT / "docs" / "pages")
    options.add_argument("--wait", type=float, default=75, help="seconds of traffic before the pictures are taken")
    given = options.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gateway.demo", "--seconds", str(given.wait + 240), "--no-flip", "--rate", "120"]
    with tempfile.TemporaryFile("w+") as told, subprocess.Popen(command, cwd=ROOT, stdout=told) as demo:
        try:
            link = linked(demo, told)
            time.sleep(given.wait)
            problems = look(link, given.folder)
        finally:
            demo.terminate()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def linked(demo: "subprocess.Popen[bytes]", told: IO[str]) -> str:
    """The link that the demo prints."""
    while demo.poll() is None:
        time.sleep(0.2)
        told.seek(0)
        if found := LINK.search(told.read()):
            return found[0]
    raise SystemExit("The demo ended without a link to its pages.")


def look(link: str, folder: Path) -> list[str]:
    """Take the pictures; what was wrong."""
    address, problems = link.partition("/sign-in")[0], list[str]()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Pictures need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(timezone_id="Europe/London")
        page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
        page.goto(link)
        page.fill("#name", "Priya Nair")
        page.click("main button")
        page.wait_for_selector("h1")
        for name, path in PAGES.items():
            problems += shown(page, address + path, name, folder)
        browser.close()
    return problems


def shown(page: Page, url: str, name: str, folder: Path) -> list[str]:
    """One page, at every width."""
    problems = []
    for width in (*WIDTHS, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        answered = page.goto(url)
        page.wait_for_timeout(400)
        if answered is None or answered.status != 200:
            problems.append(f"{url} answered {answered and answered.status}")
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{url} is {wide} wide at {width}")
        if width != NARROW:
            page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
    return problems


if __name__ == "__main__":
    sys.exit(main())
