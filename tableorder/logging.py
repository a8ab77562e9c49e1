"""Structured logs: one JSON object a line, the same on every sink.

A line says when, how grave, who speaks and what, and of which request: its id, store, table or person, route (the
pattern, not the address with its ids), status, milliseconds, SQL statements. Nothing else gets out: fields are
named here, so a body, a header or a query string that somebody attaches to a record is not written. What stands
in the texts themselves goes through `redacted`, the second wall.

Sinks: stdout always; a file that rotates itself; CloudWatch Logs (tableorder/cloudwatch.py). A sink that fails
loses lines, which are counted, and never a request.

No Django here, and nothing of ours at the top: gunicorn.conf.py reads this file alone, for its master process.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from pythonjsonlogger.core import BaseJsonFormatter

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LONGEST_MESSAGE = 2_000  # characters
LONGEST_EXCEPTION = 6_000  # a line is then one `write` for stdout too, whose buffer holds 8 KB

MOST_LOOKED_AT = 100_000  # what is longer is cut before anything else

FILE_BYTES = 50_000_000  # LOG_FILE is rotated at this size: 300 MB with those that are kept
FILES_KEPT = 5

log = logging.getLogger(__name__)

# Our lines don't tell where in the code, and by which thread: docs.python.org/3/howto/logging.html, "Optimization".
logging._srcfile = None
logging.logThreads = False

# --- What is known about the request under way --------------------------------------------------------------------

_facts: ContextVar[dict | None] = ContextVar("facts_of_the_request", default=None)


@contextlib.contextmanager
def of_request(facts: dict):
    """Every line that is written meanwhile tells these facts, with what `about` adds to them.

    They are written as they are: nothing of a body, a header or a query string belongs there.
    """
    token = _facts.set(facts)
    try:
        yield
    finally:
        _facts.reset(token)


def about(**facts):
    """More is known about the request: whose it is. Outside of one, nothing happens."""
    known = _facts.get()
    if known is not None:
        known.update(facts)


# --- The line -----------------------------------------------------------------------------------------------------

_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode  # ASCII: no sink can choke on a character


class JSONLines(BaseJsonFormatter):
    """A record as one line of JSON. `secrets`: values that must not appear wherever they come from."""

    def __init__(self, secrets=()):
        super().__init__()
        # Short ones would be found in ordinary words.
        exact = sorted({secret for secret in secrets if secret and len(secret) >= 8}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, exact))) if exact else None

    def format(self, record):
        line = record.__dict__.get("_line")  # made once for all sinks
        if line is None:
            try:
                record.getMessage()
            except Exception:  # a mistake in a call of the log must not lose what it wanted to say
                record.msg, record.args = f"{record.msg} (with other arguments)", ()
            line = record._line = super().format(record)
        return line

    def add_fields(self, log_data, record, message_dict):
        log_data["time"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["pid"] = record.process
        log_data["message"] = self._clean(record.message, LONGEST_MESSAGE)
        log_data |= _facts.get() or {}
        if "exc_info" in message_dict:
            log_data["exception"] = self._clean(message_dict["exc_info"], LONGEST_EXCEPTION)
        if "stack_info" in message_dict:
            log_data["stack"] = self._clean(message_dict["stack_info"], LONGEST_EXCEPTION)

    def jsonify_log_record(self, log_data):
        return _encode(log_data)

    def _clean(self, text, longest):
        text = _cut(text, MOST_LOOKED_AT)
        if self._secrets:
            text = self._secrets.sub(REDACTED, text)
        return _cut(redacted(text), longest)


def _cut(text, longest):
    """Of an exception the end says most."""
    return text if len(text) <= longest else f"{text[: longest // 4]} [...] {text[-(longest - longest // 4) :]}"


# --- Nothing secret -----------------------------------------------------------------------------------------------

REDACTED = "[redacted]"

_WORDS = (
    "passw passphrase pwd secret token authorization cookie csrf session_id sessionid session_key api_key apikey access_key private_key"
)
_SIGNS = ("eyj", "bearer", "basic", "://", "$", "-----begin", "failing row", *_WORDS.split())
# Nothing here may begin with a repetition or repeat without a bound before something that can fail: a long text made
# for it would take minutes.
_NAME = rf"(?:{_WORDS.replace(' ', '|')})[\w-]{{0,30}}"
_SHAPES = [
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in [
        (r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)", re.DOTALL, REDACTED),
        (r"eyJ[\w-]+(?:\.[\w-]*)*", 0, REDACTED),  # JWT: base64 of {"
        # A name and its value, to the end of the line: nobody knows which quotes and commas are the value's own.
        # With a colon only if it is quoted, a header, or no TokenError: in a traceback that is what went wrong.
        (rf"({_NAME}\s{{0,5}}=\s{{0,5}})[^\n]+", re.IGNORECASE, rf"\1{REDACTED}"),
        (rf"({_NAME}\\{{0,9}}[\"')]\s{{0,5}}[:=]\s{{0,5}})[^\n]+", re.IGNORECASE, rf"\1{REDACTED}"),
        (r"((?:cookie|authorization|csrftoken)\s{0,5}:\s{0,5})[^\n]+", re.IGNORECASE, rf"\1{REDACTED}"),
        (rf"((?:{_WORDS.replace(' ', '|')})[a-z_-]{{0,30}}\s{{0,5}}:\s{{0,5}})[^\n]+", 0, rf"\1{REDACTED}"),
        (r"\b(bearer|basic)\s{1,5}[^\s\"',;]+", re.IGNORECASE, rf"\1 {REDACTED}"),
        (r"(?<=://)[^\s:@/]{0,100}:\S{0,300}(?=@)", 0, REDACTED),  # scheme://user:password@host
        (r"\b(?:pbkdf2_\w{1,20}|md5|argon2\w{0,20}|bcrypt\w{0,20}|scrypt)\$[^\s'\",)]+", 0, REDACTED),  # hashes of passwords
        (r"(failing row contains) [^\n]*", re.IGNORECASE, rf"\1 {REDACTED}"),  # PostgreSQL shows the whole row
    ]
]


def redacted(text: str) -> str:
    """The text without what looks like a secret. Rather too little is left of it than too much."""
    small = text.lower()
    if any(sign in small for sign in _SIGNS):  # twenty times as quick as one pattern of all
        for shape, replacement in _SHAPES:
            text = shape.sub(replacement, text)
    return text


class WithoutRequest(logging.Filter):
    """Servers quote the request that they could not read or handle: its address, its headers."""

    def filter(self, record):
        if isinstance(record.msg, str) and record.msg.startswith(("Invalid request", "Error handling request")):
            record.msg, record.args = record.msg.partition(":")[0].partition(" %s")[0], ()
        return True


class OnlyExceptions(logging.Filter):
    """Django says of every refused request that it was refused; there is a line about each request already."""

    def filter(self, record):
        record.msg, record.args = "unexpected error", ()
        return bool(record.exc_info)


# --- Where lines go -----------------------------------------------------------------------------------------------


def dropped(sink: str, lines: int = 1):
    """These lines are lost. Must not raise, and must not log: whoever calls is busy with that."""
    with contextlib.suppress(Exception):
        from .metrics import log_lines_dropped  # not at the top: see there

        log_lines_dropped.labels(sink).inc(lines)


class Stdout(logging.StreamHandler):
    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stdout  # what it is now

    def handleError(self, record):  # the one of the library prints the record with its arguments
        dropped("stdout")


class LogFile(logging.Handler):
    """Appends to a file that several processes write, and rotates it when it is full: path, path.1, path.2 ...

    `RotatingFileHandler` loses lines with several processes: each renames the file for itself, and what another
    one has just begun is overwritten. Here a line is one `write` with O_APPEND, which the kernel does in one
    piece; the one process that holds the lock of the full file renames it; the others see with their next line
    that the name leads to another file. A line that is written into a file just renamed is in that file. The same
    makes it get on with logrotate, which is not needed.
    """

    def __init__(self, path, max_bytes: int = FILE_BYTES, kept: int = FILES_KEPT):
        super().__init__()
        self._path, self._max_bytes, self._kept = os.fspath(path), max_bytes, kept
        self._file: int | None = None
        self._failing = False

    def emit(self, record):
        try:
            line = (self.format(record) + "\n").encode()
            file = self._current()
            if os.fstat(file).st_size + len(line) > self._max_bytes:
                with contextlib.suppress(OSError):  # it may be written but not renamed: then it goes on growing
                    self._rotate(file)
                file = self._current()
            if os.write(file, line) < len(line):
                raise OSError("the disk is full")
            self._failing = False
        except Exception:
            self.handleError(record)

    def handleError(self, record):
        dropped("file")
        if not self._failing:
            self._failing = True  # before the next line: it comes here too
            log.error("LOG_FILE can't be written: %s", sys.exc_info()[1])

    def close(self):
        with self.lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None
        super().close()

    def _current(self) -> int:
        """The file that has the name now."""
        if self._file is not None and not self._has_the_name(self._file):
            os.close(self._file)
            self._file = None
        if self._file is None:
            self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        return self._file

    def _has_the_name(self, file) -> bool:
        try:
            return os.path.samestat(os.fstat(file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _rotate(self, file):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process is at it
        try:
            if self._has_the_name(file):
                for number in range(self._kept - 1, 0, -1):
                    with contextlib.suppress(FileNotFoundError):
                        os.replace(f"{self._path}.{number}", f"{self._path}.{number + 1}")
                os.replace(self._path, f"{self._path}.1")
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def configuration(*, level: str, file: str = "", cloudwatch: dict | None = None, secrets=()) -> dict:
    """What `logging.config.dictConfig` takes. `cloudwatch`: group, region, endpoint."""
    handlers = {"stdout": {"class": "tableorder.logging.Stdout", "formatter": "lines"}}
    if file:
        handlers["file"] = {"class": "tableorder.logging.LogFile", "path": file, "formatter": "lines"}
    if cloudwatch:
        handlers["cloudwatch"] = {"class": "tableorder.cloudwatch.CloudWatch", **cloudwatch, "formatter": "lines"}
    quiet = {"handlers": [], "level": "CRITICAL", "propagate": False}
    own_lines = {"handlers": [], "propagate": True}  # without the handlers that the library gives it
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": "tableorder.logging.JSONLines", "secrets": secrets}},
        "filters": {
            "without_request": {"()": "tableorder.logging.WithoutRequest"},
            "only_exceptions": {"()": "tableorder.logging.OnlyExceptions"},
        },
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level if level in LEVELS else "INFO"},  # checks.py refuses others
        "loggers": {
            "django": own_lines,
            "django.request": {"level": "ERROR", "filters": ["only_exceptions"]},
            # Of requests that are refused as such, at ERROR, and quotes their Host and Referer. The line about each has the 400.
            "django.security": quiet,
            "django.db.backends": {"level": "INFO"},  # DEBUG writes statements with their values
            "django.server": quiet,
            "gunicorn.error": own_lines | {"level": "INFO", "filters": ["without_request"]},
            "gunicorn.access": quiet,
            "uvicorn.error": own_lines | {"level": "INFO"},
            "uvicorn.access": quiet,
            # DEBUG writes signed requests, INFO where the keys were found.
            **{name: {"level": "WARNING"} for name in ("boto3", "botocore", "s3transfer", "urllib3", "amqp", "kombu")},
        },
    }
