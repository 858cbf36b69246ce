"""Releases on a server: what is recorded of them, and that none is ever half there."""

from __future__ import annotations

import io
import tarfile

from tests.products.conftest import Shop


def test_a_release_is_cut_listed_shown_and_fetched(shop: Shop) -> None:
    code, found = shop.cut()
    assert (code, found["number"], found["tag"], found["tagged"]) == (0, "0.1.0", "v0.1.0", True)
    assert found["commit"] == shop.repository.git("rev-parse", "v0.1.0")
    assert (found["occasion"], found["policy_revision"], found["former"]) == ("fix", 1, None)
    assert found["cut_by"] == shop.owner
    code, out, _ = shop.troth("release", "list", shop.subject)
    assert code == 0
    assert "0.1.0" in out
    code, out, _ = shop.troth("release", "show", f"{shop.subject}/latest")
    assert code == 0
    assert f"evidence {found['evidence_digest'][:12]}" in out
    target = shop.repository.folder.parent / "docs.tar.gz"
    code, out, err = shop.troth("release", "fetch", f"{shop.subject}/0.1.0", "documentation", "-o", str(target))
    assert code == 0, err
    with tarfile.open(fileobj=io.BytesIO(target.read_bytes())) as bundle:
        assert bundle.getnames() == ["docs/index.html"]


def test_a_second_cut_of_the_same_commit_makes_the_tag_that_is_missing(shop: Shop) -> None:
    shop.cut("--no-tag")
    assert shop.repository.git("tag") == ""
    code, found = shop.cut()
    assert (code, found["tagged"]) == (0, True)
    assert len(shop.client.releases(shop.subject)) == 1
    assert shop.cut()[1]["tagged"] is False


def test_the_change_log_is_made_of_the_notes(shop: Shop) -> None:
    shop.cut()
    shop.released("0.1.1", {"changes/1.fix.md": "No more\ncrashes <b>ever</b>.\n"})
    code, out, _ = shop.troth("release", "changelog", shop.subject)
    assert code == 0
    assert [line for line in out.splitlines() if line and not line.startswith("##")] == [
        "- No more crashes &lt;b>ever&lt;/b>.",
        "No notes.",
    ]
    assert out.startswith("## 0.1.1 (")
    code, out, _ = shop.troth("release", "changelog", f"{shop.subject}/0.1.0")
    assert "0.1.1" not in out


def test_files_of_a_release_come_as_they_went(shop: Shop) -> None:
    wheel = shop.repository.folder.parent / "shop-0.1.0.whl"
    wheel.write_bytes(b"wheel" * 1000)
    assert shop.cut("--artifact", str(wheel))[0] == 0
    (told,) = shop.client.release(shop.subject, "0.1.0")["artifacts"]
    assert (told["name"], told["bytes"]) == ("shop-0.1.0.whl", 5000)
    target = shop.repository.folder.parent / "fetched"
    assert shop.troth("release", "fetch", f"{shop.subject}/stable", told["name"])[0] == 4
    code, _, err = shop.troth("release", "fetch", f"{shop.subject}/0.1.0", told["name"], "-o", str(target))
    assert code == 0, err
    assert target.read_bytes() == wheel.read_bytes()
    code, _, err = shop.troth("release", "fetch", f"{shop.subject}/0.1.0", "nothing", "-o", str(target))
    assert code == 4, err


def test_a_cut_says_what_is_not_committed(shop: Shop) -> None:
    path = shop.repository.folder / "troth.toml"
    path.write_text(path.read_text().replace('version = "0.1.0"', 'version = "0.2.0"'))
    code, out, err = shop.troth("release", "cut", "--project", str(shop.repository.folder))
    assert code == 0, err
    assert "0.1.0 is released" in out
    assert "note: 1 file is not committed, and not judged" in err
    assert "note: troth.toml says 0.2.0, but that is not committed" in err
