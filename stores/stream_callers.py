"""Who may listen to a live stream, and who no longer may."""

import math
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.utils import timezone

from tableorder.browser_sessions import SessionStore
from tableorder.errors import Absent, Forbidden, Unauthenticated
from tableorder.paging import id_in

from .api.endpoint import Role, bearer_token
from .auth import StaffCaller, TabletCaller, caller_of
from .models import Membership, StaffToken, Store, Table, User


@dataclass(frozen=True)
class BoardCaller:
    """A person who came with the cookie of the admin's session, as pages of the admin may. (Our board has a token.)"""

    token_id: str  # the session's key
    user: User
    store: Store
    expires_at: float = math.inf  # the session's row knows


Caller = TabletCaller | StaffCaller | BoardCaller


def caller_of_stream(request, role: Role) -> Caller:
    """Who opens this stream; Unauthenticated, TokenInvalid, Forbidden or Absent if they may not."""
    header = request.headers.get("Authorization", "")
    if not header and role is Role.MANAGER and settings.SESSION_COOKIE_NAME in request.COOKIES and _is_from_our_pages(request):
        return _board_caller(request)
    caller = caller_of(bearer_token(header.encode("latin-1")))
    if not role.admits(caller):
        raise Forbidden()
    return caller


def _is_from_our_pages(request) -> bool:
    """A browser says where a request comes from. A cookie that another site's page made it send counts for nothing."""
    return request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")


def _board_caller(request) -> BoardCaller:
    request.session = SessionStore(request.COOKIES[settings.SESSION_COOKIE_NAME])
    user = get_user(request)
    if not user.is_authenticated:
        raise Unauthenticated()
    store_id = id_in(request.GET, "store")
    stores = Store.objects.open().select_related("counters")
    if not user.is_superuser:
        stores = stores.filter(pk__in=Membership.objects.working().filter(user=user).values("store"))
    store = stores.filter(pk=store_id).first()
    if store is None:
        raise Absent()
    return BoardCaller(token_id=request.session.session_key, user=user, store=store)


def still_welcome(callers: list[Caller]) -> list[bool]:
    """For each of these callers: would they be let in again now? A fixed number of queries for all together."""
    now = time.time()
    holding = _tablet_rights([caller for caller in callers if isinstance(caller, TabletCaller)])
    holding |= _staff_rights([caller for caller in callers if isinstance(caller, StaffCaller)])
    holding |= _board_rights([caller for caller in callers if isinstance(caller, BoardCaller)])
    return [caller.expires_at > now and _right(caller) in holding for caller in callers]


def _right(caller: Caller) -> tuple:
    """What a caller was let in on. It holds as long as the database still says the same."""
    match caller:
        case TabletCaller():
            return caller.table.pk, caller.table.epoch
        case StaffCaller():
            return uuid.UUID(caller.token_id), caller.user.password_mark()
        case BoardCaller():
            return caller.token_id, caller.store.pk, caller.user.pk, caller.user.password_mark()


def _tablet_rights(callers: Iterable[TabletCaller]) -> set[tuple]:
    tables = Table.objects.working().filter(pk__in={caller.table.pk for caller in callers})
    return set(tables.values_list("pk", "epoch"))


def _staff_rights(callers: Iterable[StaffCaller]) -> set[tuple]:
    tokens = StaffToken.objects.filter(pk__in={caller.token_id for caller in callers}, membership__in=Membership.objects.working())
    return {(token.pk, token.membership.user.password_mark()) for token in tokens.select_related("membership__user")}


def _board_rights(callers: list[BoardCaller]) -> set[tuple]:
    if not callers:
        return set()
    people = User.objects.filter(is_active=True).in_bulk({caller.user.pk for caller in callers})
    sessions = Session.objects.filter(pk__in={caller.token_id for caller in callers}, expire_date__gt=timezone.now()).in_bulk()
    open_stores = Store.objects.open().in_bulk({caller.store.pk for caller in callers})
    jobs = set(Membership.objects.working().filter(user__in=people).values_list("user", "store"))
    return {
        (caller.token_id, caller.store.pk, user.pk, user.password_mark())
        for caller in callers
        if (user := people.get(caller.user.pk))
        and caller.token_id in sessions
        and ((user.pk, caller.store.pk) in jobs or (user.is_superuser and caller.store.pk in open_stores))
    }
