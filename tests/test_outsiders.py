"""What anybody can send to the pages, who has no account: nothing of it is an error of ours, or costs much."""

import logging

import httpx
import pytest
from django.test import Client

from config.asgi import LARGEST_BODY
from tests.own_server import OwnServer


@pytest.mark.parametrize("key", [r"\000\000\000\000\000\000\000\000", "../../../../etc", r"\303\251\303\251\303\251\303\251"])
def test_a_cookie_that_is_no_session_is_not_looked_up(db, django_assert_num_queries, key):
    browser = Client()
    browser.cookies.load(f'sessionid="{key}"')
    with django_assert_num_queries(0):
        assert browser.get("/admin/").status_code == 302
        assert browser.get("/admin/board/").status_code == 302


def test_a_name_too_long_for_a_file_is_not_there(client):
    for path in (f"/tablet/{'x' * 300}.js", f"/tablet/{'x' * 300}/main.js", f"/tablet/{'한' * 100}.js", "/tablet/%00.js"):
        assert client.get(path).status_code == 404, path


def test_a_suspicious_request_is_no_line_at_error(caplog, settings):
    """A line at ERROR rings the operators' alarm."""
    settings.ALLOWED_HOSTS = ["testserver"]
    with caplog.at_level(logging.INFO):
        assert Client().post("/admin/login/", {f"field{number}": "" for number in range(1001)}).status_code == 400
        assert Client(headers={"host": "evil.example"}).get("/admin/").status_code == 400
        assert Client(enforce_csrf_checks=True).post("/admin/login/").status_code == 403
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_a_body_of_any_length_is_not_kept(tmp_path):
    """Under ASGI Django would first put it on the disk, whole."""
    with OwnServer(tmp_path, SERVE="all") as server:
        for path in ("/api/v1/staff/login", "/admin/login/", "/health"):
            for said in ({}, {"Content-Length": str(LARGEST_BODY + 1)}):
                answer = httpx.post(server.address + path, content=iter([bytes(LARGEST_BODY), b"x"]), headers=said, timeout=30)
                assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE"), (path, said)
        assert httpx.post(server.address + path, content=bytes(LARGEST_BODY), timeout=30).status_code == 405
