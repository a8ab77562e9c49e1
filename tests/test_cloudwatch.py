"""CloudWatch Logs gets every line while it is there, and nobody waits for it when it isn't."""

import json
import logging
import os
import time

import pytest

from tableorder import cloudwatch, metrics
from tableorder.logging import JSONLines
from tests.bad_ports import badly_behaved
from tests.own_cloudwatch import GROUP, KEYS, REGION, OwnCloudWatch
from tests.own_redis import free_port
from tests.own_server import OwnServer

NO_TIME = 1  # seconds that 200 lines may take at most, on a very busy machine; a try takes 2
ENDS_WITHIN = 5  # seconds, of which 1.5 are waited; watchtower itself would wait for 30


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cloudwatch, "SEND_EVERY", 0.2)
    monkeypatch.setattr(cloudwatch, "FIRST_PAUSE", 0.2)


def handler_for(endpoint):
    handler = cloudwatch.CloudWatch(group=GROUP, region=REGION, endpoint=endpoint)
    handler.setFormatter(JSONLines())
    return handler


def say(handler, *texts) -> float:
    """Writes these lines; the seconds that the slowest of them took."""
    took = []
    for text in texts:
        began = time.perf_counter()
        handler.handle(logging.LogRecord("tests", logging.INFO, "", 1, str(text), (), None))
        took.append(time.perf_counter() - began)
    return max(took)


def seconds_to_close(handler) -> float:
    began = time.monotonic()
    # As logging.shutdown does it, at the end of a process.
    with handler.lock:
        handler.flush()
        handler.close()
    return time.monotonic() - began


def lost() -> float:
    return metrics.log_lines_dropped.labels("cloudwatch")._value.get()


def test_every_line_arrives_the_last_ones_too():
    with OwnCloudWatch() as cloud:
        cloud.empty()
        handler = handler_for(cloud.endpoint)
        say(handler, "the first")
        cloud.wait_for("the first")
        say(handler, *range(300))
        assert seconds_to_close(handler) < ENDS_WITHIN
        assert len(cloud.lines()) == 301
        (stream,) = cloud.streams()
        assert stream.endswith(f"/{os.getpid()}")


@pytest.mark.parametrize("way", ["hangs", "refuses", "fails"])
def test_a_bad_endpoint_costs_no_start_no_request_and_no_stop(way, recwarn):
    with badly_behaved(way) as (endpoint, _):
        began = time.monotonic()
        handler = handler_for(endpoint)
        assert time.monotonic() - began < 1
        say(handler, "so that it begins to send")
        time.sleep(3.5 if way == "hangs" else 0.5)  # it has given up once
        assert say(handler, *range(200)) < NO_TIME
        assert seconds_to_close(handler) < ENDS_WITHIN
    assert not [warning for warning in recwarn if "Failed to deliver" in str(warning.message)], "the sender let something through"


def test_without_keys_or_a_region_it_starts_all_the_same(monkeypatch):
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    handler = cloudwatch.CloudWatch(group=GROUP, region="", endpoint="")
    handler.setFormatter(JSONLines())
    say(handler, "nobody hears this")
    time.sleep(0.5)
    assert seconds_to_close(handler) < ENDS_WITHIN


def test_what_no_longer_fits_is_dropped_and_counted(monkeypatch):
    monkeypatch.setattr(cloudwatch, "MOST_WAITING", 100)
    monkeypatch.setattr(cloudwatch, "BATCH", 50)
    before = lost()
    with badly_behaved("refuses") as (endpoint, _):
        handler = handler_for(endpoint)
        assert say(handler, *range(1000)) < 5 * NO_TIME
        waiting = 1000 - (lost() - before)
        assert 100 <= waiting <= 200  # a batch is in the hands of the sender already
        seconds_to_close(handler)
        give_up_at = time.monotonic() + 10
        while lost() - before < 1000 and time.monotonic() < give_up_at:
            time.sleep(0.05)
    assert lost() - before == 1000


def test_nothing_is_lost_when_it_was_away_for_a_while():
    port = free_port()
    before = lost()
    with OwnCloudWatch(port) as cloud:
        cloud.empty()
        handler = handler_for(cloud.endpoint)
        say(handler, "before")
        cloud.wait_for("before")
    say(handler, "while it is away")
    time.sleep(1)
    say(handler, *range(500))
    with OwnCloudWatch(port) as cloud:
        cloud.wait_for("while it is away")
        say(handler, "the end")
        cloud.wait_for("the end")
        seconds_to_close(handler)
        assert len(cloud.lines()) == 503
    assert lost() == before


def test_a_batch_that_will_never_be_taken_is_given_up(monkeypatch):
    class Refused(Exception):
        response = {"Error": {"Code": "InvalidParameterException"}}

    def refuse(batch):
        raise Refused

    sender = cloudwatch.Sender(REGION, "")
    monkeypatch.setattr(sender, "_put", refuse)
    before = lost()
    assert sender.put_log_events(logEvents=[{}, {}]) == {}
    assert lost() == before + 2


def test_lines_that_were_taken_but_are_not_kept_are_counted(monkeypatch):
    sender = cloudwatch.Sender(REGION, "")
    monkeypatch.setattr(
        sender, "_put", lambda batch: {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 9}}
    )
    before = lost()
    sender.put_log_events(logEvents=[{}] * 10)
    assert lost() == before + 3


def test_the_trouble_with_it_goes_to_the_other_sinks_only():
    """Else the last batch would wait for the lock that is held by whoever waits for the last batch."""
    with badly_behaved("refuses") as (endpoint, _):
        handler = handler_for(endpoint)
        handler.handle(logging.LogRecord(cloudwatch.__name__, logging.WARNING, "", 1, "can't be reached", (), None))
        assert not handler.queues
        seconds_to_close(handler)


def test_the_lines_of_a_real_server_are_there_when_it_has_stopped(tmp_path):
    with OwnCloudWatch() as cloud:
        cloud.empty()
        target = {"CLOUDWATCH_LOG_GROUP": GROUP, "AWS_LOGS_ENDPOINT_URL": cloud.endpoint}
        with OwnServer(tmp_path, SERVE="api", WEB_CONCURRENCY="2", **KEYS, **target) as server:
            server.until(lambda: server.metrics()["tableorder_workers"] == 2)
            for _ in range(20):
                with pytest.raises(OSError, match="401"):
                    server.get("/api/v1/staff/board")
            server.stop()
        lines = [json.loads(line) for line in cloud.lines()]
        assert len([line for line in lines if line.get("route") == "/api/v1/staff/board"]) == 20
        assert {stream.rpartition("/")[2] for stream in cloud.streams()} <= {str(line["pid"]) for line in lines}
