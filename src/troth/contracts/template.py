"""The source that a new algorithm begins with: small, and working (algorithmia-api, section 6.1)."""

from __future__ import annotations

from troth.contracts.project import FILE
from troth.versions.permissions import Permissions

_PROJECT = """\
[algorithm]
owner = "{owner}"
name = "{name}"
summary = {summary}
dependencies = []  # e.g. "scikit-learn==1.7.2"; requirements.txt, pyproject.toml and uv.lock are read as well
"""

_PERMISSIONS = """
# fixed for all versions of a major number
[permissions]
visibility = "{visibility}"  # private: members of the owner only; public: every account
network_access = "{network_access}"
pipeline_enabled = {pipeline_enabled}
source_visibility = "{source_visibility}"
"""

_ENTRY = '''\
def apply(input):
    """Called with what the caller sent: text as str, JSON as its value, bytes as bytes."""
    return f"hello {input}"


# def load():
#     """Called once when a worker starts; what it returns is the second argument of apply(input, state)."""
'''


def template(owner: str, name: str, summary: str = "", permissions: Permissions | None = None) -> dict[str, bytes]:
    """Files by path: a project whose algorithm answers `hello X` to X. Without `permissions` it declares none."""
    project = _PROJECT.format(owner=owner, name=name, summary=_quoted(summary or "Greets whoever is named."))
    if permissions is not None:
        values = {key: str(value).lower() for key, value in permissions.as_dict().items()}
        project += _PERMISSIONS.format(**values)
    return {FILE: project.encode(), f"src/{name}.py": _ENTRY.encode()}


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = "".join(
        character if character.isprintable() and character not in '"\\' else f"\\U{ord(character):08x}"
        for character in text.encode(errors="replace").decode()
    )
    return f'"{escaped}"'
