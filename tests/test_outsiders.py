"""What anybody can send to the pages, who has no account: nothing of it is an error of ours, or costs much."""

import pytest
from django.test import Client


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
