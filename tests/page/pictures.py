"""Draws the pictures of docs/pictures: the page of the real service with a trained model, and the report on the model.

python tests/page/pictures.py BUNDLE REPORT
"""

import sys
import tempfile
from pathlib import Path

from browser import Tab, chromium
from person import send
from PIL import Image
from real_service import serving

from noria.bundle import Bundle
from noria.system.workspace import PROJECT

FOLDER = PROJECT / "docs" / "pictures"


def main(bundle: Path, report: Path) -> None:
    """Open the report; fill the form of the page, ask, and take the pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Bundle.load(bundle), Path(folder)) as url,
        chromium() as browser,
        browser.tab() as tab,
    ):
        tab.screen(1185, 1320)
        tab.open(report.resolve().as_uri())
        picture(tab, "report.png")
        tab.screen(1280, 1310)
        tab.open(url)
        tab.wait("!document.getElementById('work').hidden")
        send(tab)
        tab.run("document.activeElement.blur(); window.scrollTo(0, 0)")
        picture(tab, "page.png")
        tab.screen(360, 780, phone=True, scale=2)
        tab.run("document.getElementById('answer').scrollIntoView()")
        picture(tab, "page_phone.png")


def picture(tab: Tab, name: str) -> None:
    """With 256 colours it takes a third of the space, and nobody sees it."""
    tab.picture(FOLDER / name)
    Image.open(FOLDER / name).convert("RGB").quantize(256).save(FOLDER / name, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
