"""The commands of accounts, keys, algorithms, secrets, garbage and SCMs, each with the parts of the server that it needs."""

from __future__ import annotations

from troth.builds.origins import Origins
from troth.builds.repository import Repositories
from troth.builds.trees import Trees
from troth.commands import accounts as account_commands
from troth.commands import algorithms as algorithm_commands
from troth.commands import keys as key_commands
from troth.commands import lifecycle, scms
from troth.commands import secrets as secret_commands
from troth.commands.building import Building
from troth.commands.bus import Bus, Handler
from troth.commands.garbage import CollectGarbage, Garbage
from troth.commands.judging import Judging
from troth.commands.publishing import ImportVersion, PublishVersion
from troth.registry.database import Database
from troth.registry.sealing import Sealing


def handlers_of(
    bus: Bus,
    database: Database,
    trees: Trees,
    repositories: Repositories,
    origins: Origins,
    building: Building,
    garbage: Garbage,
    judging: Judging,
    sealing: Sealing,
) -> dict[str, Handler]:
    """Every command by its name."""
    return {
        "create_account": account_commands.CreateAccount(),
        "create_organization": account_commands.CreateOrganization(),
        "add_member": account_commands.AddMember(),
        "remove_member": account_commands.RemoveMember(),
        "update_account": account_commands.UpdateAccount(),
        "delete_account": account_commands.DeleteAccount(),
        "update_organization": account_commands.UpdateOrganization(),
        "delete_organization": account_commands.DeleteOrganization(),
        "create_key": key_commands.CreateKey(),
        "rotate_key": key_commands.RotateKey(),
        "revoke_key": key_commands.RevokeKey(),
        "create_algorithm": algorithm_commands.CreateAlgorithm(database, repositories, origins),
        "update_algorithm": lifecycle.UpdateAlgorithm(),
        "delete_algorithm": lifecycle.DeleteAlgorithm(),
        "start_build": algorithm_commands.StartBuild(),
        "finish_build": algorithm_commands.FinishBuild(building),
        "fail_interrupted_builds": algorithm_commands.FailInterruptedBuilds(),
        "compile_algorithm": algorithm_commands.CompileAlgorithm(
            database, trees, repositories, building, origins, bus.submit
        ),
        "publish_version": PublishVersion(judging),
        "import_version": ImportVersion(judging),
        "set_secret": secret_commands.SetSecret(sealing),
        "delete_secret": secret_commands.DeleteSecret(),
        "collect_garbage": CollectGarbage(database, garbage),
        "create_scm": scms.CreateScm(database, origins),
        "update_scm": scms.UpdateScm(database, origins),
        "prefer_scm": scms.PreferScm(database, origins),
        "delete_scm": scms.DeleteScm(database, origins),
    }
