//! Every SQL file of the crate is a valid statement for the migrated schema, and the statements
//! whose speed matters use the index that was made for them.

use std::path::{Path, PathBuf};

use diesel::{QueryableByName, sql_query, sql_types::Text};
use rollcall_test_support::TestDatabase;

fn sql_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(sql_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sql_file_can_be_prepared() {
    let database = TestDatabase::new().await;
    let files = sql_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 8, "{files:?}");
    for (number, file) in files.iter().enumerate() {
        let statement = std::fs::read_to_string(file).expect("text");
        database
            .execute(&format!("PREPARE statement_{number} AS {statement}"))
            .await;
    }
}

/// Returns the plan of a statement with these arguments in a database of 20,000 sessions.
async fn plan(statement: &str, types: &str, arguments: &str) -> String {
    use diesel_async::RunQueryDsl;

    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
        text: String,
    }
    let database = with_sessions().await;
    let mut connection = database.connect("reporting").await;
    sql_query(format!("PREPARE explained ({types}) AS {statement}"))
        .execute(&mut connection)
        .await
        .expect("a prepared statement");
    let explained = sql_query(format!("EXPLAIN EXECUTE explained ({arguments})"));
    let lines: Vec<Line> = explained.load(&mut connection).await.expect("a plan");
    lines.into_iter().map(|line| line.text + "\n").collect()
}

async fn with_sessions() -> TestDatabase {
    let database = TestDatabase::new().await;
    database
        .execute("INSERT INTO sources (name, key_hash) VALUES ('gateway', 'x')")
        .await;
    database
        .execute(
            "INSERT INTO persons
                 (normalized_user, normalized_realm, reported_on, display_user, display_realm)
             SELECT 'user' || number, 'default', '2025-01-01', 'User' || number, 'Default'
             FROM generate_series(1, 2000) AS number",
        )
        .await;
    database
        .execute(
            "INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
                 login_at, logout_at, last_activity_at, first_event_at)
             SELECT 1, number::text, number % 2000 + 1, true, login_at, login_at,
                 login_at + interval '1 hour', login_at + interval '1 hour', login_at
             FROM generate_series(1, 20000) AS number, LATERAL (
                 SELECT timestamptz '2025-01-01' + number * interval '10 minutes' AS login_at
             ) AS logins",
        )
        .await;
    database
        .execute(
            "INSERT INTO employee_mappings (person_id, employee_id) SELECT id, id FROM persons",
        )
        .await;
    database
        .execute("VACUUM ANALYZE sessions, persons, employee_mappings")
        .await;
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn report_of_all_persons_reads_the_covering_index_alone() {
    let plan = plan(
        include_str!("../src/sessions/report.sql"),
        "timestamptz, timestamptz, timestamptz, text, bigint",
        "'2025-02-01', '2025-02-02', '2025-03-01', NULL, 86400",
    )
    .await;
    assert!(
        plan.contains("Index Only Scan using sessions_by_login"),
        "{plan}"
    );
    assert!(!plan.contains("Function Scan"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn report_of_one_user_uses_the_index_of_persons() {
    let plan = plan(
        include_str!("../src/sessions/report_of_user.sql"),
        "timestamptz, timestamptz, timestamptz, text, bigint, text",
        "'2025-02-01', '2025-03-02', '2025-03-01', NULL, 86400, 'user7'",
    )
    .await;
    assert!(plan.contains("sessions_by_person"), "{plan}");
    assert!(!plan.contains("Function Scan"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attendance_of_a_day_reads_the_covering_index_alone() {
    let plan = plan(
        include_str!("../src/attendance/persons_by_day.sql"),
        "date[], timestamptz[], timestamptz, timestamptz, integer[], text, text, bigint, bigint",
        "'{2025-02-01}', '{2025-02-01}', '2025-02-02', '2025-03-01', NULL, NULL, NULL, NULL, 86400",
    )
    .await;
    assert!(
        plan.contains("Index Only Scan using sessions_by_login"),
        "{plan}"
    );
    assert!(!plan.contains("Function Scan"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attendance_of_one_person_uses_the_index_of_persons() {
    for statement in [
        include_str!("../src/attendance/persons_by_day.sql"),
        include_str!("../src/attendance/persons_by_period.sql"),
    ] {
        let plan = plan(
            statement,
            "date[], timestamptz[], timestamptz, timestamptz, integer[], text, text, bigint,
                bigint",
            "'{2025-02-01,2025-02-02}', '{2025-02-01,2025-02-02}', '2025-02-03', '2025-03-01',
                '{7}', NULL, NULL, NULL, 86400",
        )
        .await;
        assert!(plan.contains("sessions_by_person"), "{plan}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_and_employees_without_sessions_are_found_without_reading_all_sessions() {
    let persons = plan(
        include_str!("../src/directory/people.sql"),
        "date, text[], text[], text[], boolean, timestamptz, text, text, bigint",
        "'2025-05-01', '{}', '{}', NULL, NULL, '2025-03-01', NULL, NULL, 1001",
    )
    .await;
    let employees = plan(
        include_str!("../src/directory/employees.sql"),
        "text[], date, timestamptz[], text, bigint",
        "NULL, '2025-03-01', '{2025-03-01,2025-03-02,2025-03-03}', NULL, 1001",
    )
    .await;
    for (plan, look_up) in [
        (persons, "person_id = persons.id"),
        (employees, "person_id = own.person_id"),
    ] {
        assert!(plan.contains("using sessions_by_person"), "{plan}");
        assert!(
            plan.contains(&format!("Index Cond: (({look_up})")),
            "{plan}"
        );
        assert!(!plan.contains("sessions_by_login"), "{plan}");
    }
}

/// Returns the plan of the general statement for two days, by login or by overlap.
async fn plan_of_rows(person_ids: &str, is_overlap: bool) -> String {
    plan(
        include_str!("../src/attendance/rows.sql"),
        "date[], text[], timestamptz[], timestamptz[], timestamptz, integer[], text[], boolean,
            boolean, boolean, boolean, timestamptz, date, text, text, text, bigint, bigint",
        &format!(
            "'{{2025-02-01,2025-02-02}}', '{{NULL,NULL}}', '{{2025-02-01,2025-02-02}}',
                '{{2025-02-02,2025-02-03}}', '2025-03-01', {person_ids}, NULL, true, false,
                {is_overlap}, false, NULL, NULL, NULL, NULL, NULL, NULL, 86400"
        ),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn general_attendance_plans_nothing_for_what_a_flag_switches_off() {
    let plan = plan_of_rows("NULL", false).await;
    assert!(
        plan.contains("Index Only Scan using sessions_by_login"),
        "{plan}"
    );
    assert!(!plan.contains("sessions_long"), "{plan}");
    assert_eq!(plan.matches("WindowAgg").count(), 2, "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn attendance_by_overlap_finds_long_sessions_by_their_index() {
    let plan = plan_of_rows("NULL", true).await;
    assert!(plan.contains("sessions_long"), "{plan}");
    assert!(!plan.contains("Seq Scan on sessions"), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn general_attendance_of_one_person_uses_the_index_of_persons() {
    let plan = plan_of_rows("'{7}'", false).await;
    assert!(plan.contains("sessions_by_person"), "{plan}");
}
