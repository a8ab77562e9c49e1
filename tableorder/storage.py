"""Images in a private S3 bucket, read by signed addresses that stay the same for hours.

An address signed anew with every answer could not be cached by anybody. So all are signed as of the beginning of the
present window of `WINDOW`, and hold for twice as long: whoever gets one has at least a window left. With the
passing credentials of a machine's role an address ends with them at the latest; they too are part of `epoch`.
"""

import logging
import time
from datetime import UTC, datetime
from functools import cached_property

from botocore import UNSIGNED
from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

from .errors import Unavailable

log = logging.getLogger(__name__)

WINDOW = 6 * 3600  # seconds
ASK_AGAIN = 30  # seconds after which credentials that were not to be had are asked for once more: that takes a second or two


class _SignedAsOf(S3SigV4QueryAuth):
    """Botocore's signature, as of a given time instead of now."""

    def __init__(self, at, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._at = at

    def add_auth(self, request):
        request.context["timestamp"] = self._at.strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        to_sign = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(to_sign, request))


class SignedStorage(S3Storage):
    _not_before = float("-inf")

    def url(self, name, parameters=None, expire=None, http_method=None):
        """Made without asking S3. Raises Unavailable without credentials, as `epoch` does."""
        at = datetime.fromtimestamp(_window() * WINDOW, tz=UTC)
        where = {"Bucket": self.bucket_name, "Key": self._normalize_name(clean_name(name))}
        request = AWSRequest("GET", self._unsigned.generate_presigned_url("get_object", Params=where))
        _SignedAsOf(at, self._credentials(), "s3", self.region_name, expires=2 * WINDOW).add_auth(request)
        return request.url

    def epoch(self) -> str:
        """Changes when addresses do: what was made with them must not be kept beyond."""
        return f"{_window():x}-{self._credentials().access_key[-6:]}"

    # Once a process and not, as django-storages does, once a thread: under ASGI each request has a thread of its own,
    # and a session takes 50 ms to make. Sessions' credentials and clients may be shared among threads.

    @cached_property
    def _session(self):
        return self._create_session()

    @cached_property
    def _unsigned(self):
        config = self.client_config.merge(Config(signature_version=UNSIGNED))
        return self._session.client("s3", region_name=self.region_name, endpoint_url=self.endpoint_url, config=config)

    def _credentials(self):
        """As they are now; those of a machine's role renew themselves."""
        if time.monotonic() < self._not_before:
            raise Unavailable()
        try:
            return self._session.get_credentials().get_frozen_credentials()
        except Exception as error:  # there are none (then it is None), or they have run out and can't be renewed
            self._not_before = time.monotonic() + ASK_AGAIN
            log.error("no credentials for S3, so dishes have no pictures", exc_info=error)
            raise Unavailable() from error


def _window() -> int:
    return int(datetime.now(tz=UTC).timestamp()) // WINDOW
