"""Permissions: who may do what beyond their own things. The one table is `LEAST_ROLE`, the one predicate is `may`."""

from enum import StrEnum
from typing import Protocol

from webapp.lib.complete import complete


class Role(StrEnum):
    """What a person is for this site, from the least on; each may do all that those before it may. Most have none."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        """Whether who has this role may do all that the other one may."""
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class Action(StrEnum):
    """What a role is needed for. There is no other such thing."""

    VIEW_DESK = "view_desk"  # see everyone's tasks and how the site is doing, and change nothing
    STEER = "steer"  # act on other people's tasks, on kinds of task, and on workers
    MANAGE_PEOPLE = "manage_people"  # give roles, suspend accounts, end other people's sessions


LEAST_ROLE = complete(
    "LEAST_ROLE",
    Action,
    {
        Action.VIEW_DESK: Role.VIEWER,
        Action.STEER: Role.OPERATOR,
        Action.MANAGE_PEOPLE: Role.ADMIN,
    },
)


class Account(Protocol):
    """What is asked of an account: a User is one."""

    @property
    def role(self) -> str | None:
        """As it is stored."""

    @property
    def totp_secret(self) -> str | None:
        """None without a second factor."""

    @property
    def is_guest(self) -> bool:
        """Whether it has no password."""

    @property
    def is_suspended(self) -> bool:
        """Whether nobody may use it for now."""


def role_of(user: Account | None) -> Role | None:
    """The role that an account was given; None for most, for guests, for visitors, and while it is suspended.

    A role that only a later release knows is none: nobody can say what it allows.
    """
    if user is None or user.is_guest or user.is_suspended or user.role not in set(Role):
        return None
    return Role(user.role)


def needs_second_factor(user: Account | None) -> bool:
    """Whether the account has a role that allows nothing, for want of a second factor."""
    return user is not None and role_of(user) is not None and not user.totp_secret


def may(user: Account | None, action: Action) -> bool:
    """Whether somebody may do that; never without a second factor. No query."""
    role = role_of(user)
    return role is not None and not needs_second_factor(user) and role.includes(LEAST_ROLE[action])
