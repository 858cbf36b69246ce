"""Every setting: its name, type, default and what it is for. Nothing is read when this module is imported.

A value comes from a flag, else the environment (`TROTH_` and the name in capitals), else `[settings]` in the troth.toml of
the folder, else the user's file, else the default.
"""

from __future__ import annotations

import getpass
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from troth.errors import MalformedSetting


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


def default_home() -> Path:
    """Where a server keeps its things unless told otherwise."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "troth"


def user_cache() -> Path:
    """Where the commands keep what they can make or fetch again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "troth"


def user_file() -> Path:
    """The user's own settings file."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "troth" / "config.toml"


def default_owner() -> str:
    """A legal account name made from the name of the user who starts the server; `owner` for root and for nobody."""
    try:
        name = re.sub(r"[^A-Za-z0-9_]", "_", getpass.getuser())[:63].strip("_")
    except (KeyError, OSError):
        name = ""
    return "owner" if name in ("", "root") else name


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings with their values. Sizes are bytes, times are seconds."""

    server: str = _setting("http://127.0.0.1:8710", "address of the server that the commands talk to")
    key: str = _setting(
        "", "key of the account that the commands act for; empty: `owner.key` of a server's home on this machine"
    )
    home: str = _setting(
        "", "folder of a server: registry, repositories, sources, owner's key; empty: `troth` in the user's data folder"
    )
    package_cache: str = _setting(
        "", "folder of downloaded packages, on the file system of the home; empty: `packages` in the home"
    )
    host: str = _setting("127.0.0.1", "address that the server listens on")
    port: int = _setting(8710, "port that the server listens on; 0 takes a free one")
    http: Literal["direct", "asgi"] = _setting(
        "direct", "way of calls through the server: taken off the connection, or through ASGI like everything else"
    )
    fronts: int = _setting(
        1, "processes that take calls, each with workers of its own; more than 1 for many processors"
    )
    owner: str = _setting("", "account of the administrator, made at the first start; empty: the name of the user")
    engine: Literal["local"] = _setting("local", "what runs versions")
    database: str = _setting("", "SQLAlchemy URL of the registry; empty: SQLite in the home")
    secrets_key: str = _setting(
        "",
        "file of the key that secrets are sealed with, made when it is first needed; empty: `secrets.key` in the home",
    )
    trust_authors: bool = _setting(False, "run everybody's code even where workers cannot be isolated")
    worker_uid: int = _setting(60001, "user that workers run as when the server is root")
    service_uid: int = _setting(60000, "user that git and builds of environments run as when the server is root")
    worker_memory: int = _setting(4 << 30, "address space of one worker")
    worker_processes: int = _setting(256, "processes and threads of one worker")
    worker_temporary: int = _setting(256 << 20, "size of a worker's /tmp, which is memory")
    worker_uids: int = _setting(512, "users behind worker_uid, one for each version, when the server is root")
    egress_allow: str = _setting(
        "",
        "private networks, with commas between them, that versions with network_access full may reach, e.g. 10.1.0.0/16",
    )
    egress_deny: str = _setting("", "further networks that they may not reach; never this machine's own, nor metadata")
    stop_seconds: float = _setting(60.0, "time that calls under way have to end when the server is told to stop")
    call_seconds: float = _setting(300.0, "time limit of a call that names none")
    longest_call_seconds: float = _setting(3000.0, "time limit that a call may ask for at most")
    load_seconds: float = _setting(60.0, "time limit for loading a version")
    build_seconds: float = _setting(600.0, "time limit for locking or installing the dependencies of a build")
    idle_seconds: float = _setting(300.0, "time without a call after which a worker is stopped")
    zygote_seconds: float = _setting(
        1800.0, "time that what a version loaded is kept longer than its last worker, to start the next one from"
    )
    scale_seconds: float = _setting(0.05, "time that a call waits before its version gets one more worker")
    version_workers: int = _setting(0, "workers that one version may have; 0: the number of processors, and at least 2")
    workers: int = _setting(64, "workers that all versions may have together")
    queue_calls: int = _setting(256, "calls that may wait for one version")
    queue_bytes: int = _setting(256 << 20, "size of the bodies of all calls that may wait")
    queue_seconds: float = _setting(60.0, "time that a call may wait for a worker")
    warm_versions: int = _setting(64, "versions that may be loaded at the same time")
    warm_memory: int = _setting(
        0, "memory of all that is loaded, above which what was called least lately is ended; 0: none"
    )
    keep_warm: str = _setting(
        "", "references, with commas between them, that always have a worker, e.g. ada/echo/latest"
    )
    request_bytes: int = _setting(10 << 20, "size of a call's body at most")
    result_bytes: int = _setting(64 << 20, "size of a call's result at most")
    kept_bytes: int = _setting(64 << 20, "size of all results of calls with output=void that are kept to be fetched")
    kept_seconds: float = _setting(3600.0, "time that such a result is kept")
    push_bytes: int = _setting(256 << 20, "size of one push to a git repository at most")
    key_calls_per_second: float = _setting(0.0, "calls that one key may make in a second on average; 0: any number")
    key_burst: int = _setting(0, "calls that one key may make at once within that; 0: those of one second")
    key_concurrent_calls: int = _setting(0, "calls of one key that may be under way; 0: any number")
    concurrent_calls: int = _setting(0, "calls of all keys that may be under way; 0: any number")
    data_bytes: int = _setting(0, "data that one account may keep, unless it has a quota of its own; 0: any size")
    release_bytes: int = _setting(
        0,
        "files of releases that one account may keep: those of its products' releases, documentation among them, and those"
        " that it uploaded for none yet; 0: any size",
    )
    data_temporary_seconds: float = _setting(86400.0, "time that temporary files of algorithms (.algo/temp) are kept")
    usage_days: int = _setting(90, "days for which counts of calls are kept")
    record_days: int = _setting(30, "days for which receipts of calls are kept")
    records: int = _setting(1_000_000, "receipts that are kept at most; the oldest go first")
    gateway_allow: str = _setting(
        "",
        "networks of this machine and private ones, with commas between them, that upstreams of APIs and webhooks may be in, "
        "e.g. 10.1.0.0/16",
    )
    brownout_notice_days: int = _setting(
        7, "days from the announcement of a brownout of an API's version until it may begin; 0: at once"
    )
    tokens_jwks: str = _setting(
        "", "file or https address of the keys (JWKS) whose signed tokens (JWT) are taken; empty: none are"
    )
    tokens_issuer: str = _setting("", "issuer (iss) that tokens must have")
    tokens_audience: str = _setting("", "audience (aud) that tokens must have")
    tokens_claim: str = _setting(
        "", "claim of a token that holds the name of an account; empty: `sub`, compared with the external ids of users"
    )
    tokens_algorithms: str = _setting("RS256", "signatures of tokens that are taken, with commas between them")
    traces: str = _setting("", "address that OpenTelemetry traces are sent to by OTLP over HTTP; empty: no traces")
    traces_ratio: float = _setting(1.0, "share of calls that are traced where the caller does not decide, from 0 to 1")
    git_seconds: float = _setting(600.0, "time limit of one clone, fetch or push")
    scm_allow: str = _setting(
        "",
        "places, with commas between them, that sources may be fetched from, e.g. https://git.example.org/team,/srv/git",
    )
    visibility_fixed_per: Literal["major", "minor"] = _setting(
        "major", "reading of note N3: a major line has one visibility, or each minor line has its own"
    )
    latest_private: Literal["always", "only-private"] = _setting(
        "always", "reading of note N6: latestPrivate answers members always, or only where nothing is public"
    )
    compatibility: Literal["enforce", "warn"] = _setting(
        "enforce", "what ALG-05, ALG-07 and ALG-09 object to is refused, or only said"
    )
    command_additions: Literal["refuse", "allow"] = _setting(
        "refuse",
        "reading of note N10: a wire format takes no addition without a new version, or takes optional ones",
    )
    command_bytes: int = _setting(1 << 20, "size of a command's payload at most, unpacked")
    command_attempts: int = _setting(8, "times that an accepted command is tried before it is a dead letter")
    command_retry_seconds: float = _setting(
        1.0, "time that a command waits after its first failure; each further failure doubles it, up to an hour"
    )
    command_seconds: float = _setting(60.0, "time limit of one attempt to handle a command")
    command_days: int = _setting(30, "days for which commands are kept that ended; dead letters stay; 0: for ever")
    proving_seconds: float = _setting(60.0, "time limit for proving a version of a command when it is published")
    jsonata_seconds: float = _setting(2.0, "time limit of one evaluation of JSONata")
    judging_seconds: float = _setting(
        20.0, "time limit for comparing a contract with earlier ones; what is not proved then counts as a break"
    )
    replay_seconds: float = _setting(
        120.0, "time limit for replaying all examples of a publication; what is not replayed then counts as a break"
    )
    replay_at_start: Literal["before", "behind"] = _setting(
        "before",
        "whether examples are replayed on a new version of the worker before the server takes calls, or behind them",
    )
    log_format: Literal["text", "json"] = _setting("text", "form of the server's log lines")
    log_level: Literal["debug", "info", "warning", "error"] = _setting(
        "warning", "least important log line that is written"
    )

    def home_path(self) -> Path:
        return Path(self.home).expanduser().absolute() if self.home else default_home()

    def secrets_key_path(self) -> Path:
        return Path(self.secrets_key).expanduser().absolute() if self.secrets_key else self.home_path() / "secrets.key"

    def package_cache_path(self) -> Path:
        return Path(self.package_cache).expanduser().absolute() if self.package_cache else self.home_path() / "packages"


def load(flags: Mapping[str, Any] | None = None, folder: Path | None = None) -> Settings:
    """The settings in force. `flags` are values from the command line, None where a flag was not given.

    Raises MalformedSetting naming the setting, its value and where it came from.
    """
    sources = [
        ("the user's file", _user_values(user_file())),
        ("troth.toml", _project_values((folder or Path.cwd()) / "troth.toml")),
        ("the environment", _environment_values(os.environ)),
        ("the command line", {name: value for name, value in (flags or {}).items() if value is not None}),
    ]
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for origin, found in sources:
        for name, value in found.items():
            values[name] = _typed(name, value, hints[name], origin)
    return Settings(**values)


def documentation() -> list[tuple[str, str, str]]:
    """(name, default, what it is for) of every setting, in order."""
    return [(f.name, str(f.default), f.metadata["doc"]) for f in fields(Settings)]


_NAMES = frozenset(f.name for f in fields(Settings))


def _environment_values(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment.get(f"TROTH_{name.upper()}") for name in _NAMES}
    return {name: value for name, value in found.items() if value is not None}


def _project_values(path: Path) -> dict[str, Any]:
    """`[settings]` of a project, which may be somebody else's. A key there would be published with it, and a server there
    would be given the user's key, so both are refused."""
    found = _table(path).get("settings", {})
    if "key" in found:
        raise MalformedSetting(
            f"{path} holds a key", why="a project's file is published, and a key is a secret", repair="use TROTH_KEY"
        )
    if "server" in found:
        raise MalformedSetting(
            f"{path} names a server",
            why="commands send your key to their server, and a project that you cloned must not choose it",
            repair="use TROTH_SERVER or your own settings file",
        )
    return _known(found, str(path))


def _user_values(path: Path) -> dict[str, Any]:
    return _known(_table(path), str(path))


def _known(found: Any, origin: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise MalformedSetting(f"settings in {origin} are not a table", repair="write names and values")
    for name in found:
        if name not in _NAMES:
            raise MalformedSetting(
                f"{origin} has a setting {name!r}", why="there is none of that name", repair="see docs/settings.md"
            )
    return found


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MalformedSetting(f"{path} cannot be read: {error}", repair="mend or remove it") from None


def _typed(name: str, value: Any, kind: Any, origin: str) -> Any:
    try:
        if get_origin(kind) is Literal:
            if value in get_args(kind):
                return value
            raise ValueError
        if kind is bool:
            return _boolean(value)
        converted = kind(value)
        if kind in (int, float) and converted < 0:
            raise ValueError
        return converted
    except (TypeError, ValueError, KeyError):
        legal = " or ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else kind.__name__
        raise MalformedSetting(
            f"the setting {name} cannot be {value!r}",
            why=f"it is {legal}, and came from {origin}",
            repair="change it there",
        ) from None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[str(value).lower()]
