"""What has been answered does not stay until Python looks for garbage."""

import gc

from tests.world import place


def test_a_list_goes_with_its_answer(ours, manager):
    for _ in range(3):
        place(ours.table, ours.item)
    gc.collect()
    gc.disable()
    try:
        assert len(manager.get("staff/orders").content) > 100
        assert [held for held in gc.get_objects() if isinstance(held, dict) and isinstance(held.get("order_number"), str)] == []
    finally:
        gc.enable()
