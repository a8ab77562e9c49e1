"""The menu changes while somebody orders."""

import pytest

from menus import choices
from menus import services as menu_services
from menus.models import Category, Item
from orders import services
from sessions_app.models import TableSession
from stores import journal
from tests.admin.desk import Desk
from tests.threads import at_once, begin, connections_for, is_waiting, stopped_before
from tests.world import events_of, line, make_choice, make_item, new_key, order_for, problem, staff_of, tablet_of

from .scene import ORDERS, orders_from, statuses


def test_a_price_that_changes_while_an_order_is_placed_is_the_old_or_the_new_one(ours):
    tablet, owner = tablet_of(ours.table), staff_of(ours.store, ours.owner)
    with stopped_before(services, "lock_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.item, expected_total=12000), key=new_key())
        stop.wait_until_reached()
        changing = begin(owner.patch, f"staff/items/{ours.item.pk}", {"price": 13000, "name": "renamed"})
        is_waiting(changing)  # on SQLite it does
        stop.let_go()
        order = ordering.result().json()
        assert changing.result().status_code == 200
    assert [(row["name"], row["unit_price"], row["total"]) for row in order["lines"]] == [(ours.item.name, 12000, 12000)]
    assert TableSession.objects.get().total == 12000
    problem(tablet.post(ORDERS, order_for(ours.item, expected_total=12000), key=new_key()), 409, "PRICE_CHANGED")


def test_a_dish_that_is_deleted_while_an_order_is_placed_stays_on_that_order(ours):
    tablet, owner = tablet_of(ours.table), staff_of(ours.store, ours.owner)
    with stopped_before(services, "lock_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.item), key=new_key())
        stop.wait_until_reached()
        deleting = begin(owner.delete, f"staff/items/{ours.item.pk}")
        is_waiting(deleting)
        stop.let_go()
        assert (ordering.result().status_code, deleting.result().status_code) == (201, 204)
    problem(tablet.post(ORDERS, order_for(ours.item), key=new_key()), 404, "ITEM_NOT_FOUND")
    assert tablet.get("tablet/session").json()["total"] == 12000


@pytest.mark.parametrize("first", ["order", "recount"])
def test_counting_the_portions_anew_loses_none_that_are_ordered_after_it(ours, deadlocks, first):
    """Who counts 10 portions counts those that are there: an order before is in that count, one after comes off it."""
    item = make_item(ours, stock=5)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    calls = {
        "order": lambda: tablet.post(ORDERS, order_for(item, quantity=2), key=new_key()),
        "recount": lambda: manager.patch(f"staff/items/{item.pk}", {"stock": 10}),
    }
    with stopped_before(journal, "record") as stop:
        winner = begin(calls.pop(first))
        stop.wait_until_reached()
        loser = begin(*calls.values())
        assert is_waiting(loser)
        stop.let_go()
        assert {winner.result().status_code, loser.result().status_code} == {200, 201}
    assert Item.objects.get(pk=item.pk).stock == (10 if first == "order" else 8)
    assert not deadlocks


def test_other_changes_of_a_dish_leave_its_portions_to_the_orders(ours, deadlocks):
    item = make_item(ours, stock=50)
    tokens, owner = [tablet_of(table).token for table in ours.tables], staff_of(ours.store, ours.owner)

    def edit():
        return [owner.patch(f"staff/items/{item.pk}", {"description": str(turn), "sold_out": False}) for turn in range(10)]

    with connections_for(3):
        orders = [lambda token=token: orders_from(token, *[(order_for(item), new_key()) for _ in range(10)]) for token in tokens]
        *answers, edits = at_once(*orders, edit)
    assert statuses([answer for some in answers for answer in some]) == {201: 20}
    assert statuses(edits) == {200: 10}
    assert Item.objects.get(pk=item.pk).stock == 30
    assert events_of(ours, "menu.changed") == ["menu.changed"] * 30
    assert not deadlocks


CHANGES_OF_A_KEY = {
    "renamed": lambda world: staff_of(world.store, world.owner).patch(f"staff/items/{world.item.pk}", {"name": "renamed"}),
    "moved": lambda world: staff_of(world.store, world.owner).patch(
        f"staff/items/{world.item.pk}", {"category": str(Category.objects.get(name="Elsewhere").pk)}
    ),
    "deleted": lambda world: staff_of(world.store, world.owner).delete(f"staff/items/{world.item.pk}"),
    "renamed in the admin": lambda world: Desk(world.owner).form(Item, world.item).send(name="renamed"),
    "deleted in the admin": lambda world: Desk(world.owner).confirm(Item, "delete_selected", *world.items),
}


@pytest.mark.parametrize("how", CHANGES_OF_A_KEY)
def test_a_dish_whose_key_changes_keeps_no_order_waiting_at_its_commit(ours, deadlocks, how):
    """There the order would hold the counter row, which the change is about to take: each would wait for the other."""
    Category.objects.create(store=ours.store, name="Elsewhere")
    tablet = tablet_of(ours.table)
    with stopped_before(menu_services, "record_change") as stop:
        changing = begin(CHANGES_OF_A_KEY[how], ours)
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, order_for(ours.item), key=new_key())
        assert is_waiting(ordering)
        stop.let_go()
        waited = is_waiting(ordering, 0.5)  # PostgreSQL looks for a deadlock after a second
        assert ordering.result().status_code in (201, 404)
        assert changing.result().status_code in (200, 204, 302)
    assert not waited
    assert not deadlocks


@pytest.mark.parametrize("what", ["dish", "option"])
def test_a_dish_can_be_changed_however_well_it_sells(ours, deadlocks, what):
    """MySQL's foreign keys want the dish that an order names. If it held the counter row by then, each would wait for the other."""
    [option, *_] = make_choice(ours.item)
    body = {"lines": [line(ours.item, 1, option)]}
    tablet, owner = tablet_of(ours.table), staff_of(ours.store, ours.owner)
    change = {
        "dish": (f"staff/items/{ours.item.pk}", {"price": 13000}),
        "option": (f"staff/options/{option.pk}", {"sold_out": True}),
    }[what]
    with stopped_before(menu_services if what == "dish" else choices, "record_change") as stop:
        changing = begin(owner.patch, *change)
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, body, key=new_key())
        is_waiting(ordering)
        stop.let_go()
        assert changing.result().status_code == 200
        assert ordering.result().status_code in (201, 409)
    assert not deadlocks


def test_a_dish_saved_in_the_admin_is_locked_after_its_groups_as_everywhere(ours, deadlocks):
    """Its stock is compared with the locked row before it is written: by then who changes its choices must not hold them."""
    item = make_item(ours, stock=5)
    [option, *_] = make_choice(item)
    other = make_choice(ours.item)[0].group
    owner, form = staff_of(ours.store, ours.owner), Desk(ours.owner).form(Item, item)
    typed = {"stock": "7", "choices-TOTAL_FORMS": "2", "choices-1-group": str(other.pk)}
    with stopped_before(menu_services, "change_item") as stop:
        saving = begin(form.send, **typed)
        stop.wait_until_reached()
        changing = begin(owner.patch, f"staff/items/{item.pk}", {"option_groups": [str(other.pk), str(option.group_id)]})
        assert is_waiting(changing)
        stop.let_go()
        assert (saving.result().status_code, changing.result().status_code) == (302, 200)
    assert not deadlocks


def test_deleting_several_dishes_waits_for_their_portions_before_it_holds_up_the_store(ours, deadlocks):
    first, second = sorted((make_item(ours, stock=5), make_item(ours, stock=5)), key=lambda item: item.pk)
    tablet, desk = tablet_of(ours.table), Desk(ours.owner)
    with stopped_before(journal, "record") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(second), key=new_key())
        stop.wait_until_reached()
        deleting = begin(desk.confirm, Item, "delete_selected", first, second)
        assert is_waiting(deleting)
        stop.let_go()
        assert (ordering.result().status_code, deleting.result().status_code) == (201, 302)
    assert not Item.objects.alive().filter(pk__in=[first.pk, second.pk]).exists()
    assert not deadlocks
