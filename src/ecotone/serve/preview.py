"""What a partner would see of one's own data, before anything leaves."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import numpy as np
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from ecotone.model.dictionary import RECORD_NOUNS
from ecotone.model.errors import UsageError, Withheld
from ecotone.model.words import say
from ecotone.serve import filters, maps
from ecotone.serve.data import Noun, preparing, table_columns, whole_days
from ecotone.serve.guard import Sharer
from ecotone.serve.outlines import outlines_for
from ecotone.serve.pages import language, page
from ecotone.serve.sharing import day_of
from ecotone.serve.state import served
from ecotone.serve.views import View, Wanted
from ecotone.share import desk
from ecotone.share.decide import Request as Asked
from ecotone.share.door import Door
from ecotone.share.withheld import kept_back

router = APIRouter(default_response_class=HTMLResponse)

_ROWS: Final = 20
_Text = Annotated[str, Query(max_length=60)]


@router.get("/sharing/preview")
def preview(
    request: Request,
    account: Sharer,
    reader: _Text = "",
    noun: Noun = "Occurrence",
    purpose: _Text = "assessment",
    action: Literal["view", "download", "derive", "redistribute"] = "view",
    on: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Rows, a map, and what stays with the reason why; only of datasets of one's own."""
    node = served(request)
    parties = [p for p in node.store.parties() if p.party_id != account.party]
    own = {d.dataset_id for d in desk.own_datasets(node.store, account.party)}
    values: dict[str, Any] = {
        "reader": reader, "noun": noun, "purpose": purpose, "action": action, "on": on,
        "parties": parties, "nouns": RECORD_NOUNS, "view": None,
    }  # fmt: skip
    if not reader:
        return page(request, "preview.html", **values)
    if reader not in {p.party_id for p in parties}:
        raise UsageError(say("portal.preview.party", given=reader))
    day = day_of(on, node.today())
    wanted = Wanted(reader, noun, purpose or "assessment", day, action, owner=account.party)
    try:
        view = node.views.get(wanted)
    except Withheld:
        view = View.nothing(noun)
    if view is None:
        return preparing(request, noun)
    asked = Asked(reader, wanted.purpose, action, day)
    door = Door(node.store, asked, language(request), preview=True)
    kept = [k for k in kept_back(node.store, door, language(request), noun) if k.dataset_id in own]
    shapes, disclaimer = outlines_for(request, account)
    shown = filters.page(view, filters.Filters(), filters.Turn(), _ROWS)
    numbers = np.arange(view.rows.num_rows, dtype=np.int64)
    return page(
        request,
        "preview.html",
        **{**values, "view": view},
        decisions=[(x.decision, x.rows) for x in view.lines],
        columns=table_columns(view, shown.rows),
        days=whole_days(shown.rows),
        shown=shown,
        drawing=maps.draw(view, numbers, None, shapes),
        disclaimer=disclaimer,
        kept=kept,
    )
