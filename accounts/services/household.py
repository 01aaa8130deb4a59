"""The one door to memberships and members: the admin, the demo club and later Finance come through it."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import (
    Device,
    Member,
    Membership,
    MembershipCategory,
    Relation,
    Session,
    Standing,
    User,
)
from accounts.policies.identifiers import email_key, member_number_key, plain
from accounts.selectors.people import parsed_identifier
from accounts.services.one_time_passwords import void_challenges
from accounts.services.sessions import end_all_sessions
from accounts.signals import standing_changed
from bcc.core import clock, transactions
from bcc.core.errors import InvalidError, WrongStateError


class AccountClosedError(WrongStateError):
    code = "account_closed"
    default_detail = _("This account was closed for good. Register the person anew, with another number.")


Faults = dict[str, list[tuple[str, str | Promise]]]


@transactions.writes
def register_membership(
    *,
    account_no: str,
    category: MembershipCategory,
    standing: str = Standing.GOOD,
    valid_to: date | None = None,
) -> Membership:
    """Open a household. Raises InvalidError on ``account_no`` that is empty or taken, in any case."""
    number = plain(account_no)
    if not number:
        raise _invalid("account_no", "blank", _("Give the account number."))
    if Membership.objects.filter(account_no__iexact=number).exists():
        raise _invalid("account_no", "taken", _("This account number is taken. Give another one."))
    return Membership.objects.create(
        account_no=number, category=category, standing=standing, valid_to=valid_to
    )


@transactions.writes
def change_membership(
    *,
    membership: Membership,
    category: MembershipCategory,
    standing: str,
    valid_to: date | None,
    now: datetime,
) -> Membership:
    """Change what the club says of a household. Its account number stays for ever.

    A change of its standing is announced after commit, and its time is kept for whoever missed that.
    """
    transactions.lock_rows(Membership, [membership.pk])
    # By the row, not by the instance: a form has written its own values there first.
    before = Membership.objects.values_list("standing", flat=True).get(pk=membership.pk)
    membership.category, membership.standing, membership.valid_to = category, standing, valid_to
    changed = ["category", "standing", "valid_to"]
    if standing != before:
        membership.standing_changed_at = now
        changed.append("standing_changed_at")
        transactions.after_commit(partial(_announce_standing, membership.pk, standing, now))
    membership.save(update_fields=changed)
    return membership


def _announce_standing(membership_id: int, standing: str, at: datetime) -> None:
    standing_changed.send(sender=Membership, membership_id=membership_id, standing=standing, at=at)


@transactions.writes
def register_member(
    *,
    membership: Membership,
    member_no: str,
    first_name: str,
    last_name: str,
    now: datetime,
    relation: str = Relation.PRINCIPAL,
    birth_date: date | None = None,
    can_book: bool = True,
    can_view_statements: bool = False,
    email: str = "",
    mobile: str = "",
    encoded_password: str | None = None,
) -> Member:
    """Add a person to a household, with an account to sign in with.

    The account has no usable password unless an encoded one is given. Raises InvalidError naming each
    field: a member number taken in any spelling, a second principal, an e-mail or mobile number that is
    none or another's, a birth date to come.
    """
    transactions.lock_rows(Membership, [membership.pk])
    key = member_number_key(member_no)
    faults = _number_faults(member_no, key)
    faults |= _person_faults(membership, None, relation, first_name, last_name, birth_date, now)
    email, mobile = _addresses(email, mobile, None, faults)
    _refuse(faults)
    user = User.objects.create(
        username=key.lower(),
        display_name=_full_name(first_name, last_name),
        email=email,
        mobile=mobile,
        password=encoded_password or make_password(None),
    )
    return Member.objects.create(
        membership=membership,
        user=user,
        member_no=plain(member_no),
        member_no_key=key,
        relation=relation,
        first_name=plain(first_name),
        last_name=plain(last_name),
        birth_date=birth_date,
        can_book=can_book,
        can_view_statements=can_view_statements,
    )


@transactions.writes
def change_member(
    *,
    member: Member,
    relation: str,
    first_name: str,
    last_name: str,
    birth_date: date | None,
    can_book: bool,
    can_view_statements: bool,
    email: str,
    mobile: str,
    now: datetime,
) -> Member:
    """Change a person and how to reach them. The member number stays, and is never used again.

    A changed e-mail or mobile number ends the codes that are on their way to the old one. Raises
    InvalidError as ``register_member`` does.
    """
    transactions.lock_rows(Membership, [member.membership_id])
    faults = _person_faults(member.membership, member, relation, first_name, last_name, birth_date, now)
    email, mobile = _addresses(email, mobile, member.user, faults)
    if member.user is None and (email or mobile):
        detail = _("This member has no account. Leave the e-mail and the mobile number empty.")
        faults["email" if email else "mobile"] = [("no_account", detail)]
    _refuse(faults)
    member.relation, member.birth_date = relation, birth_date
    member.first_name, member.last_name = plain(first_name), plain(last_name)
    member.can_book, member.can_view_statements = can_book, can_view_statements
    member.save(
        update_fields=[
            "relation", "first_name", "last_name", "birth_date", "can_book", "can_view_statements",
        ]
    )  # fmt: skip
    user = member.user
    if user is not None:
        moved = (user.email, str(user.mobile)) != (email, mobile)
        user.email, user.mobile, user.display_name = email, mobile, member.full_name
        user.save(update_fields=["email", "mobile", "display_name"])
        if moved:
            void_challenges(user_id=user.pk, now=now)
    return member


@transactions.writes
def deactivate_user(*, user: User, now: datetime) -> None:
    """Close an account: it cannot sign in, and every session, socket and open code ends."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_all_sessions(user=user, reason=Session.EndReason.REVOKED, now=now)


@transactions.writes
def reactivate_user(*, user: User) -> None:
    """Open an account again; what was ended stays ended. Raises AccountClosedError for a closed one."""
    if user.closed_at is not None:
        raise AccountClosedError
    user.is_active = True
    user.save(update_fields=["is_active"])


@transactions.writes
def close_account(*, user: User, now: datetime) -> None:
    """Close an account for good; its number and name are never used again. Again changes nothing."""
    if user.closed_at is None:
        user.closed_at = now
        user.save(update_fields=["closed_at"])
        deactivate_user(user=user, now=now)


@transactions.writes
def reissue_account(*, user: User, now: datetime) -> None:
    """Issue an account anew: its password and its trusted devices are worth nothing, every session ends,
    and it waits to be activated by a code. Raises AccountClosedError for one closed for good."""
    if user.closed_at is not None:
        raise AccountClosedError
    user.password, user.is_active = make_password(None), True
    user.save(update_fields=["password", "is_active"])
    Device.objects.filter(user=user, revoked_at__isnull=True).update(
        revoked_at=now, token_hash="", push_token=""
    )
    end_all_sessions(user=user, reason=Session.EndReason.REVOKED, now=now)


def _number_faults(member_no: str, key: str) -> Faults:
    if not key:
        return {"member_no": [("blank", _("Give the member number."))]}
    # The account's name is the number, so a number may not be the name of staff either.
    if (
        Member.objects.filter(member_no_key=key).exists()
        or User.objects.filter(username=key.lower()).exists()
    ):
        return {"member_no": [("taken", _("This member number was given before. Give another one."))]}
    return {}


def _person_faults(
    membership: Membership,
    member: Member | None,
    relation: str,
    first_name: str,
    last_name: str,
    birth_date: date | None,
    now: datetime,
) -> Faults:
    faults: Faults = {}
    if not plain(first_name):
        faults["first_name"] = [("blank", _("Give the first name."))]
    if not plain(last_name):
        faults["last_name"] = [("blank", _("Give the last name."))]
    if birth_date is not None and birth_date > clock.local_date(now):
        faults["birth_date"] = [("in_the_future", _("This date is still to come. Correct it."))]
    principals = Member.objects.filter(membership=membership, relation=Relation.PRINCIPAL)
    if member is not None:
        principals = principals.exclude(pk=member.pk)
    if relation == Relation.PRINCIPAL and principals.exists():
        detail = _("This membership has a principal. Choose another relation, or change that member first.")
        faults["relation"] = [("second_principal", detail)]
    return faults


def _addresses(email: str, mobile: str, user: User | None, faults: Faults) -> tuple[str, str]:
    """The one spelling of both; what is wrong with them goes to ``faults``."""
    address, number = email_key(email), parsed_identifier(mobile).mobile
    others = User.objects.exclude(pk=0 if user is None else user.pk)
    if plain(email) and not _is_address(address):
        faults["email"] = [("invalid", _("This is no e-mail address. Correct it or leave it empty."))]
    elif address and others.filter(email=address).exists():
        faults["email"] = [("taken", _("Somebody else has this e-mail address. Give another one."))]
    if plain(mobile) and not number:
        detail = _("This is no mobile number. Give one without an extension, or leave it empty.")
        faults["mobile"] = [("invalid", detail)]
    elif number and others.filter(mobile=number).exists():
        faults["mobile"] = [("taken", _("Somebody else has this mobile number. Give another one."))]
    return address, number


def _is_address(address: str) -> bool:
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def _full_name(first_name: str, last_name: str) -> str:
    return f"{plain(first_name)} {plain(last_name)}".strip()


def _invalid(field: str, code: str, detail: str | Promise) -> InvalidError:
    return InvalidError(errors={field: [(code, detail)]})


def _refuse(faults: Faults) -> None:
    if faults:
        raise InvalidError(errors=faults)
