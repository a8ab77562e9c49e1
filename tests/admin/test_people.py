"""Staff accounts: an owner hires, and never reaches a person who isn't theirs alone."""

import re

import pytest
from django.urls import reverse

from stores.models import AuditEntry, Membership, User
from tests.world import PASSWORD, make_person, staff_of

from .desk import Desk, add_url, change_url, errors_of, list_url, page, saved

GOOD = "kimchi stew 4711"


def hire(desk, username="new-cook", password=GOOD, **more):
    return desk.form(Membership).send(**{"username": username, "name": "Cook", "password1": password, "password2": password, **more})


def work_of(user):
    return Membership.objects.get(user=user)


def test_an_owner_hires_somebody_in_one_form(desk, ours):
    saved(hire(desk))
    person = User.objects.get(username="new-cook")
    assert person.check_password(GOOD)
    assert (person.name, person.is_superuser) == ("Cook", False)
    assert (work_of(person).store, work_of(person).role) == (ours.store, "manager")
    assert AuditEntry.objects.get(action="staff.created").actor == ours.owner


def test_a_weak_password_or_two_different_ones_are_refused(desk):
    assert "too common" in errors_of(hire(desk, password="password"))
    assert "too short" in errors_of(hire(desk, password="a1b2"))
    assert "too similar" in errors_of(hire(desk, username="kimchistew", password="kimchistew"))
    assert "match" in errors_of(hire(desk, password2="another one 12"))
    assert "required" in errors_of(hire(desk, password1="", password2=""))
    assert not User.objects.filter(username__in=["new-cook", "kimchistew"]).exists()


@pytest.mark.parametrize("username", ["theirs-manager", "Theirs-Manager", "theirs-owner", "operator"])
def test_a_taken_username_is_an_error_and_nobody_is_touched(desk, theirs, operator, username):
    before = list(User.objects.order_by("pk").values())
    assert "taken" in errors_of(hire(desk, username=username))
    assert list(User.objects.order_by("pk").values()) == before
    assert Membership.objects.filter(user__username__iexact=username).exclude(store=theirs.store).count() == 0


def test_a_taken_username_is_an_error_for_operators_too(operator, ours):
    for form in (operator.form(User), operator.form(User, ours.owner)):
        passwords = {"password1": GOOD, "password2": GOOD} if "password1" in form.fields else {}
        assert "taken" in errors_of(form.send(username="Ours-Manager", **passwords))


def test_a_strange_username_is_an_error(desk):
    for username in ("", "has space", "a" * 65, "<b>"):
        assert errors_of(hire(desk, username=username))


def test_an_owner_changes_a_person_of_theirs(desk, ours):
    at_work = staff_of(ours.store, ours.manager)
    saved(desk.form(Membership, work_of(ours.manager)).send(name="New Name", username="renamed", password1=GOOD, password2=GOOD))
    ours.manager.refresh_from_db()
    assert (ours.manager.name, ours.manager.username) == ("New Name", "renamed")
    assert ours.manager.check_password(GOOD)
    assert at_work.get("staff/orders").status_code == 401  # the old password's tokens died with it
    assert AuditEntry.objects.get(action="staff.changed").details["changed"] == ["username", "name", "password"]


def test_saving_without_a_change_changes_nothing(desk, ours):
    at_work = staff_of(ours.store, ours.manager)
    before = User.objects.values().get(pk=ours.manager.pk)
    saved(desk.form(Membership, work_of(ours.manager)).send())
    assert User.objects.values().get(pk=ours.manager.pk) == before
    assert at_work.get("staff/orders").status_code == 200
    assert not AuditEntry.objects.filter(action="staff.changed").exists()


def test_half_a_new_password_is_refused(desk, ours):
    form = desk.form(Membership, work_of(ours.manager))
    assert "match" in errors_of(form.send(password1=GOOD))
    assert errors_of(form.send(password2=GOOD))
    ours.manager.refresh_from_db()
    assert ours.manager.check_password(PASSWORD)


def test_switching_off_ends_everything_at_once(desk, ours):
    at_work, at_desk = staff_of(ours.store, ours.manager), Desk(ours.manager)
    saved(desk.form(Membership, work_of(ours.manager)).send(is_active=None))
    assert at_work.get("staff/orders").status_code == 401
    assert at_desk.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    ("by", "box"), [("the owner", "is_active"), ("an operator", "is_active"), ("an operator, in this store", "memberships-0-is_active")]
)
def test_who_is_switched_on_again_signs_in_anew(desk, operator, ours, by, box):
    def switch(value):
        form = desk.form(Membership, work_of(ours.manager)) if by == "the owner" else operator.form(User, ours.manager)
        saved(form.send(**{box: value}))

    at_work, at_desk = staff_of(ours.store, ours.manager), Desk(ours.manager)
    switch(None)
    switch("on")
    assert at_work.get("staff/orders").status_code == 401
    assert at_desk.get("/admin/").status_code == 302
    assert staff_of(ours.store, ours.manager).get("staff/orders").status_code == 200
    at_desk.sign_in(ours.manager.username)
    assert at_desk.get("/admin/").status_code == 200


def test_who_still_works_elsewhere_goes_on_there(desk, ours, theirs):
    shared = make_person(theirs.store, "shared", "manager")
    Membership.objects.create(user=shared, store=ours.store, role="manager")
    here, there, at_desk = staff_of(ours.store, shared), staff_of(theirs.store, shared), Desk(shared)
    for value in (None, "on"):
        saved(desk.form(Membership, Membership.objects.get(user=shared, store=ours.store)).send(is_active=value))
    assert here.get("staff/orders").status_code == 401
    assert there.get("staff/orders").status_code == 200
    assert at_desk.get("/admin/").status_code == 200


def takeovers(form):
    """Every way to send more than the form offers."""
    stolen = {"username": "stolen", "name": "Stolen", "password1": GOOD, "password2": GOOD, "password": GOOD, "new_password": GOOD}
    return form.send(**stolen, user=form.desk.http.session["_auth_user_id"], is_superuser="on", store="")


def test_who_works_elsewhere_too_keeps_name_and_password(desk, ours, theirs):
    shared = make_person(theirs.store, "shared", "manager")
    Membership.objects.create(user=shared, store=ours.store, role="manager")
    membership = Membership.objects.get(user=shared, store=ours.store)
    before = User.objects.values().get(pk=shared.pk)
    form = desk.form(Membership, membership)
    assert not {"username", "name", "password1"} & set(form.fields)
    assert "works in other stores too" in desk.get(change_url(membership)).content.decode()
    takeovers(form)
    assert User.objects.values().get(pk=shared.pk) == before
    saved(desk.form(Membership, membership).send(role="owner", is_active=None))  # the work here is the owner's
    membership.refresh_from_db()
    assert (membership.role, membership.is_active) == ("owner", False)
    assert Membership.objects.get(user=shared, store=theirs.store).role == "manager"


@pytest.mark.parametrize("elsewhere", ["inactive membership", "inactive store"])
def test_a_workplace_that_is_switched_off_still_counts(desk, ours, theirs, elsewhere):
    shared = make_person(theirs.store, "shared", "manager")
    Membership.objects.create(user=shared, store=ours.store, role="manager")
    if elsewhere == "inactive membership":
        Membership.objects.filter(user=shared, store=theirs.store).update(is_active=False)
    else:
        theirs.store.is_active = False
        theirs.store.save()
    takeovers(desk.form(Membership, Membership.objects.get(user=shared, store=ours.store)))
    shared.refresh_from_db()
    assert shared.username == "shared"
    assert shared.check_password(PASSWORD)


def test_an_operator_who_also_works_here_keeps_name_and_password(desk, ours, operator):
    person = User.objects.get(username="operator")
    membership = Membership.objects.create(user=person, store=ours.store, role="manager")
    takeovers(desk.form(Membership, membership))
    person.refresh_from_db()
    assert person.username == "operator"
    assert person.check_password(PASSWORD)
    assert person.is_superuser


def test_a_membership_stays_with_its_person_and_store(desk, ours, theirs):
    membership = work_of(ours.manager)
    desk.form(Membership, membership).send(user=str(theirs.manager.pk), store=str(theirs.store.pk), is_superuser="on")
    membership.refresh_from_db()
    assert (membership.user, membership.store) == (ours.manager, ours.store)
    assert not User.objects.filter(is_superuser=True).exists()


def test_an_owner_cannot_lock_themselves_out(desk, ours):
    own = work_of(ours.owner)
    form = desk.form(Membership, own)
    assert not {"role", "is_active", "password1"} & set(form.fields)
    form.send(role="manager", is_active=None, password1=GOOD, password2=GOOD)
    own.refresh_from_db()
    ours.owner.refresh_from_db()
    assert (own.role, own.is_active) == ("owner", True)
    assert ours.owner.check_password(PASSWORD)


def test_people_as_such_are_closed_to_owners(desk, ours):
    for path in (list_url(User), add_url(User), change_url(ours.manager), page("delete", User, ours.manager.pk)):
        assert desk.get(path).status_code == 403
        assert desk.post(path, {"is_superuser": "on", "post": "yes"}).status_code == 403
    for person in (ours.manager, ours.owner):
        assert desk.get(f"/admin/stores/user/{person.pk}/password/").status_code == 403
        assert desk.post(f"/admin/stores/user/{person.pk}/password/", {"password1": GOOD, "password2": GOOD}).status_code == 403


def test_nobody_sees_a_password_hash(desk, operator, ours):
    for person, path in ((desk, change_url(work_of(ours.manager))), (operator, change_url(ours.manager)), (operator, list_url(User))):
        text = person.get(path).content.decode()
        assert ours.manager.password not in text
        assert ours.manager.password.split("$")[-1] not in text
        assert "algorithm" not in text.lower()


def test_an_operator_creates_an_owner_of_two_stores_and_takes_one_away(operator, ours, theirs):
    form = operator.form(User)
    rows = {"memberships-TOTAL_FORMS": "2"}
    for place, world in enumerate((ours, theirs)):
        rows |= {
            f"memberships-{place}-store": str(world.store.pk),
            f"memberships-{place}-role": "owner",
            f"memberships-{place}-is_active": "on",
        }
    saved(form.send(username="chain", name="Chain", password1=GOOD, password2=GOOD, **rows))
    chain = User.objects.get(username="chain")
    assert chain.check_password(GOOD)
    assert {membership.store for membership in chain.memberships.all()} == {ours.store, theirs.store}
    listed = Desk(chain).get(list_url(Membership)).content.decode()
    assert "ours-manager" in listed
    assert "theirs-manager" in listed
    saved(operator.form(User, chain).send(**{"memberships-0-role": "manager", "memberships-1-DELETE": "on"}))
    assert chain.memberships.get().role == "manager"
    written = AuditEntry.objects.filter(subject="chain", actor__username="operator").order_by("pk")
    assert list(written.values_list("action", flat=True)) == ["staff.created", "staff.created", "staff.changed", "staff.removed"]
    assert written[2].details == {"changed": ["role"], "before": {"role": "owner"}, "after": {"role": "manager"}}


def test_a_workplace_stays_in_its_store(operator, ours, theirs):
    """Else the owner of the first would find in the audit that somebody is gone, and not who."""
    operator.form(User, ours.manager).send(**{"memberships-0-store": str(theirs.store.pk), "memberships-0-role": "owner"})
    assert [(work.store, work.role) for work in ours.manager.memberships.all()] == [(ours.store, "owner")]


def test_an_operator_sets_a_password_by_djangos_own_form(operator, ours):
    at_work = staff_of(ours.store, ours.manager)
    path = f"/admin/stores/user/{ours.manager.pk}/password/"
    assert path in operator.get(change_url(ours.manager)).content.decode()
    assert 'name="usable_password"' not in operator.get(path).content.decode()
    assert "too common" in errors_of(operator.post(path, {"password1": "password", "password2": "password"}))
    assert "required" in errors_of(operator.post(path, {"unset-password": "1", "usable_password": "false"}))
    saved(operator.post(path, {"password1": GOOD, "password2": GOOD}))
    ours.manager.refresh_from_db()
    assert ours.manager.check_password(GOOD)
    assert at_work.get("staff/orders").status_code == 401


def test_an_operator_does_not_lock_themselves_out(operator):
    person = User.objects.get(username="operator")
    operator.form(User, person).send(is_active=None, is_superuser=None)
    person.refresh_from_db()
    assert person.is_active and person.is_superuser
    assert operator.post(page("delete", User, person.pk), {"post": "yes"}).status_code == 403
    operator.confirm(User, "delete_selected", person)
    assert User.objects.filter(pk=person.pk).exists()


@pytest.mark.parametrize("how", ["delete", "delete_selected"])
def test_before_somebody_is_deleted_people_and_their_work_are_named_and_no_tokens(operator, ours, how):
    staff_of(ours.store, ours.manager)
    for row, named in ((ours.manager, ["Person: ", "Staff account: "]), (work_of(ours.manager), ["Staff account: "])):
        asked = operator.get(page("delete", type(row), row.pk)) if how == "delete" else operator.act(type(row), how, row)
        shown = asked.content.decode().partition('id="content"')[2]
        assert re.findall(rf"<li>([^<]*?){ours.manager}", shown) == named
        assert "StaffToken" not in shown and "Staff token" not in shown


def test_an_operator_deletes_a_person_and_the_audit_keeps_the_name(operator, desk, ours):
    saved(hire(desk))
    cook = User.objects.get(username="new-cook")
    saved(Desk(ours.owner).form(Membership, work_of(cook)).send(name="Renamed"))
    saved(operator.post(page("delete", User, cook.pk), {"post": "yes"}))
    assert not User.objects.filter(username="new-cook").exists()
    actions = AuditEntry.objects.filter(subject="new-cook").order_by("at", "pk").values_list("action", flat=True)
    assert list(actions) == ["staff.created", "staff.changed", "staff.removed"]


@pytest.mark.parametrize("what", ["person", "workplace"])
@pytest.mark.parametrize("how", ["one", "some"])
def test_whoever_is_removed_by_an_operator_is_named_in_the_audit(operator, ours, what, how):
    row = ours.manager if what == "person" else work_of(ours.manager)
    if how == "one":
        saved(operator.post(page("delete", type(row), row.pk), {"post": "yes"}))
    else:
        operator.confirm(type(row), "delete_selected", row)
    assert not Membership.objects.filter(user=ours.manager.pk).exists()
    removed = AuditEntry.objects.get(action="staff.removed")
    assert (removed.store, removed.subject, removed.actor.username) == (ours.store, "ours-manager", "operator")


OWN_PASSWORD = {"old_password": PASSWORD, "new_password1": GOOD, "new_password2": GOOD}


@pytest.mark.parametrize(
    "change",
    [
        lambda desk, operator, person: Desk(person).post("/admin/password_change/", OWN_PASSWORD),
        lambda desk, operator, person: desk.form(Membership, work_of(person)).send(name="Renamed", password1=GOOD, password2=GOOD),
        lambda desk, operator, person: operator.post(
            reverse("admin:auth_user_password_change", args=[person.pk]), {"password1": GOOD, "password2": GOOD}
        ),
    ],
)
def test_who_is_switched_off_while_a_password_is_hashed_stays_off(desk, operator, ours, change, monkeypatch):
    def switched_off_meanwhile(person, password, original=User.set_password):
        User.objects.filter(pk=person.pk).update(is_active=False)
        original(person, password)

    monkeypatch.setattr(User, "set_password", switched_off_meanwhile)
    assert change(desk, operator, ours.manager).status_code == 302
    ours.manager.refresh_from_db()
    assert ours.manager.check_password(GOOD)
    assert not ours.manager.is_active


def test_everybody_changes_their_own_password(ours):
    desk = Desk(ours.owner)
    answer = desk.post("/admin/password_change/", OWN_PASSWORD)
    assert answer.status_code == 302
    ours.owner.refresh_from_db()
    assert ours.owner.check_password(GOOD)
    assert desk.get("/admin/").status_code == 200
