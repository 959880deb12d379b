"""Sets a page as PDF: `python -m shared.typesetting` reads HTML from its input and writes PDF/UA to its output.

All that knows WeasyPrint, which comes with `bitacora[pdf]` and needs Pango on the machine. Nothing is fetched: a page
that names a picture or a font of elsewhere, or a file of this machine, is set without it.
"""

from __future__ import annotations

import sys
from typing import Final

from shared.apart import confined

EXTRA: Final = (
    "This installation sets no PDF: it would need bitacora[pdf], and Pango. Ask for HTML, and print that."
)
NOT_INSTALLED: Final = 3
"""The exit status where WeasyPrint, or a library that it needs, is not there."""
_PRINTED: Final = """
@page {
  size: A4; margin: 20mm 18mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 9pt sans-serif }
}
body { max-width: none !important; margin: 0 !important; padding: 0 !important; font-size: 10pt !important }
h1, h2, h3, dt { break-after: avoid }
h1 { font-size: 16pt } h2 { font-size: 13pt } h3 { font-size: 11pt }
article, tr, li, dd { break-inside: avoid }
"""
"""What paper asks for besides what the page says of itself, or instead."""


def main() -> None:
    """Make a PDF of the page that comes in, within what this process may take."""
    confined()
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):  # the package, or a library of the system that it loads
        sys.exit(NOT_INSTALLED)
    page = HTML(
        string=sys.stdin.buffer.read().decode(),
        base_url=None,
        url_fetcher=URLFetcher(allowed_protocols=()),
    )
    fonts = FontConfiguration()
    sheet = CSS(string=_PRINTED, font_config=fonts)
    page.write_pdf(sys.stdout.buffer, stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")


if __name__ == "__main__":
    main()
