//! Spans of a sign-in.

use std::sync::{Arc, Mutex, PoisonError};

use rollcall_test_support::Rollcall;
use serde_json::json;
use tracing::{Subscriber, span};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// Records each new span as the path of its names from the root, without the root.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let scope = context.span_scope(id).into_iter();
        let names = scope.flat_map(|scope| scope.from_root().skip(1));
        let path: Vec<&str> = names.map(|span| span.name()).collect();
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.push(path.join("/"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_of_a_sign_in_shows_database_hashing_signature_and_redis() {
    let spans = Spans::default();
    let subscriber = Registry::default().with(spans.clone());
    tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
    let rollcall = Rollcall::start().await;
    let (username, password) = rollcall.client("reporting:read").await;
    let url = format!("http://{}/api/v1/auth/connect", rollcall.auth);
    let body = json!({"username": username, "password": password});
    let response = rollcall.http.post(url).json(&body).send().await;
    assert_eq!(response.expect("a response").status(), 200);
    let spans = spans.0.lock().unwrap_or_else(PoisonError::into_inner);
    for span in [
        "sign_in/database.sign_ins.look_up",
        "sign_in/database.sign_ins.begin",
        "sign_in/password.verify/password.hash",
        "sign_in/database.sign_ins.succeeded",
        "token.issue/token.sign",
        "token.issue/redis.add",
    ] {
        assert!(spans.iter().any(|path| path == span), "{span}: {spans:?}");
    }
}
