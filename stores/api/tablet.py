from rest_framework.response import Response

from stores import auth
from stores.errors import InvalidCredentials, LoginLocked
from stores.payloads import moment, store_payload, table_reference
from tableorder import rate_limits
from tableorder.errors import TokenInvalid
from tableorder.openapi import documented

from .endpoint import Endpoint, Role
from .schemas import RefreshInput, TabletLoginInput, TabletLoginOutput, TokensOutput


class TabletLogin(Endpoint):
    role = Role.ANYONE

    @documented(request=TabletLoginInput, answers={200: TabletLoginOutput}, refuses=[InvalidCredentials, LoginLocked], public=True)
    def post(self, request):
        asked = self.body(TabletLoginInput)
        table, access, refresh = auth.log_in_tablet(
            store=asked["store"], number=asked["table"], password=asked["password"], address=request.client_address
        )
        return Response(tokens(access, refresh) | {"store": store_payload(table.store), "table": table_reference(table)})


class TabletRefresh(Endpoint):
    role = Role.ANYONE

    def limits(self):
        """The token's: a guest who tries passwords would else use up the address that all the tablets have in common."""
        if self.request.method != "POST":
            return []
        login, _ = auth.login_of(self.body(RefreshInput)["refresh"])
        return [rate_limits.of_token(str(login))]

    @documented(request=RefreshInput, answers={200: TokensOutput}, refuses=[TokenInvalid], public=True)
    def post(self, request):
        access, refresh = auth.refresh_tablet(self.body(RefreshInput)["refresh"])
        return Response(tokens(access, refresh))


def tokens(access, refresh):
    return {"access": str(access), "refresh": str(refresh), "expires_at": moment(auth.expiry(access))}
