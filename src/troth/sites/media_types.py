"""The media type of a file by its name, the same on every machine."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "application/octet-stream"
#: those with text are UTF-8, in which every one of them is written today; pages say it themselves where they are not
_TYPES: Final = {
    "html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml", "css": "text/css", "js": "text/javascript",
    "mjs": "text/javascript", "json": "application/json", "map": "application/json", "webmanifest": "application/manifest+json",
    "xml": "application/xml", "rss": "application/rss+xml", "atom": "application/atom+xml", "txt": "text/plain",
    "md": "text/markdown", "rst": "text/plain", "csv": "text/csv", "yaml": "application/yaml", "yml": "application/yaml",
    "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon", "woff": "font/woff", "woff2": "font/woff2",
    "ttf": "font/ttf", "otf": "font/otf", "pdf": "application/pdf", "epub": "application/epub+zip", "wasm": "application/wasm",
    "zip": "application/zip", "gz": "application/gzip", "mp4": "video/mp4", "webm": "video/webm", "mp3": "audio/mpeg",
    "ogg": "audio/ogg", "wav": "audio/wav",
}  # fmt: skip
_PACKED_TOO: Final = frozenset(
    ["application/javascript", "application/wasm", "image/svg+xml", "image/x-icon", "font/ttf", "font/otf"]
)


def media_type(path: str) -> str:
    """The type, without its parameters."""
    return _TYPES.get(path.rsplit("/", 1)[-1].rpartition(".")[2].lower(), UNKNOWN)


def is_page(path: str) -> bool:
    """Whether the file is a page of HTML."""
    return media_type(path) in ("text/html", "application/xhtml+xml")


def is_source(path: str) -> bool:
    """Whether the file is text that pages are written in, and that people read as it is."""
    return path.lower().endswith((".md", ".rst"))


def is_text(kind: str) -> bool:
    """Whether files of this type shrink, and are text."""
    return kind.startswith("text/") or kind.endswith(("+xml", "json", "/xml", "/yaml"))


def shrinks(path: str) -> bool:
    """Whether a file is worth packing."""
    kind = media_type(path)
    return is_text(kind) or kind in _PACKED_TOO
