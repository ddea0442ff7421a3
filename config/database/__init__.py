"""Django's PostgreSQL backend, with a pool that never lends a connection which the server has closed."""
