// @generated automatically by Diesel CLI.

diesel::table! {
    api_clients (id) {
        id -> Int8,
        name -> Text,
        password_hash -> Text,
        scope -> Text,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        failures -> Int4,
        failure_window_at -> Timestamptz,
    }
}

diesel::table! {
    audit_log (id) {
        id -> Int8,
        at -> Timestamptz,
        actor -> Text,
        action -> Text,
        detail -> Jsonb,
    }
}

diesel::table! {
    events (source_id, event_id) {
        source_id -> Int4,
        event_id -> Text,
        digest -> Bytea,
        kind -> Text,
        session_id -> Nullable<Text>,
        user_name -> Nullable<Text>,
        realm -> Nullable<Text>,
        occurred_at -> Timestamptz,
        received_at -> Timestamptz,
        reason -> Nullable<Text>,
        display_name -> Nullable<Text>,
        client_ip -> Nullable<Text>,
        wan_ip -> Nullable<Text>,
        mac -> Nullable<Text>,
        device -> Nullable<Text>,
        active_seconds -> Nullable<Int8>,
        complete_through -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    sessions (source_id, session_id) {
        source_id -> Int4,
        session_id -> Text,
        user_name -> Text,
        user_at -> Timestamptz,
        user_key -> Text,
        realm -> Text,
        realm_at -> Timestamptz,
        realm_key -> Text,
        login_at -> Nullable<Timestamptz>,
        logout_at -> Nullable<Timestamptz>,
        last_seen_at -> Timestamptz,
    }
}

diesel::table! {
    sources (id) {
        id -> Int4,
        name -> Text,
        key_hash -> Bytea,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        complete_through -> Nullable<Timestamptz>,
        last_restart_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(events -> sources (source_id));
diesel::joinable!(sessions -> sources (source_id));

diesel::allow_tables_to_appear_in_same_query!(api_clients, audit_log, events, sessions, sources,);
