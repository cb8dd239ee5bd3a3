"""Two spellings of one address are one address; two addresses stay two, however alike they look."""

import psycopg
import pytest

from warehouse_rows import add_contact, person_of, resolve


def key(connection: psycopg.Connection, address: str) -> str:
    row = connection.execute("SELECT staging.address_key(%s)", (address,)).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    ("spelling", "other"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("  ann@example.com ", "ann@example.com"),
        ("ａｎｎ@ｅｘａｍｐｌｅ.com", "ann@example.com"),
        ("jos\u0065\u0301@example.com", "jos\u00e9@example.com"),
        ("JOSÉ@example.com", "josé@example.com"),
        ("ann@xn--mnchen-3ya.example", "ann@münchen.example"),
        ("ann@XN--MNCHEN-3YA.example", "ann@MÜNCHEN.example"),
        ("ann@xn--r8jz45g.example", "ann@例え.example"),
        ("ann@xn--e1afmkfd.xn--80akhbyknj4f", "ann@пример.испытание"),
    ],
)
def test_two_spellings_of_one_address_have_one_key(warehouse: psycopg.Connection, spelling: str, other: str) -> None:
    assert key(warehouse, spelling) == key(warehouse, other)


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("ann.smith@gmail.com", "annsmith@gmail.com"),
        ("ann+shop@example.com", "ann@example.com"),
        ("ann@googlemail.com", "ann@gmail.com"),
        ("straße@example.com", "strasse@example.com"),
        ("аnn@example.com", "ann@example.com"),
        ("xn--mnchen-3ya@example.com", "münchen@example.com"),
    ],
)
def test_addresses_that_only_a_provider_could_call_one_stay_two(
    warehouse: psycopg.Connection, address: str, other: str
) -> None:
    assert key(warehouse, address) != key(warehouse, other)


@pytest.mark.parametrize("label", ["xn--", "xn--99999999", "xn--a-", "xn--é", "xn--" + "z" * 60])
def test_a_domain_that_is_no_ascii_form_of_anything_is_kept_as_it_is(warehouse: psycopg.Connection, label: str) -> None:
    address = f"ann@{label}.example"

    assert key(warehouse, address) == address


def test_python_reads_the_same_domains(warehouse: psycopg.Connection) -> None:
    domains = ["münchen", "例え", "bücher-und-mehr", "пример", "ñandú", "faß-bier-ö", "日本語ドメイン", "straße"]

    for domain in domains:
        ascii_form = "xn--" + domain.encode("punycode").decode()
        assert key(warehouse, f"ann@{ascii_form}.example") == f"ann@{domain}.example"


def test_people_behind_two_spellings_of_a_shared_address_stay_two_and_it_leads_to_nobody(
    warehouse: psycopg.Connection,
) -> None:
    add_contact(warehouse, "1", email="info@münchen.example")
    add_contact(warehouse, "2", email="info@xn--mnchen-3ya.example")

    resolve(warehouse)

    assert person_of(warehouse, "crm_id", "1") != person_of(warehouse, "crm_id", "2")
    assert person_of(warehouse, "email", "info@münchen.example") is None
