"""The style sheet of maps: single class names, since a selector with an ancestor does not reach into ``<use>``."""

from __future__ import annotations

from nearer.report import tokens
from nearer.report.mapcells import LOST, NEWLY, OUT

CSS = (
    ".nearer-map{display:block;width:100%;height:auto;background:var(--page);font-family:"
    + tokens.FONT.replace('"', "'")
    + ";font-variant-numeric:tabular-nums}"
    ".nr-ground{fill:var(--page)}.nr-beyond{fill:var(--outside)}"
    ".nr-edge{fill:none;stroke:var(--quiet);stroke-width:1px;vector-effect:non-scaling-stroke}"
    ".nr-district{fill:none;stroke:var(--quiet);stroke-width:.6px;stroke-dasharray:3 2;opacity:.7;"
    "vector-effect:non-scaling-stroke}"
    ".nr-street{fill:none;stroke:var(--streets);stroke-linejoin:round;stroke-linecap:round;"
    "vector-effect:non-scaling-stroke}"
    + "".join(f".nr-{name}{{stroke-width:{width}px}}" for name, width in tokens.STREET_WIDTHS_PX.items())
    + ".nr-ferry{stroke-dasharray:3 3}"
    + "".join(f".nr-m{n}{{fill:var(--m{n});stroke:var(--m{n})}}" for n in range(OUT))
    + "".join(f".nr-g{n}{{fill:var(--g{n});stroke:var(--g{n})}}" for n in range(NEWLY + 1))
    + "".join(f".nr-d{n}{{fill:var(--d{n});stroke:var(--d{n})}}" for n in range(LOST))
    + ".nr-dim{fill:var(--line);stroke:var(--line)}"
    ".nr-hatch-ground{fill:var(--line)}.nr-hatch-line{stroke:var(--text);fill:none}"
    ".nr-existing{fill:var(--existing);stroke:var(--page)}.nr-opened{fill:var(--opened);stroke:var(--text)}"
    ".nr-halo{fill:none;stroke:var(--page)}.nr-upgraded{fill:var(--upgraded);stroke:var(--page)}"
    ".nr-closed{fill:var(--page);stroke:var(--closed)}.nr-candidate{fill:var(--page);stroke:var(--candidate)}"
    ".nr-other{fill:var(--other);stroke:var(--page)}.nr-leader{stroke:var(--text);fill:none}"
    ".nr-text{fill:var(--text);unicode-bidi:plaintext}.nr-end{text-anchor:end}.nr-bold{font-weight:600}"
    ".nr-number{fill:var(--on-opened);font-weight:700;text-anchor:middle}"
    ".nr-letter{fill:var(--page);font-weight:700;text-anchor:middle}.nr-letter-disc{fill:var(--text)}"
    ".nr-name{text-anchor:middle;font-weight:600}"
    ".nr-name,.nr-small{paint-order:stroke;stroke:var(--page);stroke-linejoin:round}.nr-small{fill:var(--quiet)}"
    ".nr-bar,.nr-bar-halo{fill:none;stroke:var(--text)}.nr-bar-halo{stroke:var(--page)}.nr-middle{text-anchor:middle}"
    ".nr-frame{fill:none;stroke:var(--line)}"
)
"""Style of maps; colours are the variables of ``tokens.css``."""
