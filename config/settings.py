"""All settings, read from the environment, in reading order. `.env.example` says what each variable means.

Everything is optional in development. What is unsafe in production is refused by `config/checks.py`.
"""

import sys
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from tableorder.logging import configuration

from .environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
Environment.read_env(BASE_DIR / ".env")


# --- Where we are -----------------------------------------------------------------------------------------------

ENVIRONMENT = env.str("ENVIRONMENT", default="development")
PRODUCTION = ENVIRONMENT != "development"  # a misspelt name must not open the doors; checks.py refuses it
DEBUG = False  # an error page with settings on it helps nobody in a restaurant; the log has the traceback
TESTING = "pytest" in sys.modules

INSECURE_SECRET_KEY = "insecure-for-development-only-" + "0" * 32
SECRET_KEY = env.str("SECRET_KEY", default=INSECURE_SECRET_KEY)  # refused in production
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", cast=str.strip, default=[] if PRODUCTION else ["*"])
CORS_ORIGINS = env.str("CORS_ORIGINS", default=env.str("FRONTEND_URL", default=""))
CORS_ALLOWED_ORIGINS = [origin.strip().rstrip("/") for origin in CORS_ORIGINS.split(",") if origin.strip()]
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id", "x-request-id"]
CORS_EXPOSE_HEADERS = [
    *("ETag", "Idempotent-Replayed", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
    *("Retry-After", "X-Process-Time", "X-Request-ID"),
]
CORS_URLS_REGEX = r"^/api/"
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)  # how many proxies of ours stand in front

# --- The program ------------------------------------------------------------------------------------------------

API_PREFIX = "/api/"
SERVE = env.str("SERVE", default="all")

INSTALLED_APPS = [
    "config.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "adminsortable2",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.apps.ProjectConfig",
    "stores",
    "menus",
    "sessions_app",
    "orders",
]

MIDDLEWARE = [
    "tableorder.middleware.RequestEnvelope",
    "tableorder.middleware.Operations",
    "django.middleware.security.SecurityMiddleware",
    "tableorder.pages.StaticFiles",
    "corsheaders.middleware.CorsMiddleware",
    "tableorder.pages.Sessions",
    "tableorder.middleware.Language",
    "tableorder.screens.PagePolicy",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "tableorder.pages.People",
    "tableorder.pages.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Data -------------------------------------------------------------------------------------------------------

DATABASE_IS_NAMED = bool(env.str("DATABASE_URL", default=""))
# Connections: every process has a pool of its own, the relay has one connection. Together they stay within what one
# machine may take of a small database (checks.py adds them up).
DATABASE_CONNECTION_LIMIT = env.int("DATABASE_CONNECTION_LIMIT", default=15)
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=1)
DATABASE_POOLS = WEB_CONCURRENCY + (SERVE != "all")  # one at least of the other unit, whose settings nobody knows here
RELAY_CONNECTIONS = 1
DATABASE_POOL_SIZE = env.int(
    "DATABASE_POOL_SIZE", default=max(2, min(4, (DATABASE_CONNECTION_LIMIT - RELAY_CONNECTIONS) // max(1, DATABASE_POOLS)))
)
# A request gives up before its client does; manage.py sets 0, for a migration or a purge takes its time.
DATABASE_STATEMENT_TIMEOUT = env.float("DATABASE_STATEMENT_TIMEOUT", default=4)  # seconds
DATABASE_LOCK_TIMEOUT = 3  # seconds
DATABASES = {"default": env.db_url_config(env.str("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'data' / 'tableorder.sqlite3'}"))}
database = DATABASES["default"]
match database.get("ENGINE", "").rpartition(".")[2]:
    case "sqlite3":
        # IMMEDIATE: a deferred transaction that reads and then writes fails under load instead of waiting.
        # WAL: readers and the one writer don't wait for each other.
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        if database["NAME"] and database["NAME"] != ":memory:":
            Path(database["NAME"]).parent.mkdir(parents=True, exist_ok=True)
            database["TEST"] = {"NAME": f"{database['NAME']}.test"}  # threads share a file, not a memory
    case "postgresql":
        from psycopg import Connection

        from tableorder.patience import PatientConnection

        # A pool, because under ASGI each request has its own thread and CONN_MAX_AGE would leak connections.
        limits = {"lock_timeout": DATABASE_LOCK_TIMEOUT}
        if not TESTING:  # a test may think for long, and dropping a test database takes its time
            limits |= {"idle_in_transaction_session_timeout": 10, "statement_timeout": DATABASE_STATEMENT_TIMEOUT}
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "pool": {
                "min_size": 1,
                "max_size": DATABASE_POOL_SIZE,
                "timeout": 3,  # seconds to wait for a free connection: then 503, not a queue that outlives its clients
                "reconnect_timeout": 10,
                "connection_class": PatientConnection if DATABASE_STATEMENT_TIMEOUT and not TESTING else Connection,
            },
            "server_side_binding": True,
            "prepare_threshold": 5,
            "connect_timeout": 2,
            # Dates as ISO 8601 has them, whatever the server is set to: stores/journal.py writes one into a text.
            "options": " ".join(["-c datestyle=ISO", *(f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items())]),
            "keepalives_idle": 10,
            "tcp_user_timeout": 5000,
        }
    case "mysql":
        try:
            import pymysql
        except ImportError as error:
            raise ImproperlyConfigured("MySQL needs its driver: pip install -r requirements-mysql.txt") from error

        pymysql.install_as_MySQLdb()
        # Keys and names differ by the byte, as on the other databases: binary collation in new databases.
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "connect_timeout": 2,
            "read_timeout": 10 if DATABASE_STATEMENT_TIMEOUT else None,
            "init_command": f"SET innodb_lock_wait_timeout={DATABASE_LOCK_TIMEOUT}",
            # Within one machine encryption protects from nobody, and PyMySQL reads all authorities for each connection.
            "ssl_disabled": database["HOST"] in ("localhost", "127.0.0.1"),
        }
        database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    case _:  # without saying what it is: there may be a password in it
        raise ImproperlyConfigured("DATABASE_URL can't be read: set it to postgres://..., mysql://... or sqlite:///path.")

REDIS_URL = env.str("REDIS_URL", default="")  # off when empty: tableorder/redis.py
RABBITMQ_URL = env.str("RABBITMQ_URL", default="")  # off when empty: tableorder/broker.py

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "stores.User"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

MEDIA_URL = "/media/"
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(BASE_DIR / "media"))
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o755  # Nginx reads pictures as another user, and our units have UMask=0027
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)  # WhiteNoise warns at every start about one that isn't there
# Served from the packages until `collectstatic` has run.
WHITENOISE_USE_FINDERS = not (PRODUCTION and (STATIC_ROOT / "staticfiles.json").exists())
WHITENOISE_AUTOREFRESH = not PRODUCTION  # whoever changes a file sees it, and no test client has to list them all first
AWS_REGION = env.str("AWS_REGION", default="ap-northeast-2")
S3_BUCKET_NAME = env.str("S3_BUCKET_NAME", default="")  # local files when empty
AWS_S3_ENDPOINT_URL = env.str("AWS_S3_ENDPOINT_URL", default="")
IMAGE_ORIGINS = []  # where else a page may load images from
images = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
if S3_BUCKET_NAME:
    from botocore.config import Config

    IMAGE_ORIGINS = [AWS_S3_ENDPOINT_URL or f"https://{S3_BUCKET_NAME}.s3.{AWS_REGION}.amazonaws.com"]
    images = {
        "BACKEND": "tableorder.storage.SignedStorage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET_NAME,
            "region_name": AWS_REGION,
            "endpoint_url": AWS_S3_ENDPOINT_URL or f"https://s3.{AWS_REGION}.amazonaws.com",
            "default_acl": None,  # the bucket is private and takes no ACLs
            "file_overwrite": True,  # names are random: looking whether one is taken would be a request for nothing
            "object_parameters": {"CacheControl": "private, max-age=31536000, immutable"},
            # An upload answers within 5 s, whatever S3 does.
            "client_config": Config(
                signature_version="s3v4",
                connect_timeout=1,
                read_timeout=1.5,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path" if AWS_S3_ENDPOINT_URL else "virtual"},
            ),
        },
    }
STORAGES = {
    "default": images,
    "staticfiles": {
        "BACKEND": "tableorder.pages.CollectedFiles" if PRODUCTION else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Tokens and limits ------------------------------------------------------------------------------------------

JWT_ALGORITHM = env.str("JWT_ALGORITHM", default="HS256")
JWT_SECRET_KEY = env.str("JWT_SECRET_KEY", default="" if PRODUCTION else SECRET_KEY)
JWT_PRIVATE_KEY_PATH = env.str("JWT_PRIVATE_KEY_PATH", default="")
JWT_PUBLIC_KEY_PATH = env.str("JWT_PUBLIC_KEY_PATH", default="")
JWT_EXPIRE_HOURS = env.float("JWT_EXPIRE_HOURS", default=env.float("JWT_EXPIRATION_HOURS", default=16))
TABLET_REFRESH_DAYS = env.float("TABLET_REFRESH_DAYS", default=90)


def key_file(path):
    """The key, or nothing: what is missing is reported by checks.py with a hint."""
    try:
        return Path(path).read_text() if path else ""
    except OSError:
        return ""


SIMPLE_JWT = {
    "ALGORITHM": JWT_ALGORITHM,
    "SIGNING_KEY": JWT_SECRET_KEY if JWT_ALGORITHM == "HS256" else key_file(JWT_PRIVATE_KEY_PATH),
    "VERIFYING_KEY": "" if JWT_ALGORITHM == "HS256" else key_file(JWT_PUBLIC_KEY_PATH),
    "AUDIENCE": "tableorder",
    "ISSUER": "tableorder",
    "ACCESS_TOKEN_LIFETIME": timedelta(hours=JWT_EXPIRE_HOURS),
    # The clock of the machine that made a token may be ahead. It would be refused until ours has caught up, and a tablet
    # that is refused signs itself out. When a token ends, stores/auth.py says to the second.
    "LEEWAY": 300,  # seconds
}

SESSION_EXPIRE_HOURS = env.float("SESSION_EXPIRE_HOURS", default=16)
SESSION_LAST_ORDER_TIMEOUT_HOURS = env.float("SESSION_LAST_ORDER_TIMEOUT_HOURS", default=2)
HISTORY_RETENTION_MONTHS = env.int("HISTORY_RETENTION_MONTHS", default=6)
JOURNAL_RETENTION_DAYS = env.float("JOURNAL_RETENTION_DAYS", default=7)
RATE_LIMIT_PER_MINUTE = env.int("RATE_LIMIT_PER_MINUTE", default=100)
ORDER_RATE_PER_MINUTE = env.int("ORDER_RATE_PER_MINUTE", default=20)
LOGIN_RATE_PER_MINUTE = env.int("LOGIN_RATE_PER_MINUTE", default=120)

# --- The API ----------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["tableorder.api.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tableorder.api.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "tableorder.api.AlwaysJSON",
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],  # closed; Endpoint opens what it declares
    "DEFAULT_SCHEMA_CLASS": "tableorder.openapi.Schema",
    "EXCEPTION_HANDLER": "tableorder.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Table Order",
    "DESCRIPTION": (BASE_DIR / "config" / "api.md").read_text(encoding="utf-8"),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": f"{API_PREFIX}v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "DEFAULT_GENERATOR_CLASS": "tableorder.openapi.Document",
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # what a PATCH may leave out, its serializer says
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tableorder.openapi.with_manners",
        "config.document.with_facts_and_events",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
}

# --- Languages and times ----------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"

# --- Safety of the browser pages --------------------------------------------------------------------------------

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_ENGINE = "tableorder.browser_sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_FAILURE_VIEW = "tableorder.api.stale_page"
SESSION_COOKIE_AGE = int(JWT_EXPIRE_HOURS * 3600)
SECURE_HSTS_SECONDS = 31536000 if PRODUCTION else 0
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    # Nginx redirects to HTTPS. Here it would also redirect the load balancer's health checks, and a token that was sent
    # in the clear is already read.
    "security.W008",
    # Of the names below and beside ours we know nothing: they may speak plain HTTP, and no browser takes it back for a year.
    "security.W005",
    "security.W021",
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes 0.3 s a test person

# --- Logging ----------------------------------------------------------------------------------------------------

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
# Asked all day by machines, or files: lines only at DEBUG, or if they fail.
QUIET_ROUTES = {"/health", "/health/ready", "/metrics", STATIC_URL, "/media/<path:path>", "/tablet/", "/tablet/<path:path>", "/favicon.ico"}
LOG_FILE = env.str("LOG_FILE", default="")  # beside stdout; rotated at 50 MB
CLOUDWATCH_LOG_GROUP = env.str("CLOUDWATCH_LOG_GROUP", default="")  # and here; off when empty
AWS_LOGS_ENDPOINT_URL = env.str("AWS_LOGS_ENDPOINT_URL", default="")  # AWS itself when empty
LOGGING = configuration(
    level=LOG_LEVEL,
    file=LOG_FILE,
    cloudwatch=CLOUDWATCH_LOG_GROUP and {"group": CLOUDWATCH_LOG_GROUP, "region": AWS_REGION, "endpoint": AWS_LOGS_ENDPOINT_URL},
    secrets=[SECRET_KEY, JWT_SECRET_KEY, database.get("PASSWORD", "")],
)
