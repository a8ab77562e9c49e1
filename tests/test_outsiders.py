"""What anybody can send to the pages, who has no account: nothing of it is an error of ours, or costs much."""

import contextlib
import gzip
import json
import logging
import socket

import httpx
import pytest
from django.test import Client

from tests.own_server import OwnServer
from tests.world import PASSWORD


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


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/tablet/nothing.js", 404)])
@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html,application/xhtml+xml,*/*;q=0.8"])
def test_only_who_asks_for_a_page_is_refused_by_one(db, path, status, accept):
    refused = Client(headers={"accept": accept}).get(path)
    assert refused.status_code == status
    assert refused["Content-Type"] == ("text/html; charset=utf-8" if "html" in accept else "application/problem+json")


def test_a_suspicious_request_is_no_line_at_error(caplog, settings):
    """A line at ERROR rings the operators' alarm."""
    settings.ALLOWED_HOSTS = ["testserver"]
    with caplog.at_level(logging.INFO):
        assert Client().post("/admin/login/", {f"field{number}": "" for number in range(1001)}).status_code == 400
        assert Client(headers={"host": "evil.example"}).get("/admin/").status_code == 400
        assert "Host: none of ALLOWED_HOSTS" in caplog.messages and "evil.example" not in caplog.text
        assert Client(enforce_csrf_checks=True).post("/admin/login/").status_code == 403
    assert caplog.records and {record.levelname for record in caplog.records} <= {"INFO", "WARNING"}  # a slow one is a warning


def test_a_sign_in_leads_nowhere_else(ours):
    answer = Client().post("/admin/login/?next=https://evil.example/", {"username": ours.owner.username, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_sign_in_by_https_behind_a_proxy_that_is_not_counted_says_why_in_the_log(caplog):
    """And nothing that came with it."""
    browser = Client(enforce_csrf_checks=True, headers={"origin": "https://secret.example"})
    with caplog.at_level(logging.INFO):
        assert browser.post("/admin/login/").status_code == 403
    assert [record.getMessage() for record in caplog.records if "CSRF" in record.getMessage()] == [
        "CSRF: Origin checking failed (TRUSTED_PROXIES is 0; all proxies in front must be counted)"
    ]
    assert "secret.example" not in caplog.text


@pytest.mark.parametrize("endless", [b"X-Header: " + b"x" * 1000 + b"\r\n", b"x" * 1000])
@pytest.mark.parametrize("serve", ["all", "api", "streams"])
def test_a_head_of_any_length_is_not_kept(tmp_path, serve, endless):
    with OwnServer(tmp_path, SERVE=serve) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Header: ")
        with contextlib.suppress(ConnectionError):  # it hangs up
            for _ in range(1000):
                client.sendall(endless)
            assert client.recv(1000).startswith(b"HTTP/1.1 4")
        assert httpx.get(f"{server.address}/health", headers={"X-Header": "x" * 8000}, timeout=30).status_code == 200


@pytest.mark.parametrize("serve", ["all", "streams"])
def test_what_is_no_http_is_told_as_every_refusal(tmp_path, serve):
    with OwnServer(tmp_path, SERVE=serve) as server, socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"NONSENSE /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head, _, body = b"".join(iter(lambda: client.recv(1000), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"Content-Type: application/problem+json" in head and b"X-Process-Time: " in head
    said = json.loads(body)
    assert said["status"] == 400 and f"X-Request-ID: {said['request_id']}".encode() in head


@pytest.mark.parametrize("serve", ["all", "api"])
def test_a_charset_that_a_request_names_is_no_error_of_ours(tmp_path, serve):
    """Not with more parameters than we take, which are counted with the charset; and not where it is no text."""
    with OwnServer(tmp_path, SERVE=serve) as server, httpx.Client(base_url=server.address, timeout=30) as browser:
        for path in ("/tablet/", "/api/v1/tablet/menu", "/api/v1/staff/events"):
            many = browser.get(
                path, params={f"field{number}": "" for number in range(1001)}, headers={"content-type": "text/plain; charset=utf-8"}
            )
            assert many.status_code < 500, (path, many.text)
        token = browser.get("/admin/login/").cookies["csrftoken"]
        form = "\r\n".join(
            f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
            for name, value in {"csrfmiddlewaretoken": token, "username": "한"}.items()
        )
        for charset in ("hex", "idna", "utf-16"):
            headers = {"content-type": f"multipart/form-data; boundary=part; charset={charset}"}
            answer = browser.post("/admin/login/", content=f"{form}\r\n--part--\r\n".encode(), headers=headers)
            assert answer.status_code == 200 and 'value="한"' in answer.text, charset
    assert '"level":"ERROR"' not in server.output.read_text()


def test_the_tablets_page_comes_compressed_to_whoever_takes_it(client):
    plain = client.get("/tablet/main.js")
    packed = client.get("/tablet/main.js", headers={"accept-encoding": "br, gzip"})
    assert (packed["Content-Encoding"], gzip.decompress(packed.content)) == ("gzip", plain.content)
    assert "Content-Encoding" not in client.get("/tablet/main.js", headers={"accept-encoding": "gzip;q=0"})
    assert client.get("/tablet/main.js", headers={"if-none-match": plain["ETag"]}).status_code == 304
