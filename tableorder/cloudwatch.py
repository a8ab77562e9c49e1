"""Lines to CloudWatch Logs, by watchtower, without ever waiting for it.

watchtower's handler puts a line into a queue, from which a thread of its own sends batches. Three things are
otherwise here: the queue has a bound, beyond which lines are dropped and counted; a batch is kept until it is
taken instead of being thrown away after five tries at once; and the end of the process waits 1.5 s and not 30 s.
Only imported when CLOUDWATCH_LOG_GROUP is set.
"""

import contextlib
import functools
import logging
import threading
import warnings

import watchtower

from .logging import dropped

log = logging.getLogger(__name__)

MOST_WAITING = 10_000  # lines, some 0.5 KB each: several minutes of a busy restaurant
BATCH = 1_000  # lines sent at once
SEND_EVERY = 5  # seconds
GOODBYE = 1.5  # seconds that the end of the process waits for the last batch
CONNECT_TIMEOUT, READ_TIMEOUT = 1, 2  # seconds
FIRST_PAUSE, LAST_PAUSE = 1, 30  # seconds between tries

warnings.simplefilter("ignore", watchtower.WatchtowerWarning)  # what it says to stderr stands in the log and is counted


class CloudWatch(watchtower.CloudWatchLogHandler):
    """One log stream a process: `<machine>/<process id>`."""

    FLUSH_TIMEOUT = GOODBYE

    def __init__(self, group: str, region: str, endpoint: str = ""):
        self._sender = Sender(region, endpoint)
        super().__init__(
            log_group_name=group,
            log_stream_name="{machine_name}/{process_id}",
            send_interval=SEND_EVERY,
            max_batch_count=BATCH,
            boto3_client=self._sender,
            # The group belongs to whoever sets up the account; asking for it would be a call before the start.
            create_log_group=False,
        )
        # What the sender says of its troubles goes to the other sinks. Here it would wait for the lock that is held
        # while `close` waits for the sender.
        self.addFilter(lambda record: record.name != __name__)

    def emit(self, record):
        if sum(queue.qsize() for queue in self.queues.values()) >= MOST_WAITING:
            dropped("cloudwatch")
        else:
            super().emit(record)

    def handleError(self, record):  # the one of the library prints the record with its arguments
        dropped("cloudwatch")

    def flush(self):
        """Nothing: `close` sends what is left, and waits only once."""

    def close(self):
        self._sender.end()
        super().close()


class Sender:
    """What watchtower takes for its client of AWS, as far as it calls it. Never raises.

    The real one is made when the first batch is ready, in watchtower's thread: nothing that is wrong with it, or
    with the way to it, keeps the program from starting.
    """

    def __init__(self, region: str, endpoint: str):
        self._region, self._endpoint = region, endpoint
        self._ending = threading.Event()

    def end(self):
        """From now on each batch is tried once."""
        self._ending.set()

    @functools.cached_property
    def _client(self):
        import boto3
        from botocore.config import Config

        timeouts = Config(connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1})
        return boto3.session.Session().client(
            "logs", region_name=self._region or None, endpoint_url=self._endpoint or None, config=timeouts
        )

    def put_log_events(self, **batch):
        pause = 0
        while True:
            try:
                answer = self._put(batch)
            except Exception as error:  # whatever it is: the lines wait, and those that no longer fit are dropped
                if _is_hopeless(error) or self._ending.is_set():
                    log.warning("CloudWatch Logs does not take %s lines: %s", len(batch["logEvents"]), type(error).__name__)
                    dropped("cloudwatch", len(batch["logEvents"]))
                    return {}
                if not pause:
                    log.warning("CloudWatch Logs can't be reached, trying again: %s", type(error).__name__)
                pause = min(2 * pause or FIRST_PAUSE, LAST_PAUSE)
                self._ending.wait(pause)
            else:
                if pause:
                    log.info("CloudWatch Logs is back")
                dropped("cloudwatch", _rejected(answer, len(batch["logEvents"])))
                return {}  # without the sequence token, which is no longer asked for

    def _put(self, batch):
        try:
            return self._client.put_log_events(**batch)
        except self._client.exceptions.ResourceNotFoundException:
            with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):
                self._client.create_log_stream(logGroupName=batch["logGroupName"], logStreamName=batch["logStreamName"])
            return self._client.put_log_events(**batch)


def _is_hopeless(error) -> bool:
    """Would the same batch be refused for ever?"""
    response = getattr(error, "response", None) or {}
    return response.get("Error", {}).get("Code") == "InvalidParameterException"


def _rejected(answer, lines: int) -> int:
    """Of so many lines, those that were taken but will not be kept: too old, or from the future."""
    rejected = answer.get("rejectedLogEventsInfo") or {}
    too_old = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
    return too_old + lines - rejected.get("tooNewLogEventStartIndex", lines)
