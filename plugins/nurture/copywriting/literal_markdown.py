"""Text that somebody else wrote, in our Markdown."""

import re

ADDRESS = re.compile(r"(\S*(?:[a-z]:/|www\.|@)\S*)", re.IGNORECASE)


def literal(text: str) -> str:
    """`text` with everything that Markdown or HTML would act on made literal, on one line.

    What looks like an address is shown as code: Airflow's Markdown makes a link of it, escaped or not.
    """
    one_line = " ".join(str(text).split())
    return "".join(_as_code(part) if number % 2 else _escaped(part) for number, part in enumerate(ADDRESS.split(one_line)))


def _as_code(text: str) -> str:
    return "`` " + text.replace("`", "'").replace("|", "\\|") + " ``"


def _escaped(text: str) -> str:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", escaped)
