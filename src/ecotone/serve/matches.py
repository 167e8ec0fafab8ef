"""Two animals side by side: the same, different, or nobody can tell.

Identities, their photographs and what others decided are all read through the door. A decision is
one more row in a dataset of one's own; nobody's word is ever changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import pandas as pd
import pyarrow.compute as pc
from fastapi import APIRouter, Form, Query, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, Response

from ecotone.assess.individuals import candidates
from ecotone.formats.identity_decisions import RECORD_TYPE
from ecotone.ingest.individuals import Decision, decide
from ecotone.model.errors import UsageError, Withheld
from ecotone.model.words import say
from ecotone.serve.accounts import Account
from ecotone.serve.data import nothing_here, preparing
from ecotone.serve.filters import Filters, kept
from ecotone.serve.guard import Posting, Reviewer
from ecotone.serve.pages import onward, page
from ecotone.serve.state import served
from ecotone.serve.views import View, Wanted
from ecotone.share import desk
from ecotone.share.media import THUMBNAIL, Look, released_image

router = APIRouter(default_response_class=HTMLResponse)

_PURPOSE: Final = "assessment"
_PICTURES: Final = 4
_PAIRS: Final = 50
_LOOK: Final = Look(longest=1024, strip=0.0)
_Id = Annotated[str, Query(max_length=200)]
_Word = Annotated[str, Form(max_length=2000)]


@dataclass(frozen=True)
class Animal:
    """One identity with what was seen of it."""

    name: str
    facts: dict[str, Any]
    seen: list[dict[str, Any]]
    pictures: list[dict[str, Any]]


@router.get("/matches")
def overview(request: Request, account: Reviewer, done: bool = False) -> Response:
    """Pairs somebody should look at, and any two of one's choice."""
    views = _views(request, account, fresh=done)
    if views is None:
        return preparing(request, "Individual")
    identities = _identities(request, account, views)
    said = _decisions(views["Record"])
    found = candidates(identities, said, observer=account.person)
    return page(
        request,
        "matches.html",
        pairs=found.head(_PAIRS).to_dict("records"),
        animals=sorted(identities["id"].tolist()),
        said=said.iloc[::-1].head(30).to_dict("records"),
        done=done,
    )


@router.get("/matches/pair")
def pair(request: Request, account: Reviewer, first: _Id = "", second: _Id = "") -> Response:
    """Two identities side by side."""
    if first == second:
        raise UsageError(say("individuals.itself"))
    views = _views(request, account)
    if views is None:
        return preparing(request, "Individual")
    said = _decisions(views["Record"])
    both = {first, second}
    ours = said[said["first"].isin(both) & said["second"].isin(both)]
    return page(
        request,
        "pair.html",
        animals=[_animal(views, first), _animal(views, second)],
        said=ours.to_dict("records"),
        own=desk.own_datasets(served(request).store, account.party),
    )


@router.post("/matches/pair", dependencies=[Posting])
def judge(
    request: Request,
    account: Reviewer,
    first: _Word = "",
    second: _Word = "",
    decision: Literal["same", "different", "unsure"] = Form(),
    dataset: _Word = "",
    reason: _Word = "",
) -> Response:
    """Add one's word on a pair."""
    node = served(request)
    own = [d.dataset_id for d in desk.own_datasets(node.store, account.party)]
    if dataset not in own:
        raise UsageError(say("portal.deliver.not-own", known=", ".join(own) or "-"))
    views = _views(request, account)
    if views is not None:
        for name in (first, second):
            _animal(views, name)
    if views is not None and _said_already(views, account, (first, second), (decision, reason)):
        # A second click, or a page sent again.
        return onward("/matches", done=1)
    word = Decision(first, second, decision, account.person, reason, datetime.now(UTC))
    decide(node.store, dataset, word, person=account.person)
    return onward("/matches", done=1)


@router.get("/matches/picture/{media}", response_class=Response)
def picture(
    request: Request,
    account: Reviewer,
    media: Annotated[str, InPath(max_length=200)],
    small: bool = False,
) -> Response:
    """A photograph whose path was released, drawn again without what the camera wrote beside it."""
    node = served(request)
    view = node.views.get(Wanted(account.party, "Media", _PURPOSE, node.today()), patience=20)
    at = None if view is None else view.find(media)
    path = None
    if view is not None and at is not None and "path" in view.rows.column_names:
        path = _photograph(node.media, view.rows["path"][at].as_py())
    if path is None:
        raise nothing_here()
    return Response(
        released_image(path, THUMBNAIL if small else _LOOK),
        media_type="image/jpeg",
        headers={"cache-control": "private, max-age=3600"},
    )


def _views(request: Request, account: Account, *, fresh: bool = False) -> dict[str, View] | None:
    """What this party was released of identities and all that belongs to them.

    ``fresh``: with every decision there is, also one that was taken just now.
    """
    node = served(request)
    found: dict[str, View] = {}
    for noun in ("Individual", "Observation", "Media", "Record"):
        try:
            wanted = Wanted(account.party, noun, _PURPOSE, node.today())
            view = node.views.get(wanted, behind=not (fresh and noun == "Record"))
        except Withheld:
            view = View.nothing(noun)
        if view is None:
            return None
        found[noun] = view
    return found


def _identities(request: Request, account: Account, views: dict[str, View]) -> pd.DataFrame:
    """The individuals as the registry of animals wants them, each where it was mostly seen."""
    owners = {d.dataset_id: d.party_id for d in served(request).store.datasets()}
    frame = _frame(views["Individual"], ["individual_id", "recognised_by", "sex", "confidence"])
    frame["party"] = frame["dataset_id"].map(owners)
    frame = frame.rename(columns={"individual_id": "name", "recognised_by": "kind"})
    frame["id"] = frame["name"].fillna(frame["id"])
    seen = _frame(
        _with(views["Observation"], "individual"), ["individual", "latitude", "longitude"]
    )
    places = seen.dropna(subset=["individual"]).groupby("individual")[["latitude", "longitude"]]
    return frame.drop_duplicates("id").merge(
        places.median(numeric_only=True), how="left", left_on="id", right_index=True
    )


def _decisions(view: View) -> pd.DataFrame:
    """What was decided about pairs, as far as it was released."""
    names = ["first", "second", "decision", "observer", "confidence", "reason", "decided"]
    frame = _frame(view, ["record_type", "fields"])
    own = frame.loc[frame["record_type"] == RECORD_TYPE, "fields"].dropna()
    rows = [{n: json.loads(text).get(n) for n in names} for text in own]
    return pd.DataFrame(rows, columns=names, dtype=object).sort_values(
        "decided", kind="stable", ignore_index=True
    )


def _said_already(
    views: dict[str, View], account: Account, pair: tuple[str, str], word: tuple[str, str]
) -> bool:
    """Whether this person's newest word on the pair is the same."""
    said = _decisions(views["Record"])
    both = set(pair)
    mine = said[
        said["first"].isin(both) & said["second"].isin(both) & (said["observer"] == account.person)
    ]
    return len(mine) > 0 and (mine.iloc[-1]["decision"], mine.iloc[-1]["reason"]) == word


def _with(view: View, name: str) -> View:
    """The rows that have a value: they may be few among many."""
    if name not in view.rows.column_names:
        return view
    return replace(view, rows=view.rows.filter(pc.is_valid(view.rows[name])))


def _frame(view: View, names: list[str]) -> pd.DataFrame:
    there = [n for n in ("id", "dataset_id", *names) if n in view.rows.column_names]
    frame: pd.DataFrame = view.rows.select(there).to_pandas()
    for name in ("id", "dataset_id", *names):
        if name not in frame:
            frame[name] = None
    numbers = {"latitude", "longitude", "confidence"} & set(names)
    kinds = {n: "float64" if n in numbers else object for n in frame.columns}
    return frame.astype(kinds)


def _animal(views: dict[str, View], name: str) -> Animal:
    """An identity by its own name; Withheld for one that was not released."""
    view = views["Individual"]
    rows = _rows(view, "individual_id", name, 1) or _rows(view, "id", name, 1)
    if not rows:
        raise nothing_here()
    seen = _rows(views["Observation"], "individual", name, 200)
    wanted = list(dict.fromkeys(str(r["media"]) for r in seen if r.get("media")))
    pictures: list[dict[str, Any]] = []
    for media in wanted[:_PICTURES]:
        pictures += _rows(views["Media"], "media_id", media, 1)
    return Animal(name, rows[0], seen, pictures)


def _rows(view: View, column: str, value: str, most: int) -> list[dict[str, Any]]:
    if column not in view.rows.column_names:
        return []
    numbers = kept(view, Filters({column: value}))
    found: list[dict[str, Any]] = view.rows.take(numbers[:most]).to_pylist()
    return found


def _photograph(root: Path | None, named: object) -> Path | None:
    """The file a record names, inside the folder of photographs and nowhere else."""
    if root is None or not isinstance(named, str) or "://" in named:
        return None
    path = (root / named.replace("\\", "/")).resolve()
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None
