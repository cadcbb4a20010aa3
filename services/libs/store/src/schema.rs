// @generated automatically by Diesel CLI.

diesel::table! {
    api_clients (id) {
        id -> Int8,
        name -> Text,
        password_hash -> Text,
        scope -> Text,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    event_ids (event_id, source_id) {
        source_id -> Int4,
        event_id -> Text,
        digest -> Bytea,
    }
}

diesel::table! {
    sessions (session_id, source_id) {
        source_id -> Int4,
        session_id -> Text,
        person_id -> Int4,
        names_realm -> Bool,
        named_at -> Timestamptz,
        login_at -> Nullable<Timestamptz>,
        login_derived -> Bool,
        logout_at -> Nullable<Timestamptz>,
        last_activity_at -> Timestamptz,
    }
}

diesel::table! {
    source_gaps (source_id, from_at) {
        source_id -> Int4,
        from_at -> Timestamptz,
        to_at -> Timestamptz,
    }
}

diesel::table! {
    sources (id) {
        id -> Int4,
        name -> Text,
        key_hash -> Bytea,
        radius_secret -> Nullable<Text>,
        require_message_authenticator -> Bool,
        client_certificate -> Nullable<Bytea>,
        created_at -> Timestamptz,
        disabled_at -> Nullable<Timestamptz>,
        complete_through -> Nullable<Timestamptz>,
        last_restart_at -> Nullable<Timestamptz>,
        events -> Int8,
        clock_skewed -> Int8,
        last_event_at -> Nullable<Timestamptz>,
        last_received_at -> Nullable<Timestamptz>,
    }
}

diesel::joinable!(source_gaps -> sources (source_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_clients,
    event_ids,
    sessions,
    source_gaps,
    sources,
);
