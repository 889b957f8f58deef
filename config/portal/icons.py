"""Our own line icons, 16 units square, drawn inline so that they follow the text's colour and need no request."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PATHS: dict[str, str] = {
    "inbox": "M2 9h3.5l1 2h3l1-2H14M2 9l2-6h8l2 6v4H2z",
    "portfolio": "M2 14V6M6 14V2M10 14V8M14 14V4",
    "model": "M8 1.5 14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6",
    "family": "M8 2v4M3 10V8h10v2M8 6v4M1.5 10h3v4h-3zM6.5 10h3v4h-3zM11.5 10h3v4h-3z",
    "change": "M4 2v12M4 10c0-4 8-1 8-6M9.5 6 12 3.5 14.5 6",
    "alert": "M8 2 1.5 13.5h13zM8 6.5v3.5M8 11.8v.2",
    "run": "M3 13l4-4 2 2 4-6M10 5h3v3",
    "report": "M4 1.5h5.5L13 5v9.5H4zM9 1.5V5h4M6 8h4M6 11h4",
    "journal": "M3 2h10v12H3zM3 5h10M6 8h4M6 11h4M5.5 2v3",
    "gap": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M4 12 12 4",
    "person": "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.5 14c.5-3 2.5-4.5 5.5-4.5s5 1.5 5.5 4.5",
    "notice": "M4 11V7a4 4 0 0 1 8 0v4l1.5 1.5h-11zM6.5 14h3",
    "gear": "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5M8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.5 1.5M11.5 11.5 13 13M13 3l-1.5 1.5M4.5 11.5 3 13",
    "search": "M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2M11 11l3.5 3.5",
    "check": "M3 8.5 6.5 12 13 4.5",
    "cross": "M4 4l8 8M12 4l-8 8",
    "question": "M5.5 6a2.5 2.5 0 1 1 3.5 2.3c-.8.4-1 .8-1 1.7M8 12.3v.2",
    "watch": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 4.5V8l2.5 1.5",
    "comment": "M2 3h12v8H7l-3 3v-3H2z",
    "signature": "M2 12c3-8 5-9 5-6s-3 5-1 5 2-3 3-3 0 2 1.5 2S13 9 14 8M2 14h12",
    "evidence": "M3 2h7l3 3v9H3zM5.5 9l2 2 3-4",
    "deployment": "M8 14V6M4.5 9 8 5.5 11.5 9M3 2h10",
    "policy": "M8 1.5 13.5 4v4c0 3-2 5-5.5 6.5C4.5 13 2.5 11 2.5 8V4zM5.5 8l2 2 3.5-4",
    "menu": "M2 4h12M2 8h12M2 12h12",
    "collapse": "M2.5 2.5h11v11h-11zM6 2.5v11",
    "sun": "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
    "moon": "M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7",
    "auto": "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12",
    "out": "M6 2H3v12h3M7 8h7M11 5l3 3-3 3",
    "copy": "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
    "download": "M8 2v8M4.5 7 8 10.5 11.5 7M3 14h10",
    "filter": "M2 3h12l-4.5 5.5V13l-3 1V8.5z",
    "chevron": "M6 3.5 10.5 8 6 12.5",
    "dot": "M8 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3",
    "plus": "M8 3v10M3 8h10",
    "action": "M2.5 2.5h11v11h-11zM5.5 8l2 2 3-4",
    "signal": "M1.5 8h3l2-5 3 10 2-5h3",
    "info": "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 7.5v3.5M8 5v.2",
}


def icon(name: str, label: str = "") -> SafeString:
    """The icon as SVG; hidden from screen readers unless it has a label. An unknown name is a dot."""
    path = PATHS.get(name, PATHS["dot"])
    said = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" '
        'stroke-linecap="round" stroke-linejoin="round" focusable="false" {}><path d="{}"/></svg>',
        said,
        path,
    )
