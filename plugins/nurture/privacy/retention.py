"""Let go of rows that are older than `include/personal_data.yaml` allows, a batch at a time."""

import psycopg
from psycopg import sql

from nurture.privacy.data_map import DataMap, Retention

BATCH_ROWS = 10_000


def apply_retention(
    connection: psycopg.Connection, data_map: DataMap, *, is_dry_run: bool = False, batch_rows: int = BATCH_ROWS
) -> dict[str, int]:
    """Delete or empty what is too old; returns rows by `table` or `table (columns emptied)`, those with none left out.

    Days are counted back from the clock of the warehouse. Each batch is committed, so a run that is stopped goes on where
    it was. A second run finds nothing.

    Args:
        is_dry_run: only count.
    """
    counts: dict[str, int] = {}
    for name, table in data_map.tables.items():
        for rule in table.retention:
            what = f"{name} ({', '.join(rule.clear)} emptied)" if rule.clear else name
            count = _count(connection, name, rule) if is_dry_run else _apply(connection, name, rule, batch_rows)
            if count:
                counts[what] = counts.get(what, 0) + count
            connection.commit()
    return counts


def _count(connection: psycopg.Connection, name: str, rule: Retention) -> int:
    query = sql.SQL("SELECT count(*)::int FROM {} WHERE {}").format(_identifier(name), _too_old(rule))
    [count] = connection.execute(query, {"days": rule.days}).fetchone() or [0]
    return int(count)


def _apply(connection: psycopg.Connection, name: str, rule: Retention, batch_rows: int) -> int:
    table = _identifier(name)
    cleared = sql.SQL(", ").join(sql.SQL("{} = NULL").format(sql.Identifier(column)) for column in rule.clear)
    change = sql.SQL("UPDATE {} SET {}").format(table, cleared) if rule.clear else sql.SQL("DELETE FROM {}").format(table)
    query = sql.SQL("{} WHERE ctid = ANY (ARRAY({})) AND {}").format(change, batch(name, rule), _too_old(rule))
    total = 0
    while count := connection.execute(query, {"days": rule.days, "rows": batch_rows}).rowcount:
        connection.commit()
        total += count
    return total


def batch(name: str, rule: Retention) -> sql.Composed:
    """The query for the places of up to `%(rows)s` rows that are too old (`%(days)s`)."""
    return sql.SQL("SELECT ctid FROM {} WHERE {} LIMIT %(rows)s").format(_identifier(name), _too_old(rule))


def _too_old(rule: Retention) -> sql.Composable:
    # Not clock_timestamp(): no index can be searched by what may change from row to row.
    conditions = [sql.SQL("{} < statement_timestamp() - make_interval(days => %(days)s)").format(sql.Identifier(rule.by))]
    if rule.when:
        conditions.append(sql.Identifier(rule.when))  # type: ignore[arg-type]
    if rule.clear:
        full = sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(column)) for column in rule.clear)
        conditions.append(sql.SQL("({})").format(full))
    return sql.SQL(" AND ").join(conditions)


def _identifier(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split(".", 1))
