"""The headers of every screen: what a page of ours may load, and who may look into it."""

from django.conf import settings


def content_security_policy() -> str:
    """Only our own files; no inline script or style, no eval, no text made into code, no frame. Images may come
    from their storage."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(["img-src 'self' data:", *settings.IMAGE_ORIGINS]),
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types lit-html table-order",
        ]
    )


def secured(response):
    """The response with the headers of every screen."""
    response["Content-Security-Policy"] = content_security_policy()
    response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response
