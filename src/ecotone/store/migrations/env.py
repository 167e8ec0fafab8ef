"""Runs the steps on the connection (and in the transaction) that the store hands over."""

from __future__ import annotations

from alembic import context

from ecotone.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
