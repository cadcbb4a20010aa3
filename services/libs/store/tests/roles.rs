//! Each service's role can do what it needs and no more.

use std::time::Duration;

use diesel::sql_query;
use diesel_async::{RunQueryDsl, pooled_connection::deadpool::Object};
use rollcall_settings::read_secret;
use rollcall_store::{Pool, migrations};
use rollcall_test_support::TestDatabase;

async fn may(database: &TestDatabase, role: &str, statement: &str) -> bool {
    match sql_query(statement)
        .execute(&mut database.connect(role).await)
        .await
    {
        Ok(_) => true,
        Err(error) => {
            assert!(
                error.to_string().contains("permission denied"),
                "{role}: {statement}: {error}"
            );
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reporting_cannot_write() {
    let database = TestDatabase::new().await;
    for table in ["sessions", "events", "sources", "api_clients"] {
        assert!(!may(&database, "reporting", &format!("DELETE FROM {table}")).await);
        assert!(
            !may(
                &database,
                "reporting",
                &format!("INSERT INTO {table} DEFAULT VALUES")
            )
            .await
        );
    }
    assert!(
        !may(
            &database,
            "reporting",
            "UPDATE sessions SET login_at = NULL"
        )
        .await
    );
    assert!(!may(&database, "reporting", "SELECT key_hash FROM sources").await);
    assert!(!may(&database, "reporting", "SELECT radius_secret FROM sources").await);
    assert!(
        !may(
            &database,
            "reporting",
            "SELECT password_hash FROM api_clients"
        )
        .await
    );
    assert!(
        may(
            &database,
            "reporting",
            "SELECT FROM sessions JOIN sources ON sources.id = source_id"
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn console_changes_only_the_employee_mapping() {
    let database = TestDatabase::new().await;
    for statement in [
        "DELETE FROM sessions",
        "UPDATE persons SET display_user = ''",
        "INSERT INTO events DEFAULT VALUES",
        "UPDATE sources SET disabled_at = now()",
        "UPDATE api_clients SET disabled_at = NULL",
        "UPDATE sign_in_attempts SET failures = 0",
        "INSERT INTO calendars VALUES ('a', 'UTC', '00:00')",
        "SELECT forget_rejected_inputs(NULL)",
        "DELETE FROM heartbeats",
        "SELECT password_hash FROM api_clients",
        "SELECT key_hash FROM sources",
        "SELECT radius_secret FROM sources",
        "SELECT user_name FROM set_aside_events",
    ] {
        assert!(!may(&database, "console", statement).await, "{statement}");
    }
    for statement in [
        "UPDATE employee_mappings SET calendar = NULL",
        "DELETE FROM employee_mappings",
        "SELECT FROM sessions JOIN sources ON sources.id = source_id",
        "SELECT FROM audit_log",
        "SELECT sample FROM rejected_inputs",
    ] {
        assert!(may(&database, "console", statement).await, "{statement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn heartbeat_is_written_for_the_calling_service_alone() {
    let database = TestDatabase::new().await;
    let write = "SELECT write_heartbeat('replica', '1', now(), '')";
    for role in migrations::ROLES {
        let is_service = role != "operator";
        assert_eq!(may(&database, role, write).await, is_service, "{role}");
        let for_receiver = "SELECT write_receiver_heartbeat('replica', '1', now(), '')";
        let is_ingestion = role == "ingestion";
        assert_eq!(
            may(&database, role, for_receiver).await,
            is_ingestion,
            "{role}"
        );
        for statement in [
            "SELECT write_heartbeat_of('auth', 'replica', '1', now(), '')",
            "INSERT INTO heartbeats VALUES ('auth', 'a', '1', now(), now(), '')",
            "UPDATE heartbeats SET missing = ''",
            "DELETE FROM heartbeats",
        ] {
            assert!(
                !may(&database, role, statement).await,
                "{role}: {statement}"
            );
        }
    }
    let services = "SELECT service AS text FROM heartbeats ORDER BY 1";
    assert_eq!(
        database.texts(services).await,
        [
            "auth",
            "console",
            "ingestion",
            "maintenance",
            "receiver",
            "reporting"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_log_cannot_be_changed_and_only_operator_and_maintenance_read_it() {
    let database = TestDatabase::new().await;
    for role in ["auth", "reporting", "maintenance", "operator"] {
        assert!(
            may(
                &database,
                role,
                "INSERT INTO audit_log (actor, action, detail) VALUES ('a', 'b', '{}')"
            )
            .await
        );
        let read = "SELECT FROM audit_log";
        let may_read = role == "operator" || role == "maintenance";
        assert_eq!(may(&database, role, read).await, may_read, "{role}");
        for statement in ["UPDATE audit_log SET actor = ''", "DELETE FROM audit_log"] {
            assert!(!may(&database, role, statement).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_can_read_clients_alone() {
    let database = TestDatabase::new().await;
    for table in ["sessions", "events", "sources"] {
        assert!(!may(&database, "auth", &format!("SELECT FROM {table}")).await);
    }
    assert!(
        may(
            &database,
            "auth",
            "UPDATE sign_in_attempts SET failures = 0"
        )
        .await
    );
    assert!(
        !may(
            &database,
            "auth",
            "UPDATE api_clients SET disabled_at = NULL"
        )
        .await
    );
    assert!(
        !may(
            &database,
            "auth",
            "UPDATE api_clients SET password_hash = ''"
        )
        .await
    );
    assert!(
        !may(
            &database,
            "auth",
            "INSERT INTO api_clients (name, password_hash, scope) VALUES ('a', '', '')"
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestion_appends_events_and_cannot_change_them() {
    let database = TestDatabase::new().await;
    assert!(!may(&database, "ingestion", "UPDATE events SET reason = ''").await);
    assert!(!may(&database, "ingestion", "DELETE FROM events").await);
    assert!(!may(&database, "ingestion", "SELECT user_name FROM events").await);
    assert!(!may(&database, "ingestion", "DELETE FROM event_ids").await);
    assert!(!may(&database, "ingestion", "UPDATE event_ids SET digest = ''").await);
    assert!(
        !may(
            &database,
            "ingestion",
            "UPDATE sources SET radius_secret = NULL"
        )
        .await
    );
    assert!(
        !may(
            &database,
            "ingestion",
            "INSERT INTO source_networks DEFAULT VALUES"
        )
        .await
    );
    assert!(!may(&database, "ingestion", "DELETE FROM arrivals").await);
    assert!(!may(&database, "ingestion", "DELETE FROM sessions").await);
    assert!(
        !may(
            &database,
            "ingestion",
            "UPDATE sources SET disabled_at = NULL"
        )
        .await
    );
    assert!(
        !may(
            &database,
            "ingestion",
            "UPDATE sources SET name_rules = '[]'"
        )
        .await
    );
    assert!(!may(&database, "ingestion", "SELECT FROM api_clients").await);
    assert!(
        may(
            &database,
            "ingestion",
            "UPDATE sources SET complete_through = now()"
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_cannot_read_events_or_secrets() {
    let database = TestDatabase::new().await;
    assert!(!may(&database, "operator", "SELECT FROM events").await);
    assert!(!may(&database, "operator", "DELETE FROM sources").await);
    assert!(
        !may(
            &database,
            "operator",
            "SELECT password_hash FROM api_clients"
        )
        .await
    );
    assert!(!may(&database, "operator", "SELECT key_hash FROM sources").await);
    assert!(!may(&database, "operator", "SELECT radius_secret FROM sources").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_delete_more_than_its_service_needs() {
    let database = TestDatabase::new().await;
    let allowed = [
        ("auth", "sign_in_attempts"),
        ("console", "employee_mappings"),
        ("maintenance", "arrivals"),
        ("maintenance", "correlated_events"),
        ("maintenance", "event_ids"),
        ("maintenance", "rejected_inputs"),
        ("maintenance", "sessions"),
        ("maintenance", "set_aside_events"),
        ("operator", "calendars"),
        ("operator", "employee_mappings"),
        ("operator", "source_networks"),
    ];
    let privileges = "SELECT role || ' ' || relname AS text
        FROM pg_class CROSS JOIN unnest(ARRAY['auth', 'ingestion', 'reporting', 'console',
            'maintenance', 'operator']) AS role
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
            AND (has_table_privilege(role, pg_class.oid, 'DELETE, TRUNCATE'))
        ORDER BY 1";
    let expected = allowed.map(|(role, table)| format!("{role} {table}"));
    assert_eq!(database.texts(privileges).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_operator_can_undo_an_import() {
    let database = TestDatabase::new().await;
    for role in migrations::ROLES {
        let privilege = format!(
            "SELECT has_function_privilege('{role}', oid, 'EXECUTE')::text AS text
             FROM pg_proc WHERE proname = 'withdraw_import'"
        );
        let expected = (role == "operator").to_string();
        assert_eq!(database.texts(&privilege).await, [expected], "{role}");
        for statement in [
            "UPDATE imports SET undone_at = now()",
            "DELETE FROM imports",
            "DELETE FROM imported_events",
        ] {
            assert!(
                !may(&database, role, statement).await,
                "{role}: {statement}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_input_is_written_by_ingestion_and_forgotten_by_the_operator() {
    let database = TestDatabase::new().await;
    let add = "INSERT INTO rejected_inputs (source_id, receiver, reason, count, sample)
        VALUES (1, 'syslog', 'a', 1, '') ON CONFLICT (source_id, receiver, reason)
        DO UPDATE SET count = rejected_inputs.count + 1, last_at = now(), sample = ''";
    for role in migrations::ROLES {
        for (statement, expected) in [
            (add, "ingestion"),
            ("SELECT forget_rejected_inputs(NULL)", "operator"),
            ("DELETE FROM rejected_inputs", "maintenance"),
        ] {
            let is_allowed = may(&database, role, statement).await;
            assert_eq!(is_allowed, role == expected, "{role}: {statement}");
        }
    }
    for role in migrations::ROLES {
        let reads = may(&database, role, "SELECT sample FROM rejected_inputs").await;
        assert_eq!(
            reads,
            ["operator", "console", "ingestion"].contains(&role),
            "{role}"
        );
    }
    let back_dated = "INSERT INTO rejected_inputs VALUES (1, 'syslog', 'b', 1, now(), now(), '')";
    assert!(!may(&database, "ingestion", back_dated).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_can_delete_only_rejected_input_past_the_limit() {
    let database = TestDatabase::new().await;
    for (reason, days) in [("old", 41), ("young", 39)] {
        let rejected = format!(
            "INSERT INTO rejected_inputs (source_id, receiver, reason, count, last_at, sample)
             VALUES (1, 'syslog', '{reason}', 1, now() - {days} * interval '24 hours', '')"
        );
        TestDatabase::execute(&database, &rejected).await;
    }
    let limit = "INSERT INTO retention_limits VALUES ('events', 40)";
    TestDatabase::execute(&database, limit).await;
    assert!(may(&database, "maintenance", "DELETE FROM rejected_inputs").await);
    let kept = "SELECT reason AS text FROM rejected_inputs";
    assert_eq!(database.texts(kept).await, ["young"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_change_the_retention_limits() {
    let database = TestDatabase::new().await;
    for role in migrations::ROLES {
        for statement in [
            "INSERT INTO retention_limits VALUES ('events', 32)",
            "UPDATE retention_limits SET days = 32",
            "DELETE FROM retention_limits",
            "CREATE OR REPLACE VIEW retention_cutoffs AS SELECT 'events' AS data, now() AS before",
        ] {
            assert!(
                !may(&database, role, statement).await,
                "{role}: {statement}"
            );
        }
        let read = "SELECT FROM retention_cutoffs";
        assert_eq!(may(&database, role, read).await, role == "maintenance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_can_delete_only_sessions_past_their_limit() {
    let database = TestDatabase::new().await;
    for (id, days) in [("old", 41), ("young", 39)] {
        let at = format!("now() - {days} * interval '24 hours'");
        let session = format!(
            "INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
                 login_at, last_activity_at, first_event_at)
             VALUES (1, '{id}', 1, false, {at}, {at}, {at}, {at})"
        );
        TestDatabase::execute(&database, &session).await;
    }
    let all = "DELETE FROM sessions";
    assert!(may(&database, "maintenance", all).await);
    assert_eq!(database.count("sessions").await, 2, "there is no limit");
    let limit = "INSERT INTO retention_limits VALUES ('sessions', 40)";
    TestDatabase::execute(&database, limit).await;
    assert!(may(&database, "maintenance", all).await);
    let kept = "SELECT session_id AS text FROM sessions";
    assert_eq!(database.texts(kept).await, ["young"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_cannot_read_sessions_or_secrets_or_change_events() {
    let database = TestDatabase::new().await;
    for statement in [
        "SELECT person_id FROM sessions",
        "SELECT user_name FROM set_aside_events",
        "SELECT key_hash FROM sources",
        "SELECT radius_secret FROM sources",
        "SELECT FROM api_clients",
        "UPDATE sources SET disabled_at = NULL",
        "UPDATE sessions SET login_at = NULL",
        "UPDATE events SET reason = ''",
        "INSERT INTO events DEFAULT VALUES",
    ] {
        assert!(
            !may(&database, "maintenance", statement).await,
            "{statement}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_creates_tables_only_in_the_schema_of_the_partitions() {
    let database = TestDatabase::new().await;
    for role in migrations::ROLES {
        let partition = format!("CREATE TABLE partitions.of_{role} (id integer)");
        let may_create = may(&database, role, &partition).await;
        assert_eq!(may_create, role == "maintenance", "{role}");
        for statement in [
            "CREATE TABLE public.mine (id integer)",
            "CREATE FUNCTION partitions.mine() RETURNS integer LANGUAGE sql RETURN 1",
            "DO $$ BEGIN END $$",
        ] {
            assert!(
                !may(&database, role, statement).await,
                "{role}: {statement}"
            );
        }
    }
    let owners = "SELECT DISTINCT relowner::regrole::text AS text FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'partitions'::regnamespace
            OR relname IN ('events', 'audit_log')";
    assert_eq!(database.texts(owners).await, ["maintenance"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ingestion_cannot_choose_the_time_of_arrival() {
    let database = TestDatabase::new().await;
    let statement = "INSERT INTO events (source_id, event_id, kind, occurred_at, received_at)
        VALUES (1, 'e', 'restart', now(), '2026-11-02')";
    assert!(!may(&database, "ingestion", statement).await);
    let statement = "INSERT INTO set_aside_events (source_id, event_id, kind, occurred_at, received_at, sqlstate, message)
        VALUES (1, 'e', 'restart', now(), '2026-11-02', '', '')";
    assert!(!may(&database, "ingestion", statement).await);
    assert!(!may(&database, "ingestion", "DELETE FROM set_aside_events").await);
    assert!(!may(&database, "operator", "SELECT replay_event(1, 'e')").await);
    assert!(
        !may(
            &database,
            "operator",
            "SELECT user_name FROM set_aside_events"
        )
        .await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_entry_has_the_role_that_wrote_it() {
    let database = TestDatabase::new().await;
    let forged =
        "INSERT INTO audit_log (role, actor, action, detail) VALUES ('operator', 'a', 'b', '{}')";
    assert!(!may(&database, "reporting", forged).await);
    let honest = "INSERT INTO audit_log (actor, action, detail) VALUES ('operator', 'b', '{}')";
    assert!(may(&database, "reporting", honest).await);
    assert_eq!(
        database.texts("SELECT role AS text FROM audit_log").await,
        ["reporting"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_fill_the_disk_outside_its_tables_or_connect_to_another_database() {
    let database = TestDatabase::new().await;
    for role in migrations::ROLES {
        assert!(!may(&database, role, "SELECT lo_from_bytea(0, 'x')").await);
        let emit = "SELECT pg_logical_emit_message(true, 'rollcall', 'x')";
        assert_eq!(may(&database, role, emit).await, role == "ingestion");
    }
    let open = "SELECT datname::text AS text FROM pg_database
        WHERE datname IN ('postgres', 'template1') AND has_database_privilege('auth', oid, 'CONNECT')";
    assert_eq!(database.texts(open).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_again_restores_missing_privileges_and_revokes_added_ones() {
    let database = TestDatabase::new().await;
    TestDatabase::execute(&database, "REVOKE ALL ON api_clients FROM auth").await;
    TestDatabase::execute(&database, "GRANT DELETE ON events TO ingestion").await;
    assert!(!may(&database, "auth", "SELECT FROM api_clients").await);
    let settings = database.settings("rollcall");
    // The run has its own task, because the migration harness blocks the task that it runs in.
    tokio::spawn(async move {
        let pool = Pool::new(&settings).expect("a pool");
        let connection = Object::take(pool.get().await.expect("a connection"));
        migrations::run(connection, &[], Duration::from_mins(1))
            .await
            .map_err(|error| error.to_string())
    })
    .await
    .expect("its end")
    .expect("migrated");
    assert!(may(&database, "auth", "SELECT FROM api_clients").await);
    assert!(!may(&database, "ingestion", "DELETE FROM events").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_has_limits_that_fit_the_server_together() {
    let database = TestDatabase::new().await;
    let password = read_secret(&rollcall_test_support::password_file()).expect("the password");
    let passwords = migrations::ROLES.map(|role| (role, password.clone()));
    let connection = database.connect("rollcall").await;
    tokio::spawn(async move {
        migrations::run(connection, &passwords, Duration::from_mins(1))
            .await
            .map_err(|error| error.to_string())
    })
    .await
    .expect("its end")
    .expect("migrated");
    let roles = "'auth', 'ingestion', 'reporting', 'console', 'maintenance', 'operator'";
    let limited = format!(
        "SELECT rolname || ' ' || (rolconnlimit > 0) || ' ' || count(*) AS text
         FROM pg_roles, unnest(rolconfig) AS setting
         WHERE rolname IN ({roles}) AND setting ~ '^(temp_file_limit|statement_timeout)='
         GROUP BY rolname, rolconnlimit ORDER BY rolname"
    );
    assert_eq!(
        database.texts(&limited).await,
        [
            "auth true 2",
            "console true 2",
            "ingestion true 2",
            "maintenance true 2",
            "operator true 2",
            "reporting true 2"
        ]
    );
    let sum =
        format!("SELECT sum(rolconnlimit)::text AS text FROM pg_roles WHERE rolname IN ({roles})");
    let sum: i32 = database.texts(&sum).await[0].parse().expect("a number");
    // docker/postgres/postgresql.conf sets max_connections to 235. The superuser has 3 reserved
    // connections, and 5 are left for the owner.
    assert!(sum <= 235 - 3 - 5, "{sum}");
    // The other tests share the roles.
    for role in migrations::ROLES {
        TestDatabase::execute(&database, &format!("ALTER ROLE {role} CONNECTION LIMIT -1")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_role_can_raise_its_limit_of_temporary_files() {
    let database = TestDatabase::new().await;
    for role in migrations::ROLES {
        assert!(!may(&database, role, "SET temp_file_limit = -1").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_can_run_concurrently_and_be_reverted_and_run_again() {
    let database = TestDatabase::unmigrated().await;
    // Each run has its own task, because the migration harness blocks the task that it runs in.
    let up = || {
        let settings = database.settings("rollcall");
        tokio::spawn(async move {
            let connection = Object::take(
                Pool::new(&settings)
                    .expect("a pool")
                    .get()
                    .await
                    .expect("a connection"),
            );
            migrations::run(connection, &[], Duration::from_mins(1))
                .await
                .map_err(|error| error.to_string())
        })
    };
    for outcome in futures::future::join_all([up(), up(), up()]).await {
        assert_eq!(outcome.expect("its end"), Ok(()));
    }
    assert!(
        migrations::are_current(&mut database.connect("reporting").await)
            .await
            .expect("an answer")
    );
    migrations::revert_all(database.connect("rollcall").await).expect("down");
    assert!(
        !migrations::are_current(&mut database.connect("rollcall").await)
            .await
            .expect("an answer")
    );
    assert_eq!(up().await.expect("its end"), Ok(()), "up again");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_names_the_session_that_holds_the_migration_lock() {
    let database = TestDatabase::new().await;
    let mut holder = database.connect("ingestion").await;
    sql_query("SELECT pg_advisory_lock(hashtext('rollcall migrations'))")
        .execute(&mut holder)
        .await
        .expect("the lock");
    let connection = database.connect("rollcall").await;
    let error = migrations::run(connection, &[], Duration::from_millis(100))
        .await
        .expect_err("the lock is held")
        .to_string();
    assert!(
        error.contains("role ingestion, address") && error.contains("PID"),
        "{error}"
    );
}
