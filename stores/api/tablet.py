from rest_framework.response import Response

from stores import auth
from stores.errors import InvalidCredentials, LoginLocked
from stores.payloads import moment, store_payload, table_reference
from tableorder import rate_limits
from tableorder.errors import TokenInvalid
from tableorder.openapi import documented

from .endpoint import Endpoint, Role
from .schemas import RefreshInput, TabletLoginInput, TabletTokensOutput


class TabletLogin(Endpoint):
    role = Role.ANYONE

    @documented(request=TabletLoginInput, answers={200: TabletTokensOutput}, refuses=[InvalidCredentials, LoginLocked], public=True)
    def post(self, request):
        asked = self.body(TabletLoginInput)
        signed_in = auth.log_in_tablet(
            store=asked["store"], number=asked["table"], password=asked["password"], address=request.client_address
        )
        return Response(tokens(*signed_in))


class TabletRefresh(Endpoint):
    role = Role.ANYONE

    def limits(self):
        """The token's: a guest who tries passwords would else use up the address that all the tablets have in common."""
        if self.request.method != "POST":
            return []
        login, _ = auth.login_of(self.body(RefreshInput)["refresh"])
        return [rate_limits.of_token(str(login))]

    @documented(request=RefreshInput, answers={200: TabletTokensOutput}, refuses=[TokenInvalid], public=True)
    def post(self, request):
        """New tokens, and store and table as they are called now: a tablet is set up once and stays for years."""
        return Response(tokens(*auth.refresh_tablet(self.body(RefreshInput)["refresh"])))


def tokens(table, access, refresh):
    named = {"store": store_payload(table.store), "table": table_reference(table)}
    return {"access": str(access), "refresh": str(refresh), "expires_at": moment(auth.expiry(access))} | named
