"""Everything that nights leave behind, and whether anybody of the synthetic world, or a secret, is in it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import httpx
import psycopg
from psycopg import sql

from demo.airflow import CRM_TOKEN, MODEL_KEY
from demo.state import State
from nurture.paths import PROJECT
from sandbox.world import World

# Where personal data is meant to be, and why. Every other table of `ops` is searched, also one that is added tomorrow.
HOLDS_PERSONAL_DATA = {
    "ops.dead_letter.payload": "the row that could not be used, as it came; never shown, emptied by the retention",
    "ops.dry_run.changes": "what a dry run would have written; for those who asked for it, deleted by the retention",
    "ops.privacy_export.document": "what a person asked to be handed",
    "ops.privacy_subject.value": "whom a request is about, while it is open",
}
WORD = re.compile(r"\w+", re.UNICODE)
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
DOTTED = re.compile(r"\w+\.\w+\.\d+")  # the local part of the world's addresses, first.last.12
TELLING_LETTERS = 7  # of a first name; a shorter one may be any word
ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
HEX_DUMP = re.compile(r"\\+x((?:[0-9a-f]{2}){8,})")


@dataclass(frozen=True)
class Needles:
    """What must not be found. Words are compared as written, addresses in lower case."""

    words: frozenset[str]
    phrases: frozenset[str]
    addresses: frozenset[str]
    secrets: frozenset[str]


def needles(world: World, secrets: Iterable[str]) -> Needles:
    """Addresses, full names, surnames, telling first names, companies and telephone numbers of `world`.

    A name that is also a word of the project (in code, prompts or facts) is looked for beside its first name only.
    """
    contacts = [contact.properties for contact in world.contacts]
    surnames = {part for contact in contacts for part in WORD.findall(contact.get("lastname", "")) if part[:1].isupper()}
    first_names = {contact.get("firstname", "") for contact in contacts}
    telling = {name for name in first_names if name.isalpha() and (len(name) >= TELLING_LETTERS or not name.isascii())}
    names = {f"{contact.get('firstname')} {contact['lastname']}" for contact in contacts if contact.get("lastname")}
    numbers = {contact[name] for contact in contacts for name in ("phone", "mobilephone") if contact.get(name)}
    addresses = {
        address.strip().lower() for contact in contacts for address in contact.get("email", "").split(";") if address
    }
    return Needles(
        words=frozenset(name for name in surnames | telling if len(name) > 2) - project_words(),
        phrases=frozenset(names | numbers | {contact["company"] for contact in contacts if contact.get("company")}),
        addresses=frozenset(addresses | {address.split("@")[0] for address in addresses}),
        secrets=frozenset(secret for secret in secrets if secret),
    )


def secrets_of(state: State) -> list[str]:
    """Passwords and tokens of the stack's connections and of its user."""
    return [CRM_TOKEN, MODEL_KEY, state.password]


@cache
def project_words() -> frozenset[str]:
    """Words of the project's own text."""
    folders = ("plugins", "include", "dags", "sandbox/model", "demo")
    paths = [path for folder in folders for path in (PROJECT / folder).rglob("*")]
    texts = (path.read_text(errors="ignore") for path in paths if path.suffix in (".py", ".yaml", ".sql", ".md", ".html"))
    return frozenset(word for text in texts for word in WORD.findall(text))


def found(wanted: Needles, traces: Mapping[str, str]) -> list[str]:
    """What of `wanted` is in `traces`, each as `where: what`; empty when nothing is."""
    return [f"{where}: {what}" for where, text in traces.items() for what in _found_in(wanted, spelled_out(text))]


def _found_in(wanted: Needles, text: str) -> Iterator[str]:
    words, lower = set(WORD.findall(text)), text.lower()
    yield from sorted(wanted.words & words)
    for phrase in sorted(wanted.phrases):
        if set(WORD.findall(phrase)) <= words and phrase in text:
            yield phrase
    addresses = set(ADDRESS.findall(lower))
    yield from sorted((addresses | set(DOTTED.findall(lower))) & wanted.addresses)
    yield from sorted(address for address in addresses if address.endswith(("@example.com", ".example")))
    yield from sorted(f"a secret of {len(secret)} characters" for secret in wanted.secrets if secret in text)


def spelled_out(text: str) -> str:
    r"""`text` with what JSON (`\u00fc`), URLs (`%40`) and PostgreSQL (`\x41…`) write otherwise beside it."""
    plain = ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    dumped = " ".join(bytes.fromhex(dump).decode(errors="replace") for dump in HEX_DUMP.findall(plain))
    return "\n".join({plain, unquote(plain) if "%" in plain else plain, dumped})


def file_traces(*folders: Path) -> dict[str, str]:
    """Text of every file in `folders`, or of a file itself."""
    paths = [path for folder in folders for path in ([folder] if folder.is_file() else folder.rglob("*"))]
    return {str(path): path.read_text(errors="replace") for path in paths if path.is_file()}


def page_traces(state: State, paths: Iterable[str]) -> dict[str, str]:
    """What the plugin's pages, its figures included, show to the user of the stack."""
    login = {"username": "admin", "password": state.password}
    token = httpx.post(f"{state.airflow_url}/auth/token", json=login).json()["access_token"]
    # No connection is kept: the server closes one that is idle for some seconds, and a slow page may end just then.
    limits = httpx.Limits(max_keepalive_connections=0)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=state.airflow_url, headers=headers, timeout=60, limits=limits) as client:
        answers = {path: client.get(path.replace("+", "%2B")) for path in paths}
    assert {answer.status_code for answer in answers.values()} <= {200, 404}, answers  # 404: a page that has nothing to show
    return {path: answer.text for path, answer in answers.items()}


def database_traces(connection: psycopg.Connection, *schemas: str, but: Iterable[str] = ()) -> dict[str, str]:
    """Every column of every table of `schemas` as text, by `schema.table.column`, without those named in `but`."""
    columns = connection.execute(
        """
        SELECT table_schema, table_name, column_name
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE table_schema = ANY(%s) AND table_type = 'BASE TABLE'
          AND data_type NOT IN ('integer', 'bigint', 'boolean', 'date', 'double precision', 'uuid',
                                'timestamp with time zone')
        ORDER BY 1, 2, 3
        """,
        (list(schemas),),
    ).fetchall()
    traces = {}
    for schema, table, column in columns:
        if f"{schema}.{table}.{column}" in but:
            continue
        query = sql.SQL("SELECT string_agg(DISTINCT {}::text, E'\\n') FROM {}").format(
            sql.Identifier(column), sql.Identifier(schema, table)
        )
        row = connection.execute(query).fetchone()
        if row and row[0]:
            traces[f"{schema}.{table}.{column}"] = str(row[0])
    return traces
