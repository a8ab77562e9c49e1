"""A CloudWatch Logs of our own, spoken to over HTTP, and ports that treat a client badly."""

import contextlib
import logging
import time

import boto3
from moto.server import ThreadedMotoServer

GROUP = "/tableorder/test"
REGION = "ap-northeast-2"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class OwnCloudWatch:
    """Started on entry, ended on exit."""

    def __init__(self, port: int = 0):
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)

    def __enter__(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line about each line would have no end
        self._server.start()
        self.port = self._server.get_host_and_port()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        keys = {name.lower(): value for name, value in KEYS.items()}
        self._client = boto3.session.Session().client("logs", region_name=REGION, endpoint_url=self.endpoint, **keys)
        with contextlib.suppress(self._client.exceptions.ResourceAlreadyExistsException):  # the state outlives the server
            self._client.create_log_group(logGroupName=GROUP)
        return self

    def __exit__(self, *error):
        self._server.stop()

    def streams(self) -> list[str]:
        return [stream["logStreamName"] for stream in self._client.describe_log_streams(logGroupName=GROUP)["logStreams"]]

    def lines(self) -> list[str]:
        pages = self._client.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
        return [event["message"] for page in pages for event in page["events"]]

    def empty(self):
        self._client.delete_log_group(logGroupName=GROUP)
        self._client.create_log_group(logGroupName=GROUP)

    def wait_for(self, text: str, patience: float = 60) -> list[str]:
        """The lines, when one of them has this text."""
        give_up_at = time.monotonic() + patience
        while True:
            lines = self.lines()
            if any(text in line for line in lines):
                return lines
            assert time.monotonic() < give_up_at, f"{text!r} never came"
            time.sleep(0.3)  # it is this process that answers, too
