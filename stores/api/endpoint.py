"""The one base of all endpoints: closed unless it declares who may call it."""

from enum import StrEnum
from functools import cache, cached_property

from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from stores.auth import Holder, StaffCaller, TabletCaller, caller_of, holder_of
from tableorder import rate_limits
from tableorder.api import ChunkedRequest
from tableorder.errors import Forbidden, TokenInvalid, TooMany, Unauthenticated
from tableorder.logging import about


class Role(StrEnum):
    """Who may call. An owner may do everything that a manager may."""

    ANYONE = "anyone"
    TABLET = "tablet"
    MANAGER = "manager"
    OWNER = "owner"

    def admits(self, caller) -> bool:
        match self:
            case Role.ANYONE:
                return True
            case Role.TABLET:
                return isinstance(caller, TabletCaller)
            case Role.MANAGER:
                return isinstance(caller, StaffCaller)
            case Role.OWNER:
                return isinstance(caller, StaffCaller) and caller.is_owner


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; `request.auth` is the caller."""

    def authenticate(self, request):
        caller = caller_of(bearer_token(get_authorization_header(request)))
        about(**facts_of(caller))
        return getattr(caller, "user", None), caller

    def authenticate_header(self, request):
        return "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema):
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def facts_of(caller) -> dict[str, str]:
    """What the log says of a caller. People stand in it by their ids: who may read logs need not know them."""
    holder = {"table": caller.table.number} if isinstance(caller, TabletCaller) else {"user": str(caller.user.pk)}
    return {"store": caller.store.code} | holder


def bearer_token(header: bytes) -> str:
    """The token in an Authorization header; Unauthenticated without one."""
    scheme, _, token = header.partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        raise Unauthenticated()
    try:
        return token.strip().decode("ascii")
    except UnicodeDecodeError as error:
        raise TokenInvalid() from error


class DeclaredCaller(BasePermission):
    """Asks the view's `role`, which `Endpoint` has made sure of."""

    def has_permission(self, request, view):
        if not view.role_for(request.method).admits(request.auth):
            raise Forbidden()
        return True


@cache
def _serializer(kind: type[Serializer], language: str) -> Serializer:
    """One for all requests in a language: making one copies all its fields.

    It keeps nothing of what it validates, but the sentence about a limit in the language that it was first said in.
    """
    return kind()


def let_go(response: Response):
    """Forgets what has been rendered. DRF's view, request and response hold each other, so until the garbage is collected
    a list of orders would stay ten times over: in objects, not in bytes."""
    response.data = response.renderer_context = None


class Endpoint(APIView):
    """A view that says who may call it: `role = Role.MANAGER`, or by method `{"GET": ..., "POST": ...}`.

    A class that doesn't say does not import; a method that a dictionary leaves out has no one.
    """

    role: Role | dict[str, Role]
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]  # what OPTIONS tells stands in the schema
    authentication_classes = [TokenAuthentication]
    permission_classes = [DeclaredCaller]
    budget: rate_limits.Budget | None = None  # what is left of the caller's rate after this request

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "role"):
            raise TypeError(f"{cls.__module__}.{cls.__qualname__} must declare its `role`")

    def role_for(self, method: str) -> Role:
        return self.role if isinstance(self.role, Role) else self.role["GET" if method == "HEAD" else method]

    def get_authenticators(self):
        if self.role == Role.ANYONE:
            return []
        return super().get_authenticators()

    def initialize_request(self, request, *args, **kwargs):
        return ChunkedRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request, *args, **kwargs):
        # Before the permissions, where DRF's own throttles come after them: a request that is refused there counts too.
        spending = rate_limits.Spending(*self.limits())
        try:
            self.perform_authentication(request)
        finally:
            budget = spending.budget()
        self.budget = budget
        if budget and budget.refused:
            raise TooMany(retry_after=budget.reset)
        super().initial(request, *args, **kwargs)

    def limits(self) -> list[rate_limits.Limit]:
        """What this request counts against. Without a token one can only sign in."""
        if self.role == Role.ANYONE:
            return [rate_limits.of_logins(self.request.client_address)]
        return [rate_limits.of_token(self.holder.token_id)]

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.budget.headers.items() if self.budget else ():
            response[name] = value
        response.setdefault("Cache-Control", "no-store")  # tokens, bills: what isn't meant to be kept shall not be
        if isinstance(response, Response):
            response.add_post_render_callback(let_go)
        return response

    def check_permissions(self, request):
        # Who are you comes before what do you want: a wrong method tells an outsider nothing more.
        if request.method.lower() in self.http_method_names and hasattr(self, request.method.lower()):
            super().check_permissions(request)

    @cached_property
    def holder(self) -> Holder:
        """Whom the token names, before it is known whether they may come in."""
        return holder_of(bearer_token(get_authorization_header(self.request)))

    @property
    def caller(self) -> TabletCaller | StaffCaller:
        return self.request.auth

    @property
    def store(self):
        return self.caller.store

    def body(self, serializer_class):
        """The validated body; refused as a whole if anything in it is wrong."""
        return _serializer(serializer_class, get_language()).run_validation(self.request.data)
