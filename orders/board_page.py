"""The live board's page: for whoever works in a store, signed in at the admin.

The page talks to the staff API like any other client. It gets its token from here, with the session's cookie and a
CSRF token: so a cookie changes nothing at the API, and a token lives in the page's memory only.
"""

from datetime import timedelta

from django.contrib.admin.views.decorators import staff_member_required
from django.http import Http404, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from stores.auth import expiry, staff_token
from stores.models import Membership
from stores.payloads import moment, staff_payload, store_payload
from tableorder.screens import secured

TOKEN_LIFETIME = timedelta(minutes=30)  # the page asks again in time


@never_cache
@require_safe
@staff_member_required
def board(request):
    """`?store=<code>` chooses among the stores one works in; without it: the first."""
    memberships = _memberships(request.user)
    chosen = _chosen(memberships, request.GET.get("store"))
    page = {
        "store": chosen and store_payload(chosen.store),
        "user": chosen and staff_payload(chosen),
        "stores": [{"code": membership.store.code, "name": membership.store.name} for membership in memberships],
        "language": request.LANGUAGE_CODE,
    }
    return secured(render(request, "board/board.html", {"page": page}))


@never_cache
@require_POST
@staff_member_required
def token(request):
    """An ordinary staff token for a store one works in, for half an hour or until one signs out of the admin.

    With the store as it is now: a board is open for months, and no event tells that the owner has changed its steps.
    """
    chosen = _chosen(_memberships(request.user), request.GET.get("store", ""))
    access = staff_token(chosen, lifetime=TOKEN_LIFETIME, session=request.session.session_key)
    return JsonResponse({"access": str(access), "expires_at": moment(expiry(access)), "store": store_payload(chosen.store)})


def _memberships(user):
    return list(Membership.objects.working().filter(user=user).select_related("store", "user").order_by("store__name", "store__code"))


def _chosen(memberships, code):
    if code is None:
        return memberships[0] if memberships else None
    for membership in memberships:
        if membership.store.code == code:
            return membership
    raise Http404
