"""What a page may load, and who may look into it: of our own screens, and of those that Django's admin and Swagger make."""

from django.conf import settings

NOTHING, OURS = "'none'", "'self'"


def _policy(directives: dict) -> str:
    return "; ".join(f"{name} {allowed}" for name, allowed in directives.items())


def _images() -> str:
    return " ".join([OURS, "data:", *settings.IMAGE_ORIGINS])


def screen_policy() -> str:
    """Only our own files; no inline script or style, no eval, no text made into code, no frame. Images may come
    from their storage."""
    return _policy(
        {
            "default-src": NOTHING,
            "script-src": OURS,
            "style-src": OURS,
            "img-src": _images(),
            "connect-src": OURS,
            "manifest-src": OURS,
            "worker-src": OURS,
            "font-src": OURS,
            "base-uri": NOTHING,
            "form-action": NOTHING,
            "frame-ancestors": NOTHING,
            "require-trusted-types-for": "'script'",
            "trusted-types": "lit-html table-order",
        }
    )


def page_policy() -> str:
    """What the admin and Swagger can live with: they write styles into the page, and make markup of text by themselves."""
    return _policy(
        {
            "default-src": OURS,
            "style-src": "'self' 'unsafe-inline'",
            "img-src": _images(),
            "object-src": NOTHING,
            "base-uri": NOTHING,
            "form-action": OURS,
            "frame-ancestors": NOTHING,
        }
    )


def secured(response):
    """The response with the headers of every screen of ours."""
    response["Content-Security-Policy"] = screen_policy()
    response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


class PagePolicy:
    """Middleware: no page without a policy."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", page_policy())
        return response
