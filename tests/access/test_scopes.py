"""What keys are for, as pure values: patterns, one scope within another, and the table of what each action needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.access.roles import GRANTS, Actor, Relation, relations
from troth.access.scopes import (
    EVERYTHING,
    MOST_PATTERNS,
    NEEDS,
    DataAccess,
    Scope,
    check_origin,
    check_patterns,
    reach_of,
    require_scope,
    within,
)
from troth.calls.routing import Caller
from troth.errors import Forbidden, Malformed

NAMES = st.from_regex(r"[a-c]{1,2}", fullmatch=True)
PATTERNS = st.one_of(
    st.just("algo://*"),
    st.builds("algo://{}/*".format, NAMES),
    st.builds("algo://{}/{}".format, NAMES, NAMES),
    st.builds("algo://{}/{}/*".format, NAMES, NAMES),
)
SCOPES = st.builds(
    Scope,
    st.lists(PATTERNS, max_size=4).map(tuple),
    st.sampled_from(DataAccess),
    manage=st.booleans(),
    administrator=st.booleans(),
    production=st.booleans(),
    origin=st.sampled_from(["", "a.example", "b.example"]),
)

#: What each kind of key may be used for (commands on data ask for the access themselves), written down here on its own: c calls only, r reads data, w writes data, m manages,
#: a is an administrator's that manages nothing, e everything.
MAY = """
    create_api               m e
    update_api               m e
    create_api_version       m e
    graduate_api             m e
    deprecate_api            m e
    retire_api               m e
    drop_api                 m e
    change_api               m e
    extend_api               m e
    decide_api               m e
    set_upstream             m e
    plan_brownout            m e
    cancel_brownout          m e
    create_alert_hook        m e
    remove_alert_hook        m e
    replay_alerts            m e
    query_api_callers        c r w m a e
    query_upstreams          m e
    query_alerts             m e
    query_apis               c r w m a e
    query_api                c r w m a e
    read_api_states          c r w m a e
    read_api_contract        c r w m a e
    read_policy              c r w m a e
    update_product           m e
    roll_back                m e
    preview_rollback         m e
    revoke_calendar          m e
    plan_release             m e
    mark_stable              m e
    query_insights           m e
    cancel_planned_release   m e
    delete_secret            m e
    yank_release             m e
    set_secret               m e
    create_product           m e
    cut_release              m e
    query_calendars          m e
    query_secrets            m e
    update_algorithm         m e
    delete_public_algorithm  m e
    delete_algorithm         m e
    end_session              m e
    create_command           m e
    publish_command_version  m e
    set_command_state        m e
    pause_command            m e
    resume_command           m e
    retry_queued_command     m e
    discard_queued_command   m e
    replay_queued_command    m e
    list_commands            c r w m a e
    read_command             c r w m a e
    list_queued              c r w m a e
    read_queued              c r w m a e
    upload_release_file      m e
    create_calendar          m e
    import_version           a e
    delete_scm               a e
    create_scm               a e
    update_scm               a e
    prefer_scm               a e
    read_release_file        c r w m a e
    query_release            c r w m a e
    query_product            c r w m a e
    query_products           c r w m a e
    plan_upgrade             c r w m a e
    query_changelog          c r w m a e
    query_releases           c r w m a e
    query_cadence            c r w m a e
    create_account           a e
    delete_account           a e
    collect_garbage          a e
    read_metrics             a e
    read_engine              a e
    query_journal            a e
    query_accounts           a e
    query_garbage            a e
    query_people             a e
    update_account           m e
    create_organization      m e
    update_organization      m e
    delete_organization      m e
    add_member               m e
    remove_member            m e
    create_key               m e
    rotate_key               m e
    revoke_key               m e
    query_keys               m e
    query_floating_calls     m e
    create_algorithm         m e
    compile_algorithm        m e
    publish_version          m e
    start_build              m e
    finish_build             m e
    fail_interrupted_builds  m e
    upload_source            m e
    check_version            m e
    use_repository           m e
    read_private_builds      m e
    read_build_log           m e
    read_bill_of_materials   m e
    verify_rebuild           m e
    query_builds             m e
    read_data                r w e
    write_data               w e
    submit_command           c r w m a e
    resolve_reference        c r w m a e
    query_versions           c r w m a e
    query_algorithms         c r w m a e
    query_calls              c r w m a e
    query_contract           c r w m a e
    query_clauses            c r w m a e
    query_usage              c r w m a e
    query_account            c r w m a e
    query_organization       c r w m a e
    read_receipt             c r w m a e
    read_call                c r w m a e
    query_waivers            c r w m a e
    query_release_waivers    c r w m a e
    query_api_waivers        c r w m a e
    query_lines              c r w m a e
    query_replays            a e
    read_waiver              c r w m a e
    read_signing_key         c r w m a e
    create_collection        c r w m a e
    set_collection_acl       c r w m a e
    delete_collection        c r w m a e
    store_file               c r w m a e
    delete_file              c r w m a e
    set_data_quota           a e
    expire_data              m e
    request_waiver           m e
    request_release_waiver   m e
    request_api_waiver       m e
    request_line_waiver      m e
    set_line_notice          m e
    retire_line              m e
    approve_waiver           m e
    revoke_waiver            m e
    record_replay            m e
    what_nobody_ever_listed  m e
"""
KINDS = {
    "c": Scope(("algo://*",)),
    "r": Scope(data=DataAccess.READ),
    "w": Scope(data=DataAccess.WRITE),
    "m": Scope(manage=True),
    "a": Scope(administrator=True),
    "e": EVERYTHING,
}
ROWS = {line.split()[0]: set(line.split()[1:]) for line in MAY.strip().splitlines()}


@pytest.mark.parametrize("action", ROWS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_action_takes_the_keys_that_are_for_it(action: str, kind: str) -> None:
    assert within(action, KINDS[kind]) == (kind in ROWS[action])
    if kind in ROWS[action]:
        require_scope(action, KINDS[kind])
    else:
        with pytest.raises(Forbidden, match="this key is not for"):
            require_scope(action, KINDS[kind])


def test_every_need_is_written_down_twice() -> None:
    assert set(NEEDS) == set(ROWS) - {"what_nobody_ever_listed"}


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("algo://*", "ada/echo bob/x", ""),
        ("algo://ada/*", "ada/echo ada/x", "adam/echo ad/a bob/ada"),
        ("algo://ada/echo", "ada/echo", "ada/echo2 ada/Echo Ada/echo ada/ech"),
        ("algo://ada/echo/*", "ada/echo", "ada/echo2 bob/echo"),
    ],
)
def test_a_pattern_names(pattern: str, yes: str, no: str) -> None:
    caller = Caller("1", "x", administrator=False, scope=Scope(check_patterns([pattern])))
    assert all(caller.reaches(subject) for subject in yes.split())
    assert not any(caller.reaches(subject) for subject in no.split())


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "ada/*", "algo://", "algo://ada", "algo://ada/", "algo:///x", "algo://*/x", "algo://ada/x/1.0.0", "algo://ada/x/*/*",
     "ALGO://ada/*", "algo://a da/*", "algo://ada/*\n", "algo://../x", "algo://ad\u0430/*", "algo://ada/\0", "algo://" + "a" * 64 + "/*"],
)  # fmt: skip
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(Malformed, match="pattern"):
        check_patterns([pattern])


def test_a_key_has_so_many_patterns_and_no_more() -> None:
    patterns = [f"algo://ada/a{number}" for number in range(MOST_PATTERNS)]
    assert len(check_patterns([*patterns, patterns[0]])) == MOST_PATTERNS
    with pytest.raises(Malformed, match="at most|cannot have"):
        check_patterns([*patterns, "algo://ada/one_more"])


@pytest.mark.parametrize("origin", ["App.Example.org", "localhost:3000", "[::1]:80", "a", ""])
def test_an_origin_is_a_host(origin: str) -> None:
    assert check_origin(origin) == origin.lower()


@pytest.mark.parametrize(
    "origin", ["https://a.org", "a.org/x", "*.a.org", "a org", "-a.org", "a..org", "a" * 254, "\u0430.org", "a:b"]
)
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(Malformed):
        check_origin(origin)


@given(SCOPES, SCOPES)
def test_a_scope_covers_another_only_if_it_allows_all_of_it(wide: Scope, narrow: Scope) -> None:
    subjects = [f"{owner}/{name}" for owner in ("a", "b", "ab", "c") for name in ("a", "b", "cc")]
    if not wide.covers(narrow):
        return
    wide_reach, narrow_reach = reach_of(wide.algorithms), reach_of(narrow.algorithms)
    for subject in subjects:
        if narrow_reach is None or narrow_reach.allows(subject):
            assert wide_reach is None or wide_reach.allows(subject)
    for action in NEEDS:
        assert within(action, wide) or not within(action, narrow)
    assert wide.origin in ("", narrow.origin)
    assert narrow.production or not wide.production


@given(SCOPES)
def test_every_scope_covers_itself_and_nothing_covers_more_than_everything(scope: Scope) -> None:
    assert scope.covers(scope)
    assert EVERYTHING.covers(scope)
    assert scope.covers(Scope(production=scope.production, origin=scope.origin))


def test_a_key_takes_from_the_administrator_and_never_adds() -> None:
    asked: list[dict[str, Any]] = [{"administrator": True}, {"administrator": False}]
    for given_to in asked:
        actor = Caller("1", "x", given_to["administrator"], scope=EVERYTHING).actor
        assert (Relation.ADMINISTRATOR in relations(actor)) == given_to["administrator"]


#: Who may do what by their role, written down here on its own: S troth itself, A an administrator, O the account itself,
#: X an admin of the organisation, M a member of it, U any user. Rows of section 15.3 of the protocol are among them.
ROLES = """
    create_api              O X M
    update_api              O X
    create_api_version      O X M
    graduate_api            O X M
    deprecate_api           O X M
    retire_api              O X M
    drop_api                O X M
    change_api              O X M
    extend_api              O X
    decide_api              O X
    set_upstream            O X
    plan_brownout           O X
    cancel_brownout         O X
    create_alert_hook       O X
    remove_alert_hook       S A O X
    replay_alerts           O X
    read_callers            S A O X M
    read_alerts             O X
    update_product          O X
    roll_back               O X M
    revoke_calendar         S A O
    plan_release            O X M
    mark_stable             O X
    cancel_planned_release  O X M
    delete_secret           O X M
    import_version          S A
    yank_release            O X M
    set_secret              O X M
    delete_scm              S A
    create_scm              S A
    create_product          O X M
    cut_release             O X M
    update_algorithm        O X M
    update_scm              S A
    delete_public_algorithm S A
    create_command          O X M
    publish_command_version O X M
    set_command_state       O X
    pause_command           S A O X M
    resume_command          S A O X M
    retry_queued_command    S A O X M
    discard_queued_command  S A O X M
    replay_queued_command   O X M
    send_command            S A O X M
    end_session             S
    delete_algorithm        O X M
    create_calendar         U
    prefer_scm              S A
    create_account          S A
    update_account          S A O
    set_external_id         S A
    delete_account          S A
    read_account            S A O
    create_organization     U
    update_organization     S A X
    delete_organization     S A X
    read_organization       S A O X M
    add_member              S X
    remove_member           S O X
    create_key              S A O X
    rotate_key              S A O X
    revoke_key              S A O X
    read_keys               S A O X
    create_algorithm        O X M
    compile_algorithm       O X M
    publish_version         O X M
    publish_publicly        O X
    request_waiver          O X M
    request_release_waiver  O X M
    request_api_waiver      O X M
    request_line_waiver     O X M
    set_line_notice         O X
    retire_line             O X
    approve_waiver          S A O X
    revoke_waiver           S A O X M
    record_replay           S
    create_collection       O X M
    set_collection_acl      O X M
    delete_collection       O X M
    store_file              O X M
    delete_file             O X M
    set_data_quota          S A
    expire_data             S
    start_build             S
    finish_build            S
    fail_interrupted_builds S
    collect_garbage         S A
    read_journal            S A
    read_accounts           S A
    read_all_usage          S A
    read_engine             S A
"""
LETTERS = {
    "S": Relation.SYSTEM, "A": Relation.ADMINISTRATOR, "O": Relation.SELF, "X": Relation.ORGANIZATION_ADMIN,
    "M": Relation.ORGANIZATION_MEMBER, "U": Relation.USER,
}  # fmt: skip


@pytest.mark.parametrize("line", ROLES.strip().splitlines(), ids=lambda line: line.split()[0])
def test_each_role_may_do_what_is_written_here(line: str) -> None:
    action, *letters = line.split()
    assert {relation for relation in Relation if relation in GRANTS[action]} == {LETTERS[letter] for letter in letters}


def test_every_grant_is_written_down_twice() -> None:
    assert set(GRANTS) == {line.split()[0] for line in ROLES.strip().splitlines()}


@pytest.mark.parametrize("role", ["admin", "member", None])
@pytest.mark.parametrize("administrator", [True, False])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", ["user", "organization", "system"])
def test_relations_are_those_that_hold(role: str | None, administrator: bool, own: bool, kind: str) -> None:
    found = relations(Actor("me", "me", kind, administrator), "me" if own else "other", role)
    assert (Relation.SELF in found) == own
    assert (Relation.ADMINISTRATOR in found) == administrator
    assert (Relation.ORGANIZATION_ADMIN in found) == (role == "admin")
    assert (Relation.ORGANIZATION_MEMBER in found) == (role == "member")
    assert (Relation.USER in found) == (kind == "user")
    assert (Relation.SYSTEM in found) == (kind == "system")
