"""Sets a paper by typst from a source file and its data, to PDF/A-2a and PDF/UA-1."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lti_tool.core.lazily import Lazily

if TYPE_CHECKING:
    import typst
else:
    typst = Lazily("typst")

# They come with typst itself, so that a report looks the same wherever it is made.
FONTS: Final = ["Libertinus Serif"]
MONO: Final = "DejaVu Sans Mono"
_LACKING: Final = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
_MOST_LACKING: Final = 50
_UNSHOWN: Final = "\N{WHITE SQUARE}"


def set_pdf(source: Path, data: Mapping[str, Any], now: datetime) -> bytes:
    """PDF/A-2a and PDF/UA-1. A letter that none of our fonts has is looked for in the machine's
    own, and is a white square where those lack it too."""
    text, is_alone = json.dumps(data, ensure_ascii=False), True
    for _try in range(_MOST_LACKING):
        try:
            pdf = typst.compile(
                source.read_bytes(),
                sys_inputs={"data": text},
                format="pdf",
                pdf_standards=["a-2a", "ua-1"],
                ignore_system_fonts=is_alone,
                timestamp=int(now.timestamp()),
            )
        except typst.TypstError as fault:
            lacking = _LACKING.search(fault.message)
            if lacking is None:
                raise
            if not is_alone:
                text = text.replace(lacking[1], _UNSHOWN * len(lacking[1]))
            is_alone = False
        else:
            return pdf
    plain = "".join(one if ord(one) < 0x250 or one in "’‘“”–—…" else "?" for one in text)
    return set_pdf(source, json.loads(plain), now)
