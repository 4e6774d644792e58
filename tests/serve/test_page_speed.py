"""What keeps the page quick is not forgotten as the page grows."""

from __future__ import annotations

import re
from pathlib import Path

WEB = Path(__file__).resolve().parents[2] / "web"


def test_the_first_page_names_every_module_that_it_will_need() -> None:
    """Else a browser learns of them one after the other, a round trip each."""
    page = (WEB / "page" / "index.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="/js/(\w+)\.js"', page))
    assert named == {path.stem for path in (WEB / "src").glob("*.ts")}
