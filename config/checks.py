"""What must not go into production. Each refusal says what to set instead.

Django runs these with every management command, `config/wsgi.py` and `config/asgi.py` before they serve.
"""

import logging
import re
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.core.checks import Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connection

from tableorder import redis
from tableorder.logging import LEVELS

log = logging.getLogger(__name__)

SHORTEST_SECRET = 32  # characters; RFC 7518, section 3.2: a key of the size of the hash or larger

# A century: some of them further there are no dates, and no order would be taken, no tablet let in, nothing purged.
LONGEST_SESSION = 876_000  # hours
MOST = {
    "HISTORY_RETENTION_MONTHS": 1_200,
    "JOURNAL_RETENTION_DAYS": 36_500,
    "TABLET_REFRESH_DAYS": 36_500,
    "DATABASE_POOL_SIZE": 1_000,
    "DATABASE_CONNECTION_LIMIT": 100_000,
    "WEB_CONCURRENCY": 1_000,
}


def refuse_unsafe():
    """Raises ImproperlyConfigured with every hint if a setting is unsafe; says what is only unwise."""
    found = run_checks(tags=["production"])
    if any(message.is_serious() for message in found):
        raise ImproperlyConfigured("\n".join(f"{message.id}: {message.msg} {message.hint}" for message in found))
    for message in found:
        log.warning("%s: %s %s", message.id, message.msg, message.hint)


def _error(number, message, hint):
    return Error(message, hint=hint, id=f"tableorder.E{number:03}")


_AWS_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")  # as botocore takes them
_HOST = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9a-fA-F:.]+\]")  # “*” is refused by itself


def _is_url(value, *schemes):
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is no number
        return False


@register("production")
def settings_that_never_work(app_configs, **kwargs):
    """Wrong in development too."""
    if settings.ENVIRONMENT not in ("development", "production"):
        yield _error(1, f"ENVIRONMENT is {settings.ENVIRONMENT!r}.", "Set it to development or production.")
    if settings.LOG_LEVEL not in LEVELS:
        yield _error(21, f"LOG_LEVEL is {settings.LOG_LEVEL!r}.", f"Set it to {', '.join(LEVELS)}.")
    if settings.SERVE not in ("all", "api", "streams"):
        yield _error(2, f"SERVE is {settings.SERVE!r}.", "Set it to all, api or streams.")
    if settings.JWT_ALGORITHM not in ("HS256", "RS256"):
        yield _error(3, f"JWT_ALGORITHM is {settings.JWT_ALGORITHM!r}.", "Set it to HS256 or RS256.")
    if settings.JWT_ALGORITHM == "RS256":
        yield from _key_pair()
    if not 0 < settings.JWT_EXPIRE_HOURS <= 168:
        yield _error(
            4, f"JWT_EXPIRE_HOURS is {settings.JWT_EXPIRE_HOURS:g}.", "Set it to more than 0 and at most 168 hours; 16 is a working day."
        )
    limits = (
        "RATE_LIMIT_PER_MINUTE",
        "ORDER_RATE_PER_MINUTE",
        "LOGIN_RATE_PER_MINUTE",
        "TRUSTED_PROXIES",
        "DATABASE_STATEMENT_TIMEOUT",
    )
    for name in limits:
        if getattr(settings, name) < 0:
            yield _error(5, f"{name} is negative.", "Set it to 0 to switch it off, or to a positive number.")
    for name in ("SESSION_EXPIRE_HOURS", "SESSION_LAST_ORDER_TIMEOUT_HOURS"):
        if not 0 <= getattr(settings, name) <= LONGEST_SESSION:
            yield _error(22, f"{name} is {getattr(settings, name):g}.", f"Set it to at most {LONGEST_SESSION} hours; 0 is never.")
    for name, most in MOST.items():
        if not 0 < getattr(settings, name) <= most:
            yield _error(6, f"{name} is {getattr(settings, name):g}.", f"Set it to more than 0 and at most {most}.")
    try:
        if settings.REDIS_URL:
            redis.Server(settings.REDIS_URL)  # connects to nothing yet
    except (ValueError, TypeError):
        yield _error(19, "REDIS_URL can't be read.", "Set it to redis://host:6379/0, rediss://... with TLS, or to nothing.")
    # Signed with what is none of these, an image would have no address, and the menu that shows it would be an error.
    for name in ("AWS_S3_ENDPOINT_URL", "AWS_LOGS_ENDPOINT_URL"):
        if getattr(settings, name) and not _is_url(getattr(settings, name), "https", "http"):
            yield _error(23, f"{name} can't be read.", "Set it to https://host or http://host:port, or to nothing for AWS.")
    if not _AWS_REGION.fullmatch(settings.AWS_REGION):
        yield _error(24, f"AWS_REGION is {settings.AWS_REGION!r}.", "Set it to the name of a region, such as ap-northeast-2.")
    if settings.S3_BUCKET_NAME and not _BUCKET.fullmatch(settings.S3_BUCKET_NAME):
        yield _error(25, f"S3_BUCKET_NAME is {settings.S3_BUCKET_NAME!r}.", "Set it to the bucket's name alone: no s3://, no folder.")
    if settings.RABBITMQ_URL and not _is_url(settings.RABBITMQ_URL, "amqp", "amqps"):
        yield _error(20, "RABBITMQ_URL can't be read.", "Set it to amqp://user:password@host:5672//, amqps://... with TLS, or to nothing.")


@register("production")
def connections_that_do_not_fit(app_configs, **kwargs):
    """Each worker has a pool; streams take theirs from it too."""
    connections = settings.DATABASE_POOLS * settings.DATABASE_POOL_SIZE + settings.RELAY_CONNECTIONS
    limit = settings.DATABASE_CONNECTION_LIMIT
    if settings.DATABASES["default"]["ENGINE"].endswith("postgresql") and connections > limit:
        yield Warning(
            f"This machine may take {connections} database connections (a pool for each worker and for a unit beside this one, the relay).",
            hint=f"Lower one of them, or set DATABASE_CONNECTION_LIMIT (now {limit}) to what the database has for this machine.",
            id="tableorder.W001",
        )


@register("production")
def settings_that_are_unsafe(app_configs, **kwargs):
    if not settings.PRODUCTION:
        return
    if len(settings.SECRET_KEY) < SHORTEST_SECRET or settings.SECRET_KEY == settings.INSECURE_SECRET_KEY:
        yield _error(
            11, "SECRET_KEY is missing, short or the one for development.", f"Set it to {SHORTEST_SECRET} or more random characters."
        )
    if settings.JWT_ALGORITHM == "HS256":
        if len(settings.JWT_SECRET_KEY) < SHORTEST_SECRET:
            yield _error(12, "JWT_SECRET_KEY is missing or short.", f"Set it to {SHORTEST_SECRET} or more random characters.")
        elif settings.JWT_SECRET_KEY == settings.SECRET_KEY:
            yield _error(
                13,
                "JWT_SECRET_KEY is the SECRET_KEY.",
                "Set it to a secret of its own, so that whoever learns one does not have the other.",
            )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield _error(
            14, "ALLOWED_HOSTS is empty or allows every name.", "Set it to the names that the service is reached by, separated by commas."
        )
    for host in settings.ALLOWED_HOSTS:
        if not _HOST.fullmatch(host):
            yield _error(
                14, f"ALLOWED_HOSTS contains {host!r}.", "Names alone, without https://, port or path: else every request is refused."
            )
    for origin in settings.CORS_ALLOWED_ORIGINS:
        if not _is_url(origin, "https") or urlsplit(origin).path or "*" in origin:
            yield _error(
                15, f"CORS_ORIGINS contains {origin!r}.", "List whole https:// origins; “*” and plain http are not safe with tokens."
            )
    if not settings.DATABASE_IS_NAMED:
        yield _error(16, "DATABASE_URL is not set.", "Name the database; the embedded one is for trying out.")
    database = settings.DATABASES["default"]
    remote = database.get("HOST") not in (None, "", "localhost", "127.0.0.1", "::1")
    if remote and not database.get("PASSWORD"):
        yield _error(17, "DATABASE_URL names another machine without a password.", "Put a password into it, or use DATABASE_URL_FILE.")
    if settings.LOG_LEVEL == "DEBUG":
        yield _error(18, "LOG_LEVEL is DEBUG.", "Set it to INFO or above: statements with guests' data would be logged.")


@register(Tags.database)
def names_that_the_database_takes_for_each_other(app_configs, databases, **kwargs):
    """Django runs this with `migrate`, and with `check --database default`."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@collation_database")
        [collation] = cursor.fetchone()
    if not collation.endswith("_bin"):
        yield Warning(
            f"The database's collation is {collation}: to it, names that differ by an accent or by case only are one.",
            hint="ALTER DATABASE ... COLLATE utf8mb4_bin, before the first migrate; tables that are there keep theirs.",
            id="tableorder.W002",
        )


def _key_pair():
    try:
        private = load_pem_private_key(Path(settings.JWT_PRIVATE_KEY_PATH).read_bytes(), password=None)
        public = load_pem_public_key(Path(settings.JWT_PUBLIC_KEY_PATH).read_bytes())
        fits = private.public_key().public_numbers() == public.public_numbers()
    except (OSError, ValueError, TypeError, AttributeError):
        yield _error(
            7, "The keys for RS256 can't be read.", "Set JWT_PRIVATE_KEY_PATH and JWT_PUBLIC_KEY_PATH to PEM files of an RSA key pair."
        )
        return
    if not fits:
        yield _error(8, "JWT_PUBLIC_KEY_PATH does not belong to JWT_PRIVATE_KEY_PATH.", "Make the public key from the private one.")
    if private.key_size < 2048:
        yield _error(9, "The RSA key is shorter than 2048 bits.", "Make one of 2048 bits or more (RFC 7518, section 3.3).")
    if settings.PRODUCTION and Path(settings.JWT_PRIVATE_KEY_PATH).stat().st_mode & 0o007:
        yield _error(10, "Everybody on this machine may read JWT_PRIVATE_KEY_PATH.", "chmod 640 or stricter.")
