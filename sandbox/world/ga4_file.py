"""Read a real GA4 export file (NDJSON, gzipped or not), line by line, and keep what is wrong with each bad line.

Rows stay on disk, in a temporary file, and are parsed when asked for: memory holds some 20 bytes a row.
"""

import gzip
import hashlib
import io
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from sandbox.world.ga4_line import MAX_LINE_BYTES, BadLineError, Row, parse_line

RAW_CHARACTERS = 2_000  # kept of a bad line


@dataclass(frozen=True)
class BadLine:
    """A line that cannot be used. `key` is how a dead letter of source `ga4.file` is found again."""

    key: str
    line_number: int
    field: str | None
    reason: str
    raw: str


@dataclass
class Ga4File:
    """The good rows of a file by day, and its bad lines.

    Attributes:
        visitors: every `user_pseudo_id` met.
        user_ids: made-up `user_id` of the visitors that `link` chose; `rows` fills them in.
    """

    name: str
    bad: list[BadLine] = field(default_factory=list)
    visitors: set[str] = field(default_factory=set)
    user_ids: dict[str, str] = field(default_factory=dict)
    _places: dict[date, "array[int]"] = field(default_factory=dict)
    _spool: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    @property
    def days(self) -> list[date]:
        """The days that have rows, oldest first."""
        return sorted(self._places)

    def count(self, day: date) -> int:
        """The number of rows of `day`."""
        return len(self._places.get(day, ()))

    def rows(self, day: date) -> Iterator[Row]:
        """The rows of `day` in the file's order."""
        for place in self._places.get(day, ()):
            self._spool.seek(place)
            row, _ = parse_line(self._spool.readline())
            if key := self.user_ids.get(row.get("user_pseudo_id") or ""):
                row["user_id"] = key
            yield row

    def _keep(self, line: bytes, row: Row, day: date) -> None:
        self._places.setdefault(day, array("q")).append(self._spool.seek(0, io.SEEK_END))
        self._spool.write(line.rstrip(b"\r\n") + b"\n")
        if visitor := row.get("user_pseudo_id"):
            self.visitors.add(visitor)


def read(path: Path) -> Ga4File:
    """Read every line of `path`.

    Raises:
        OSError: the file cannot be opened. Whatever else is wrong becomes a bad line, a torn gzip file included.
    """
    found = Ga4File(path.name)
    with path.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        number = 0
        try:
            with gzip.open(raw) if is_gzip else raw as lines:
                for number, line in enumerate(_lines(lines), start=1):
                    if line.strip():
                        _read_line(line, number, found)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            reason = f"the gzip file cannot be read after this line ({error}); fetch it again. Lines before it were read."
            found.bad.append(BadLine(f"{path.name}:{number}", number, None, reason, ""))
    return found


def link(file: Ga4File, share: float, seed: int) -> list[str]:
    """Give `share` of the file's visitors made-up user ids, and return these, so that CRM contacts can be made for them.

    Which visitors is decided by a hash of the visitor and `seed`; the number is exact, rounded.

    Raises:
        ValueError: `share` is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"LINK must be a share from 0 to 1, found {share}")

    def digest(visitor: str) -> str:
        return hashlib.sha256(f"{seed}:{visitor}".encode()).hexdigest()

    chosen = sorted(file.visitors, key=digest)[: round(share * len(file.visitors))]
    file.user_ids = {visitor: f"linked-{digest(visitor)[:16]}" for visitor in chosen}
    return list(file.user_ids.values())


def _lines(file: Any) -> Iterator[bytes]:
    """Lines of at most `MAX_LINE_BYTES` and one byte more; the rest of a longer line is passed over."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return


def _read_line(line: bytes, number: int, found: Ga4File) -> None:
    try:
        row, day = parse_line(line)
    except BadLineError as error:
        raw = line[: 4 * RAW_CHARACTERS].decode(errors="replace")[:RAW_CHARACTERS]
        found.bad.append(BadLine(f"{found.name}:{number}", number, error.field, str(error), raw))
    else:
        found._keep(line, row, day)
