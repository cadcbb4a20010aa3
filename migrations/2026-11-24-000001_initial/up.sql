-- The roles auth, ingestion, reporting and operator exist already: `migrate` makes them, with their passwords.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO auth, ingestion, reporting, operator', current_database());
END
$$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO auth, ingestion, reporting, operator;
GRANT SELECT ON __diesel_schema_migrations TO auth, ingestion, reporting, operator;

CREATE TABLE api_clients (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    -- Separated by spaces, as in RFC 6749.
    scope text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    -- Attempts since failure_window_at that have not succeeded.
    failures integer NOT NULL DEFAULT 0,
    failure_window_at timestamptz NOT NULL DEFAULT '-infinity'
);
-- Stands in for every unknown name, so that an attempt with one costs the same writes.
INSERT INTO api_clients (name, password_hash, scope, disabled_at) VALUES ('', '', '', now());

GRANT SELECT ON api_clients TO auth;
GRANT UPDATE (failures, failure_window_at) ON api_clients TO auth;
GRANT SELECT (id, name, scope, created_at, disabled_at, failures), INSERT (name, password_hash, scope) ON api_clients TO operator;
GRANT UPDATE (password_hash, disabled_at, failures) ON api_clients TO operator;

CREATE TABLE sources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    -- SHA-256 of the key.
    key_hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    -- The source says that it has sent everything up to here.
    complete_through timestamptz,
    -- Its latest restart: sessions begun before it and silent since are over.
    last_restart_at timestamptz
);
GRANT SELECT (id, name, key_hash, disabled_at, complete_through, last_restart_at) ON sources TO ingestion;
GRANT UPDATE (complete_through, last_restart_at) ON sources TO ingestion;
GRANT SELECT (id, name, created_at, disabled_at, complete_through, last_restart_at) ON sources TO reporting;
GRANT SELECT (id, name, created_at, disabled_at, complete_through, last_restart_at), INSERT (name, key_hash) ON sources TO operator;
GRANT UPDATE (key_hash, disabled_at) ON sources TO operator;

-- What the sources reported; append-only.
CREATE TABLE events (
    source_id integer NOT NULL REFERENCES sources,
    event_id text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 128),
    -- SHA-256 of the content, by which a repeated event is told from a conflicting one.
    digest bytea NOT NULL,
    kind text NOT NULL CHECK (kind IN ('login', 'active', 'logout', 'restart')),
    -- Null in a restart, which is of the source and of no session.
    session_id text CHECK ((session_id IS NULL) = (kind = 'restart')),
    user_name text CHECK ((user_name IS NULL) = (kind = 'restart')),
    realm text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    reason text,
    display_name text,
    client_ip text,
    wan_ip text,
    mac text,
    device text,
    active_seconds bigint,
    complete_through timestamptz,
    PRIMARY KEY (source_id, event_id)
);
GRANT SELECT (source_id, event_id, digest), INSERT ON events TO ingestion;
GRANT SELECT ON events TO reporting;

-- What the events of a session say together: derived from events, and merged in any order.
CREATE TABLE sessions (
    source_id integer NOT NULL REFERENCES sources,
    session_id text NOT NULL,
    -- As last spelled, when that was, and what names are compared by.
    user_name text NOT NULL,
    user_at timestamptz NOT NULL,
    user_key text COLLATE "C" NOT NULL,
    -- Named by no event: Default, at -infinity.
    realm text NOT NULL,
    realm_at timestamptz NOT NULL,
    realm_key text COLLATE "C" NOT NULL,
    login_at timestamptz,
    logout_at timestamptz,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, session_id)
);
CREATE INDEX sessions_by_login ON sessions (login_at);
CREATE INDEX sessions_by_user ON sessions (user_key, realm_key, user_at);
GRANT SELECT, INSERT, UPDATE ON sessions TO ingestion;
GRANT SELECT ON sessions TO reporting;

-- When a session ended; null while it is open. Silent since before stale_before counts as ended.
CREATE FUNCTION session_end(
    login_at timestamptz, logout_at timestamptz, last_seen_at timestamptz,
    last_restart_at timestamptz, stale_before timestamptz
) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
CASE
    WHEN logout_at >= last_seen_at THEN logout_at
    WHEN last_restart_at >= last_seen_at AND last_restart_at > login_at THEN last_seen_at
    WHEN last_seen_at < stale_before THEN last_seen_at
END;

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    -- API client, or the operator.
    actor text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL
);
GRANT INSERT (actor, action, detail) ON audit_log TO reporting, operator;
