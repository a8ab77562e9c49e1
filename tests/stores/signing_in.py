"""Signing in over HTTP, and whether a token still lets in."""

from tests.world import PASSWORD, TABLE_PASSWORD, Caller, problem

STAFF, TABLET, REFRESH = "staff/login", "tablet/login", "tablet/refresh"


def as_staff(world, **changed) -> dict:
    return {"store": world.store.code, "username": world.manager.username, "password": PASSWORD} | changed


def as_tablet(world, **changed) -> dict:
    return {"store": world.store.code, "table": world.table.number, "password": TABLE_PASSWORD} | changed


def from_address(address) -> Caller:
    return Caller(REMOTE_ADDR=address)


def lets_in(token, path) -> bool:
    answer = Caller(token).get(path)
    if answer.status_code != 200:
        problem(answer, 401, "TOKEN_INVALID")
        return False
    return True


def refresh(token) -> dict | None:
    """The next tokens; None if this one gives none."""
    answer = Caller().post(REFRESH, {"refresh": token})
    if answer.status_code == 401:
        problem(answer, 401, "TOKEN_INVALID")
        return None
    assert answer.status_code == 200, answer.content
    assert sorted(answer.json()) == ["access", "expires_at", "refresh", "store", "table"]
    return answer.json()


def first_refresh_token(world) -> str:
    """What the tablet got when it signed in."""
    return Caller().post(TABLET, as_tablet(world)).json()["refresh"]
