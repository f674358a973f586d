# SPDX-License-Identifier: MIT
"""Alembic's environment: migrations run on the connection that migrate.upgrade gives, in its transaction."""

from alembic import context

from tools.host.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
