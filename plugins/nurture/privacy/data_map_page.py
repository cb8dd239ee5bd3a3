"""The table of docs/privacy.md, written from `include/personal_data.yaml`.

`PYTHONPATH=plugins .venv/bin/python -m nurture.privacy.data_map_page` writes it anew; a test fails while they differ.
"""

from nurture.paths import PROJECT
from nurture.privacy.data_map import DataMap, Table, load_data_map

BEGIN = "<!-- from include/personal_data.yaml: PYTHONPATH=plugins .venv/bin/python -m nurture.privacy.data_map_page -->"
END = "<!-- end -->"
PAGE = PROJECT / "docs" / "privacy.md"
ERASED = {"delete": "deleted", "pseudonymise": "pseudonymised", "keep": "kept"}


def table_of(data_map: DataMap) -> str:
    """Tables that hold something of people, in Markdown."""
    rows = [
        f"| `{name}` | {table.holds} | {_erased(table)} | {'yes' if table.export else 'no'} | {_kept(table)} |"
        for name, table in data_map.tables.items()
        if table.columns
    ]
    head = "| table | holds | at an erasure | in an export | kept |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def _erased(table: Table) -> str:
    words = ERASED[table.erase or "keep"]
    return f"{words}: {table.because}" if table.because else words


def _kept(table: Table) -> str:
    rules = [
        f"{rule.days} days after `{rule.by}`"
        + (f", where `{rule.when}`" if rule.when else "")
        + (f": {', '.join(f'`{column}`' for column in rule.clear)} emptied" if rule.clear else "")
        for rule in table.retention
    ]
    return "; ".join([*rules, *([table.kept] if table.kept else [])])


def main() -> None:
    """Put the table into the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{table_of(load_data_map())}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
