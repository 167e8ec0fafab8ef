"""Tables and maps of what a party was released, and the records in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from ecotone.model.dictionary import RECORD_NOUNS, attributes
from ecotone.model.errors import UsageError, Withheld
from ecotone.model.words import say
from ecotone.serve import filters, maps
from ecotone.serve.accounts import Account
from ecotone.serve.downloads import as_csv
from ecotone.serve.filters import Filters, Turn
from ecotone.serve.guard import Known
from ecotone.serve.maps import Box
from ecotone.serve.outlines import outlines_for
from ecotone.serve.pages import environment, is_browser, page
from ecotone.serve.state import served
from ecotone.serve.views import PATIENCE, View, Wanted
from ecotone.share.decide import Request as Asked
from ecotone.share.desk import own_datasets
from ecotone.share.door import Door

router = APIRouter(default_response_class=HTMLResponse)

ROWS: Final = 50
#: Seconds for which a program is let wait.
_PROGRAMS_WAIT: Final = 900.0
_PICTURES_WAIT: Final = 60.0
_COLUMNS: Final = 9
#: Not shown in a table: for machines, or said otherwise on the page.
_INNER: Final = frozenset(
    {"id", "version", "extra", "agreement", "class", "release_level", "content_hash",
     "natural_key", "batch_id", "since", "row", "line", "file", "sha256", "datum",
     "time_precision"}
)  # fmt: skip
#: The first columns of a table, where a noun has them.
_FIRST: Final = (
    "site", "site_id", "name", "taxon", "individual", "deployment", "media_id", "sample_id",
    "property", "value", "value_text", "unit", "limit_kind", "count", "individual_count",
    "time_start", "latitude", "longitude", "dataset_id",
)  # fmt: skip

Noun = Literal[
    "Observation", "Occurrence", "Event", "Taxon", "Deployment", "Media", "Individual", "Site",
    "Sample", "Device", "DeviceEvent", "CustodyEvent", "AnalysisBatch", "QualityControl",
    "QualityFlag", "AlarmRule", "Coverage", "Record",
]  # fmt: skip
Purpose = Annotated[str, Query(max_length=60, pattern=r"^[\w.-]+$")]
_Text = Annotated[str, Query(max_length=200)]
_Day = Annotated[str, Query(max_length=10)]
_Step = Annotated[int, InPath(ge=0, lt=1 << 18)]
_Degrees = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)]


def asked(
    request: Request,
    q: _Text = "",
    start: _Day = "",
    end: _Day = "",
    west: _Degrees = None,
    south: _Degrees = None,
    east: _Degrees = None,
    north: _Degrees = None,
) -> Filters:
    """The filters of an address; an empty field of a form is none."""
    chosen = {n: request.query_params.get(n, "")[:500] for n in filters.CHOICES}
    days = _day(start), _day(end)
    return Filters({k: v for k, v in chosen.items() if v}, q, *days, west, south, east, north)


def turned(sort: _Text = "", after: _Text = "", last: bool = False) -> Turn:
    """How a table is sorted and where one has turned to."""
    return Turn(sort, after, last)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(say("portal.filter.day-wrong", given=text)) from error


Chosen = Annotated[Filters, Depends(asked)]
Turned = Annotated[Turn, Depends(turned)]


@router.get("/data")
def overview(request: Request, account: Known, purpose: Purpose = "assessment") -> Response:
    """What there is for this party: datasets and kinds of records."""
    node = served(request)
    _must_be_agreed(request, account, purpose)
    door = Door(node.store, Asked(account.party, purpose, "view", node.today()))
    found: list[tuple[str, int | None]] = []
    patience = 0.8
    for noun in RECORD_NOUNS:
        made = _try(request, account, noun, purpose, patience)
        patience = 0.8 if made is not None else 0.0
        if made is None:
            found.append((noun, None))
        elif made.rows.num_rows or not made.groups.empty:
            found.append((noun, made.rows.num_rows))
    waiting = any(n is None for _, n in found)
    answer = page(
        request,
        "data.html",
        nouns=found,
        datasets=door.datasets(),
        purpose=purpose,
        purposes=purposes(request, account),
        waiting=waiting,
    )
    if waiting:
        answer.headers["refresh"] = "2"
    return answer


@router.get("/data/{noun}")
def table(
    request: Request,
    account: Known,
    noun: Noun,
    chosen: Chosen,
    turn: Turned,
    purpose: Purpose = "assessment",
) -> Response:
    """A table of released records, filtered, sorted, some at a time."""
    view = wanted(request, account, noun, purpose)
    if view is None:
        return preparing(request, noun)
    shown = filters.page(view, chosen, turn, ROWS)
    return page(
        request,
        "table.html",
        noun=noun,
        view=view,
        columns=table_columns(view, shown.rows),
        numbers={c for c in view.rows.column_names if view.is_number(c)},
        days=whole_days(shown.rows),
        turn=turn,
        shown=shown,
        groups=_groups(view),
        **_frame(request, account, view, chosen, purpose),
    )


@router.get("/data/{noun}/map")
def chart(
    request: Request,
    account: Known,
    noun: Noun,
    chosen: Chosen,
    purpose: Purpose = "assessment",
) -> Response:
    """Where released records lie: exact places as points, coarse ones as their cells."""
    view = wanted(request, account, noun, purpose)
    if view is None:
        return preparing(request, noun)
    sides = (chosen.west, chosen.south, chosen.east, chosen.north)
    box = Box(*sides) if _is_box(sides) else None  # type: ignore[arg-type]  # numbers, as tested
    shapes, disclaimer = outlines_for(request, account)
    drawing = maps.draw(view, filters.kept(view, chosen), box, shapes)
    return page(
        request,
        "map.html",
        noun=noun,
        view=view,
        drawing=drawing,
        disclaimer=disclaimer,
        tiles={**chosen.anywhere().query(), "purpose": purpose},
        moves={
            name: {**chosen.query(), "purpose": purpose, **vars(drawing.box.moved(*how))}
            for name, how in _MOVES.items()
        },
        **_frame(request, account, view, chosen, purpose),
    )


@router.get("/data/{noun}/map/{zoom}/{column}/{row}.svg", response_class=Response)
def tile(
    request: Request,
    account: Known,
    noun: Noun,
    zoom: _Step,
    column: _Step,
    row: _Step,
    chosen: Chosen,
    purpose: Purpose = "assessment",
) -> Response:
    """One square of the map of released records, for a map library: Mercator, 256 pixels."""
    # A picture cannot ask again by itself as a page does: it waits.
    view = wanted(request, account, noun, purpose, patience=_PICTURES_WAIT)
    if view is None:
        return preparing(request, noun)
    shapes, _ = outlines_for(request, account)
    drawing = maps.draw_tile(view, filters.kept(view, chosen), (zoom, column, row), shapes)
    text = environment().get_template("tile.svg").render(drawing=drawing, edge=maps.EDGE)
    return Response(text, media_type="image/svg+xml")


_MOVES: Final = {
    "in": (0.0, 0.0, 0.5),
    "out": (0.0, 0.0, 2.0),
    "west": (-0.4, 0.0, 1.0),
    "east": (0.4, 0.0, 1.0),
    "north": (0.0, 0.4, 1.0),
    "south": (0.0, -0.4, 1.0),
}


@router.get("/data/{noun}/csv", response_class=StreamingResponse)
def download(
    request: Request,
    account: Known,
    noun: Noun,
    chosen: Chosen,
    purpose: Purpose = "assessment",
) -> Response:
    """The rows of the table as CSV, as agreed for downloading: another release than looking.

    Each download leaves its lines in the ledger. A browser waits on a page while the release is
    made, a program for the answer.
    """
    node = served(request)
    _must_be_agreed(request, account, purpose)
    asked_for = Wanted(account.party, noun, purpose, node.today(), "download")
    patience = PATIENCE if is_browser(request) else _PROGRAMS_WAIT
    view = node.views.get(asked_for, patience=patience, behind=False)
    if view is None:
        return preparing(request, noun)
    view.note_again(node.store)
    return StreamingResponse(
        as_csv(view, filters.kept(view, chosen)),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{noun}.csv"'},
    )


def wanted(
    request: Request, account: Account, noun: str, purpose: str, *, patience: float = PATIENCE
) -> View | None:
    """The account's view of a noun; None while it is being made.

    Raises UsageError for a purpose nobody agreed to: each would be a release of its own.
    """
    node = served(request)
    _must_be_agreed(request, account, purpose)
    return node.views.get(Wanted(account.party, noun, purpose, node.today()), patience=patience)


def _must_be_agreed(request: Request, account: Account, purpose: str) -> None:
    known = purposes(request, account)
    if purpose not in known:
        raise UsageError(say("portal.purpose-unknown", given=purpose, known=", ".join(known)))


def preparing(request: Request, noun: str) -> HTMLResponse:
    """A page that asks again by itself."""
    answer = page(request, "preparing.html", noun=noun)
    answer.headers["refresh"] = "2"
    return answer


def purposes(request: Request, account: Account) -> list[str]:
    """The purposes for which somebody agreed to give this party anything."""
    from ecotone.share.lifecycle import standings

    node = served(request)
    found = {"assessment"}
    for each in standings(node.store, node.today()):
        if account.party in each.agreement.recipients and each.state == "active":
            found.update(each.agreement.purposes)
    return sorted(found)


def _try(
    request: Request, account: Account, noun: str, purpose: str, patience: float
) -> View | None:
    node = served(request)
    try:
        return node.views.get(Wanted(account.party, noun, purpose, node.today()), patience=patience)
    except Withheld:
        return View.nothing(noun)


def _frame(
    request: Request, account: Account, view: View, chosen: Filters, purpose: str
) -> dict[str, Any]:
    """What table and map have in common: filters, other purposes, whose rows may be corrected."""
    return {
        "chosen": chosen,
        "query": {**chosen.query(), "purpose": purpose},
        "choices": filters.choices(view),
        "when": filters.time_column(view),
        "purpose": purpose,
        "purposes": purposes(request, account),
        "own": {d.dataset_id for d in own_datasets(served(request).store, account.party)},
        "rows_per_page": ROWS,
    }


def table_columns(view: View, rows: Sequence[dict[str, Any]]) -> list[str]:
    """The few columns a table shows, the telling ones first; none that is empty on this page."""
    noun = view.wanted.noun
    there = [
        n
        for n in view.rows.column_names
        # What stood in the file in its own words is told by the record's page.
        if n not in _INNER
        and (noun, n) != ("Coverage", "path")
        and (n == "value_text" or n.rpartition("_")[2] != "text")
    ]
    if rows:
        there = [n for n in there if any(row[n] is not None for row in rows)]
        if all(_says_the_same(row) for row in rows):
            there = [n for n in there if n != "value_text"]
    first = [n for n in _FIRST if n in there]
    return [*first, *(n for n in there if n not in first)][:_COLUMNS]


def _says_the_same(row: dict[str, Any]) -> bool:
    """Whether the original text of a value tells nothing that its number does not."""
    text = row.get("value_text")
    try:
        return text is None or float(text) == row.get("value")
    except ValueError:
        return False


def whole_days(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The columns of times that are all of midnight: told as days."""
    times = [(n, v.time()) for row in rows for n, v in row.items() if isinstance(v, datetime)]
    return {n for n, _ in times} - {n for n, clock in times if clock != time.min}


def _groups(view: View) -> tuple[list[str], list[dict[str, Any]]]:
    frame = view.groups.dropna(axis="columns", how="all")
    rows = frame.astype(object).where(frame.notna(), None).head(500).to_dict("records")
    return [str(c) for c in frame.columns], [{str(k): v for k, v in r.items()} for r in rows]


def _is_box(sides: tuple[float | None, ...]) -> bool:
    west, south, east, north = sides
    return (
        None not in sides
        and abs(south or 0) <= 90
        and abs(north or 0) <= 90
        and (east or 0) - (west or 0) > 1e-4
        and (north or 0) - (south or 0) > 1e-4
    )


def shown_attributes(noun: str, row: dict[str, Any]) -> list[tuple[str, Any]]:
    """The filled attributes of a record, in the order of its data dictionary."""
    known = list(attributes(noun))
    names = [n for n in known if row.get(n) is not None]
    return [(n, row[n]) for n in names]


def nothing_here() -> Withheld:
    """The same answer for what is not there and what may not be seen."""
    return Withheld(say("desk.nothing"))
