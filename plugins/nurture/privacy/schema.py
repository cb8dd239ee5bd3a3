"""The warehouse as it is: its tables, columns and types, for the data map to be held against."""

import re
from dataclasses import dataclass

import psycopg

from nurture.errors import ConfigError
from nurture.privacy.data_map import DataMap


@dataclass(frozen=True)
class Column:
    """One column; `data_type` as PostgreSQL spells it, e.g. `text`, `jsonb`, `text[]`."""

    name: str
    data_type: str
    is_nullable: bool


Schema = dict[str, dict[str, Column]]
"""Columns by name, by `schema.table`."""


def read_schema(connection: psycopg.Connection) -> Schema:
    """Every table that holds rows and may be read, of every schema but PostgreSQL's own."""
    rows = connection.execute(
        """
        SELECT namespace.nspname || '.' || relation.relname, attribute.attname, format_type(attribute.atttypid, NULL),
               NOT attribute.attnotnull
        FROM pg_attribute AS attribute
        JOIN pg_class AS relation ON relation.oid = attribute.attrelid
        JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
        WHERE relation.relkind IN ('r', 'm') AND attribute.attnum > 0 AND NOT attribute.attisdropped
          AND namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
          AND has_schema_privilege(namespace.oid, 'USAGE') AND has_table_privilege(relation.oid, 'SELECT')
        ORDER BY 1, attribute.attnum
        """
    ).fetchall()
    schema: Schema = {}
    for table, name, data_type, is_nullable in rows:
        schema.setdefault(table, {})[name] = Column(name, data_type, is_nullable)
    return schema


def differences(data_map: DataMap, schema: Schema) -> list[str]:
    """What the data map does not say, or says of what is not there; empty when each column is classified."""
    ours = {table for table in schema if re.match(r"(raw_\w+|staging|marts|ops)\.", table)}
    found = [
        f"{table}: a new table; say in include/personal_data.yaml what it holds" for table in ours - data_map.tables.keys()
    ]
    for name, table in data_map.tables.items():
        if name not in schema:
            found.append(f"{name}: in include/personal_data.yaml, not in the warehouse; remove it")
            continue
        columns, said = schema[name], set(table.classified)
        found += [f"{name}.{column}: a new column; does it hold personal data?" for column in columns.keys() - said]
        used = said | {column for rule in table.retention for column in (rule.by, rule.when, *rule.clear) if column}
        found += [
            f"{name}.{column}: in include/personal_data.yaml, not in the warehouse" for column in used - columns.keys()
        ]
    return sorted(found)


def check(data_map: DataMap, schema: Schema) -> None:
    """
    Raises:
        ConfigError: the data map and the warehouse differ.
    """
    if found := differences(data_map, schema):
        raise ConfigError("nothing was done, for the data map does not fit the warehouse:\n" + "\n".join(found))
