"""A project of Django as Django makes it: its migrations are read from files, and run by its own `manage.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.releases.product import HEAD, Repository, askings, kinds, policy

DECLARED = HEAD + policy("polyaxon") + '[[migrations]]\nkind = "django"\npath = "orders/migrations"\n'
DECLARED += '[notes]\nkind = "fragments"\npath = "changes"\n'
SETTINGS = """\
import os
from urllib.parse import parse_qs, urlsplit

INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "orders"]
SECRET_KEY = "of a test"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
address = urlsplit(os.environ.get("DATABASE_URL", "sqlite:///shop.sqlite"))
if address.scheme == "sqlite":
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": address.path[1:]}}
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.path[1:],
            "USER": address.username,
            "PASSWORD": address.password or "",
            "HOST": address.hostname or parse_qs(address.query)["host"][0],
            "PORT": address.port or "",
        }
    }
"""
MODELS = """\
from django.contrib.auth.models import User
from django.db import models


class Order(models.Model):
    customer = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    state = models.CharField(max_length=8, choices=[("new", "new"), ("sent", "sent")], default="new")
    note = models.TextField(null=True)
"""
COUNTED = """\
from django.db import migrations


def count(apps, schema_editor):
    for order in apps.get_model("orders", "Order").objects.all():
        order.size = len(order.note or "")
        order.save()


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_order_size")]
    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
"""


def manage(repository: Repository, *tokens: str) -> None:
    """One command of the project's own manage.py."""
    command = [sys.executable, "manage.py", *tokens]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=repository.folder, env=environment, check=True, capture_output=True)


def changed(repository: Repository, models: str, name: str) -> None:
    """Commits other models with the migration that Django writes for them."""
    (repository.folder / "orders" / "models.py").write_text(models)
    manage(repository, "makemigrations", "orders", "--noinput", "--name", name)
    repository.commit({})


@pytest.fixture
def project(empty: Repository) -> Repository:
    """A project of Django with one application, released as 1.0.0."""
    manage_py = 'import os, sys\nos.environ["DJANGO_SETTINGS_MODULE"] = "settings"\n'
    manage_py += "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n"
    files = {"manage.py": manage_py, "settings.py": SETTINGS, "orders/models.py": MODELS, "troth.toml": DECLARED}
    files |= {"orders/__init__.py": "", "orders/migrations/__init__.py": "", ".gitignore": "*.sqlite\n"}
    empty.commit(files)
    manage(empty, "makemigrations", "orders")
    empty.commit({}, tag="v1.0.0")
    return empty


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> list[str]:
    """The options that name the database on which migrations are proved."""
    if request.param == "sqlite":
        return []
    address: str = request.getfixturevalue("postgres")
    return ["--database", address.replace("postgresql+psycopg://", "postgresql://")]


def test_migrations_that_django_wrote_are_read_and_proved(project: Repository, where: list[str]) -> None:
    sized = MODELS + "    size = models.IntegerField(default=0)\n"
    changed(project, sized, "order_size")
    project.commit({"orders/migrations/0003_counted.py": COUNTED, "changes/1.fix.md": "orders have a size\n"})
    code, verdict = project.check("--patch")
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-08"], "1.1.0")
    assert [fact["words"] for fact in verdict["facts"] if fact["kind"] == "migration-added"] == [
        "orders.0002_order_size is new",
        "orders.0003_counted is new",
    ]
    code, verdict = project.check("--minor", "--prove-migrations", *where)
    (path,) = verdict["paths"]
    assert (code, path["outcome"]) == (0, "passed"), path
    assert path["words"].startswith("2 migrations, ")
    assert [one["id"] for one in path["times"]] == ["orders.0002_order_size", "orders.0003_counted"]


def test_a_migration_of_django_that_fails_on_rows_is_refused(project: Repository, where: list[str]) -> None:
    changed(project, MODELS.replace("TextField(null=True)", "TextField(unique=True)"), "order_note")
    code, verdict = project.check("--minor", "--prove-migrations", *where)
    (path,) = verdict["paths"]
    assert (code, verdict["clauses"], verdict["least"]) == (3, ["PLX-09"], None)
    assert "runs on empty tables and fails on rows" in path["words"]


def test_two_leaves_and_an_edited_migration_of_django_are_told(project: Repository) -> None:
    first = (Path(project.folder) / "orders/migrations/0001_initial.py").read_text()
    one = COUNTED.replace("0002_order_size", "0001_initial")
    project.commit({"orders/migrations/0002_a.py": one, "orders/migrations/0002_b.py": one})
    _, verdict = project.check("--minor")
    assert "migration-heads" in kinds(verdict)
    project.commit(
        {
            "orders/migrations/0002_b.py": None,
            "orders/migrations/0001_initial.py": first.replace("max_length=8", "max_length=9"),
        }
    )
    code, verdict = project.check("--major")
    assert code == 3
    assert ("PLX-09", "none") in askings(verdict)
