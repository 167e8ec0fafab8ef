"""Whatever a table says, its conversion ends in records or in findings that name the row."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ecotone.ingest.convert import Declared, convert
from ecotone.ingest.mapping import HELPERS
from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.finding import Severity
from ecotone.model.records import RECORD_CLASSES
from ecotone.model.table import Table

CELLS = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "-", "н/б", "1", "1,5", "<0.1", "-999", "2023-07-01", "2023-07-01T05:00+05:00",
         "01.07.2023 5:00", "07/04/2021", "24:00", "38.5", "73°12'E", "91", "WGS84", "СК-42",
         "Atlantis", "TJ", "mg/L", "мг N/л", "furlong", "true", "{}", "[1", "NaN", "below", "0",
         "=1+1", "\x00", "Asia/Dushanbe", "XJT", "CST", "1e400", "9" * 40, "站", "𝟙"]
    ),
    st.text(max_size=12).filter(lambda t: t.isprintable()),
)  # fmt: skip
DECLARED = st.builds(
    Declared,
    zone=st.sampled_from([None, "Asia/Dushanbe", "+05:00", "Mars/Olympus"]),
    zones=st.sampled_from([{}, {"1": "Asia/Urumqi"}]),
    day_first=st.sampled_from([None, True, False]),
    excel=st.sampled_from([None, 1900, 1904]),
    datum=st.sampled_from([None, "EPSG:4326", "СК-42", "EPSG:32642", "Atlantis"]),
    decimal=st.sampled_from([None, ".", ","]),
    country=st.sampled_from([None, "TJ", "XC"]),
    missing=st.sampled_from([{}, {"-999": "failed"}]),
)
DWC = ["occurrenceID", "eventDate", "eventTime", "year", "month", "day", "decimalLatitude",
       "decimalLongitude", "geodeticDatum", "coordinateUncertaintyInMeters", "countryCode",
       "individualCount", "verbatimLatitude"]  # fmt: skip
GENERIC = ["time", "Дата", "站点", "lat", "lon", "datum", "value", "unit", "zone", "Час"]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A block of any noun or of none, its cells anything."""
    vocabulary = draw(st.sampled_from(["ecotone", "dwc", ""]))
    if vocabulary == "ecotone":
        type_ = draw(st.sampled_from(RECORD_NOUNS))
        names = [*attributes(type_), *HELPERS, "+own"]
    else:
        type_ = draw(st.sampled_from(["Occurrence", "Event"])) if vocabulary else "Record"
        names = DWC if vocabulary else GENERIC
    headers = draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=8))
    n = draw(st.integers(0, 4))
    frame = pd.DataFrame(
        {h: pd.Series(draw(st.lists(CELLS, min_size=n, max_size=n)), dtype="str") for h in headers}
    )
    rows = np.arange(1, n + 1)
    return Table(type_, frame, rows, rows + 1, "f.csv", vocabulary)


@settings(max_examples=400, deadline=None)
@given(table=tables(), declared=DECLARED)
def test_a_block_ends_in_records_or_in_findings(table: Table, declared: Declared) -> None:
    done = convert(table, declared)
    assert len(done.frame) == len(done.rejected) == len(table.frame)
    errors = {f.row for f in done.findings if f.severity is Severity.ERROR}
    assert errors == set((np.flatnonzero(done.rejected) + 1).tolist())
    assert all(finding.message(lang) for finding in done.findings for lang in ("en", "zh", "ru"))
    for record in done.frame[~done.rejected].to_dict("records"):
        is_a_record(done.noun, record)


def is_a_record(noun: str, record: dict[str, object]) -> None:
    """What was not rejected stands the noun's own class."""
    types = {name: attribute.type for name, attribute in attributes(noun).items()}
    given_ = {
        name: json.loads(value) if types.get(name) == "json" else value
        for name, value in record.items()
        if name in types and not pd.isna(value)
    }
    RECORD_CLASSES[noun].model_validate(given_)
