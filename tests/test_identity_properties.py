"""Random histories of contacts, merges, shares and separations: what must hold after each night, whatever came before."""

import psycopg
import pytest

from identity_world import TABLES, World
from warehouse_rows import resolve

pytestmark = pytest.mark.slow  # whole histories, many nights each

NIGHTS = 8
SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 40))]


def lived(connection: psycopg.Connection, seed: int, delivery_seed: int = 0) -> World:
    connection.execute(f"TRUNCATE {TABLES} CASCADE".encode())
    world = World(connection, seed, delivery_seed)
    for _ in range(NIGHTS):
        world.night()
    return world


@pytest.mark.parametrize("seed", SEEDS)
def test_after_every_night_of_a_random_history_everyone_is_one_person(warehouse: psycopg.Connection, seed: int) -> None:
    world = World(warehouse, seed)

    for night in range(NIGHTS):
        world.night()

        try:
            world.check()
        except AssertionError as error:
            error.add_note(f"seed {seed}, night {night}")
            raise


@pytest.mark.parametrize("seed", SEEDS)
def test_a_night_of_changes_leaves_what_a_look_at_everybody_leaves(warehouse: psycopg.Connection, seed: int) -> None:
    world = lived(warehouse, seed)
    resolve(warehouse)
    night_by_night = world.tables()

    warehouse.execute("INSERT INTO marts.contact_change SELECT crm_id FROM raw_hubspot.contacts")
    warehouse.execute("DELETE FROM marts.linked_day")
    resolve(warehouse)

    assert world.tables() == night_by_night, f"seed {seed}"


@pytest.mark.parametrize("seed", SEEDS[:4:2] + SEEDS[4:])
def test_the_order_in_which_contacts_are_delivered_makes_no_difference(warehouse: psycopg.Connection, seed: int) -> None:
    one_order = lived(warehouse, seed, delivery_seed=1).tables()

    another_order = lived(warehouse, seed, delivery_seed=2).tables()

    assert one_order == another_order, f"seed {seed}"
