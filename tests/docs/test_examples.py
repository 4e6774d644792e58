"""The reader of examples tells what is shown from what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from .pages import blocks, looks_like, steps

PAGE = """\
# A page

```console
$ nearer new town
town is ready. …
$ nearer plan town
```

% exit 2
```console
$ nearer check town
```

```{code-block} text
:caption: town/people.csv

id,lon,lat
```

```{toctree}
start
```
"""


def test_blocks_keep_kind_caption_mark_and_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    first, second, third = blocks(page)
    assert (first.kind, first.mark, first.line) == ("console", "", 3)
    assert (second.kind, second.mark) == ("console", "exit 2")
    assert (third.kind, third.caption, third.text) == ("text", "town/people.csv", "id,lon,lat\n")


def test_each_command_has_the_output_below_it() -> None:
    text = "$ nearer new town\ntown is ready. …\n$ nearer plan town\n"
    assert steps(text) == [("nearer new town", "town is ready. …\n"), ("nearer plan town", "")]


def test_output_above_the_first_command_is_refused() -> None:
    with pytest.raises(AssertionError, match="begins with a command"):
        steps("town is ready.\n")


@pytest.mark.parametrize(
    ("shown", "output", "alike"),
    [
        ("8 centres", "8 centres\n", True),
        ("8 centres", "9 centres\n", False),
        ("8 centres", "8 centres\nand a word that no page shows\n", False),
        ("8 …", "8 centres\nand more\n", True),
        ("… people", "37,370 at 2,557 points and no one else\n", False),
        ("points  joined\n63   63", "points joined\n63 63\n", True),
        ("a (b) [c] *", "a (b) [c] *", True),
        ("", "something\n", False),
        ("…", "", True),
    ],
)
def test_shown_output_is_compared_word_by_word(shown: str, output: str, alike: bool) -> None:
    assert looks_like(shown, output) is alike
