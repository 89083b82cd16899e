"""Names and values of users inside Markdown."""

from __future__ import annotations

_MARKS = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|"}
    | {mark: f"&#{ord(mark)};" for mark in "`*_[]@#~\\"}
)


def safe(text: object) -> str:
    """`text` on one line: no tag, no table, no mention and no link of a user's is one."""
    plain = " ".join(str(text).split())
    return plain.translate(_MARKS).replace("://", "&#58;//")
