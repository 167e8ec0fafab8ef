"""What one server holds: the node, who may come in, what is being prepared or carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, cast

from fastapi import Request

from ecotone.serve.accounts import Accounts
from ecotone.serve.jobs import Jobs
from ecotone.serve.sessions import Brake, Sessions
from ecotone.serve.uploads import Uploads
from ecotone.serve.views import Views

if TYPE_CHECKING:
    from ecotone.share.desk import Store


@dataclass(frozen=True)
class Served:
    """The node of this server and everything that lives as long as the server."""

    folder: Path
    store: Store
    accounts: Accounts
    sessions: Sessions
    brake: Brake
    views: Views
    jobs: Jobs
    uploads: Uploads
    #: The day by which agreements are judged; tests and the demo may fix it.
    today: Callable[[], date]
    #: Whether browsers come by https: cookies then travel by nothing else.
    https: bool = False
    #: The folder under which the photographs lie that records name.
    media: Path | None = None

    def close(self) -> None:
        """End what the server had under way and close the node."""
        self.jobs.close()
        self.uploads.close()
        self.views.close()
        self.store.close()


def served(request: Request) -> Served:
    """The node of the server that answers this request."""
    return cast(Served, request.app.state.served)
