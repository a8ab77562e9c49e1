"""Who is calling: staff and tablet tokens.

A token only names its holder; whether that holder may still come in is read from the database with every
request: a cut-off, a changed password, a deactivation take effect with the next one.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import F, UUIDField
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import Token, UntypedToken

from tableorder.errors import TokenInvalid
from tableorder.statements import Given, Select, columns, read
from tableorder.transactions import give_back_connection, whole

from .errors import InvalidCredentials
from .login_limits import Attempt, subject_of
from .models import Counters, Membership, StaffToken, Store, Table, TabletLogin, User

# A refresh token that was used goes on working for so long and gives the same successor: the answer may have
# been lost on the way, and the tablet asks again.
REFRESH_GRACE = timedelta(seconds=60)


class StaffAccess(Token):
    token_type = "staff"
    lifetime = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]


class TabletAccess(Token):
    token_type = "tablet"
    lifetime = settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]


class TabletRefresh(Token):
    token_type = "tablet_refresh"
    lifetime = timedelta(days=settings.TABLET_REFRESH_DAYS)


@dataclass(frozen=True)
class TabletCaller:
    """A tablet: it is its table."""

    token_id: str
    table: Table
    expires_at: float  # seconds since 1970

    @property
    def store(self) -> Store:
        return self.table.store


@dataclass(frozen=True)
class StaffCaller:
    """A person at work in one store."""

    token_id: str
    membership: Membership
    expires_at: float

    @property
    def store(self) -> Store:
        return self.membership.store

    @property
    def user(self) -> User:
        return self.membership.user

    @property
    def is_owner(self) -> bool:
        return self.membership.role == Membership.Role.OWNER


@dataclass(frozen=True)
class Holder:
    """Whom an access token names, whether they may come in or not."""

    token_id: str
    table: str | None  # a tablet's, by a name that no other database has


def holder_of(raw_token: str) -> Holder:
    """TokenInvalid for what isn't one of our access tokens."""
    payload = _payload(raw_token)
    try:
        match payload.get("token_type"):
            case StaffAccess.token_type:
                return Holder(payload["jti"], table=None)
            case TabletAccess.token_type:
                return Holder(payload["login"], table=f"{payload['mark']}:{payload['table']}")
    except KeyError as error:
        raise TokenInvalid() from error
    raise TokenInvalid()


def caller_of(raw_token: str) -> TabletCaller | StaffCaller:
    """The holder of an access token, with store and counters, in one query; TokenInvalid otherwise."""
    payload = _payload(raw_token)
    try:
        match payload.get("token_type"):
            case StaffAccess.token_type:
                return _staff_caller(payload)
            case TabletAccess.token_type:
                return _tablet_caller(payload)
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise TokenInvalid() from error  # signed with our key, but not a token of ours
    raise TokenInvalid()


def _payload(raw_token):
    try:
        payload = _signed(raw_token)
    except TokenError as error:
        raise TokenInvalid() from error
    if payload["exp"] <= time.time():
        raise TokenInvalid()
    return payload


@lru_cache(maxsize=4096)  # some 5 MB
def _signed(raw_token):
    """What a token of ours says. A tablet shows the same one all day, and what was signed once stays signed."""
    return UntypedToken(raw_token).payload


# Every request begins with one of these two.
_memberships = Select(
    lambda: (
        Membership.objects.working()
        .filter(tokens=Given("token", UUIDField()))
        .order_by()
        .values_list(*columns(Membership), *columns(User, "user__"), *columns(Store, "store__"), *columns(Counters, "store__counters__"))
    )
)
_tables = Select(
    lambda: (
        Table.objects.working()
        .filter(pk=Given("table", UUIDField()), store=Given("store", UUIDField()))
        .order_by()
        .values_list(*columns(Table), *columns(Store, "store__"), *columns(Counters, "store__counters__"))
    )
)


def _staff_caller(payload):
    found = _memberships.rows(token=uuid.UUID(payload["jti"]))
    if not found:
        raise TokenInvalid()
    membership, membership.user, membership.store, membership.store.counters = read(found[0], Membership, User, Store, Counters)
    if payload["password"] != membership.user.password_mark():
        raise TokenInvalid()
    return StaffCaller(token_id=payload["jti"], membership=membership, expires_at=payload["exp"])


def _tablet_caller(payload):
    found = _tables.rows(table=uuid.UUID(payload["table"]), store=uuid.UUID(payload["store"]))
    if not found:
        raise TokenInvalid()
    table, table.store, table.store.counters = read(found[0], Table, Store, Counters)
    if payload["epoch"] != table.epoch:
        raise TokenInvalid()
    return TabletCaller(token_id=payload["login"], table=table, expires_at=payload["exp"])


# --- Staff ------------------------------------------------------------------------------------------------------


def log_in_staff(*, store: str, username: str, password: str, address: str) -> tuple[Membership, StaffAccess]:
    """Raises InvalidCredentials, or LoginLocked without having looked at the password."""
    attempt = Attempt(subject_of("staff", store, username), address, kind="staff")
    membership = _by_exact_names(Membership.objects.working().select_related("user", "store"), store__code=store, user__username=username)
    give_back_connection()
    if not (membership.user.check_password(password) if membership else _as_slow_as_a_check(password)):
        attempt.failed()
        raise InvalidCredentials()
    attempt.succeeded()
    return membership, staff_token(membership)


def staff_token(membership: Membership, *, lifetime: timedelta = StaffAccess.lifetime, session: str | None = None) -> StaffAccess:
    """A token for somebody who has shown who they are. `session`: the key of the browser's, with which it ends."""
    token = StaffAccess()
    token.set_exp(lifetime=lifetime)
    row = StaffToken.objects.create(membership=membership, expires_at=expiry(token), session_id=session)
    token["jti"] = str(row.pk)
    token["store"] = str(membership.store_id)
    token["user"] = str(membership.user_id)
    token["password"] = membership.user.password_mark()
    return token


def log_out_staff(caller: StaffCaller):
    """The token is dead with the next request."""
    StaffToken.objects.filter(pk=caller.token_id).delete()


def sign_out_everywhere(user: User):
    """All tokens and sessions there are: on again, the person signs in anew."""
    User.objects.filter(pk=user.pk).update(epoch=F("epoch") + 1)


def sign_out_of_store(membership: Membership):
    """Who was switched off there. The session of the admin may still be wanted for another store; then it goes on."""
    membership.tokens.all().delete()
    if not membership.user.is_superuser and not membership.user.memberships.working().exists():
        sign_out_everywhere(membership.user)


# --- Tablets ----------------------------------------------------------------------------------------------------


def log_in_tablet(*, store: str, number: str, password: str, address: str) -> tuple[Table, TabletAccess, TabletRefresh]:
    """Raises InvalidCredentials, or LoginLocked without having looked at the password."""
    attempt = Attempt(subject_of("table", store, number), address, kind="tablet")
    table = _by_exact_names(Table.objects.working().select_related("store"), store__code=store, number=number)
    give_back_connection()
    if not (table.check_password(password) if table else _as_slow_as_a_check(password)):
        attempt.failed()
        raise InvalidCredentials()
    attempt.succeeded()
    now = timezone.now().replace(microsecond=0)
    login = TabletLogin.objects.create(table=table, epoch=table.epoch, rotated_at=now, expires_at=now + TabletRefresh.lifetime)
    return table, _tablet_access(login), _tablet_refresh(login, login.generation, made_at=now)


def login_of(raw_token: str) -> tuple[uuid.UUID, int]:
    """(the login that a refresh token renews, its generation); TokenInvalid for what isn't one of ours."""
    payload = _payload(raw_token)
    try:
        if payload.get("token_type") != TabletRefresh.token_type:
            raise TokenInvalid()
        return uuid.UUID(payload["login"]), int(payload["generation"])
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise TokenInvalid() from error


@whole
def refresh_tablet(raw_token: str) -> tuple[Table, TabletAccess, TabletRefresh]:
    """The table and its next pair of tokens, the same ones for a minute; TokenInvalid for a token that was first used longer ago."""
    id, generation = login_of(raw_token)
    login = TabletLogin.objects.select_for_update().filter(pk=id).first()
    tables = Table.objects.working().select_related("store")
    table = tables.filter(pk=login.table_id, epoch=login.epoch).first() if login else None
    if table is None:
        raise TokenInvalid()
    login.table = table
    now = timezone.now().replace(microsecond=0)
    if generation == login.generation:
        login.rotate(now, lifetime=TabletRefresh.lifetime, grace=REFRESH_GRACE)
    used = login.first_use(generation)
    if used is None or now > used + REFRESH_GRACE:
        raise TokenInvalid()
    return table, _tablet_access(login), _tablet_refresh(login, generation + 1, made_at=used)


def _tablet_access(login):
    token = TabletAccess()
    token["store"] = str(login.table.store_id)
    token["mark"] = login.table.store.mark
    token["table"] = str(login.table_id)
    token["epoch"] = login.epoch
    token["login"] = str(login.pk)
    return token


def _tablet_refresh(login, generation, *, made_at):
    """Made of nothing else, so that asking again gives the very same token."""
    token = TabletRefresh()
    token.set_iat(at_time=made_at)
    token.set_exp(from_time=made_at)
    token["jti"] = f"{login.pk.hex}-{generation}"
    token["login"] = str(login.pk)
    token["generation"] = generation
    return token


def _by_exact_names(rows, **names):
    """The row of these very names, or None. Unless it is told otherwise MySQL takes é for e and A for a, and each such spelling
    of a name would be five guesses more."""
    row = rows.filter(**names).first()
    return row if row and all(attrgetter(path.replace("__", "."))(row) == name for path, name in names.items()) else None


def expiry(token: Token) -> datetime:
    return datetime.fromtimestamp(token["exp"], tz=UTC)


def _as_slow_as_a_check(password) -> bool:
    """Spends the time of a password check, so that an unknown name takes as long to refuse as a known one."""
    make_password(password)
    return False
