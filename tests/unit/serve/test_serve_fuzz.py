"""Every route from its own description, with whatever values may come: no fault of ours."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests.portal import Visitor, csrf, world

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

#: Ends the session that the others need.
_ENDS = ("/sign-out", "/me/password")
#: What signers alone may do.
_SIGNED = ("/sign", "/declare", "/{step}")


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    app = world(tmp_path_factory.mktemp("fuzz")).app()
    yield app
    app.state.served.close()


def _operations(app):
    schema = schemathesis.openapi.from_dict(app.openapi())
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path not in _ENDS:
            yield operation


def _ask(visitor, operation, strategy, examples):
    from hypothesis import Phase, given

    secret = csrf(visitor.get("/me"))
    asked = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def once(case):
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent.pop("cookies", None)
        _with_secret(sent, secret)
        answer = visitor.http.request(**sent)
        assert answer.status_code < 500, (operation.label, answer.status_code, sent)
        asked.append(answer.status_code)

    once()
    return len(asked)


def _with_secret(sent, secret):
    """Every POST carries the secret of its session: fuzzed is what lies behind it."""
    if isinstance(sent.get("files"), list):
        sent["files"] = [*sent["files"], ("csrf", (None, secret))]
    elif isinstance(sent.get("data"), dict):
        sent["data"] = {**sent["data"], "csrf": secret}
    elif sent["method"] == "POST" and not sent.get("data"):
        sent["data"] = {"csrf": secret}


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    ("people", "examples"),
    [
        (("aigul", "saule"), 3),
        pytest.param(("aigul", "saule"), 150, marks=pytest.mark.slow),
        # Those who may do less, and another institution's.
        pytest.param(("talant", "ruslan"), 40, marks=pytest.mark.slow),
        pytest.param(("wei", "li"), 40, marks=pytest.mark.slow),
    ],
)
def test_no_route_has_a_fault(app, people, examples):
    usual, other = (Visitor(app).sign_in(name) for name in people)
    asked = 0
    for operation in _operations(app):
        visitor = other if operation.path.endswith(_SIGNED) else usual
        asked += _ask(visitor, operation, operation.as_strategy(), examples)
    assert asked >= 40 * examples
