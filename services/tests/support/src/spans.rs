//! Spans of a test, in place of a collector.

use std::sync::{Arc, Mutex, PoisonError};

use tracing::{Subscriber, span};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// Records each new span as the path of its names from the root, without the root.
#[derive(Clone, Default)]
pub struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        let scope = context.span_scope(id).into_iter();
        let names = scope.flat_map(|scope| scope.from_root().skip(1));
        let path: Vec<&str> = names.map(|span| span.name()).collect();
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.push(path.join("/"));
    }
}

impl Spans {
    /// Records the spans of this process. At most one test of a test binary can do this.
    #[must_use]
    pub fn record() -> Self {
        let spans = Self::default();
        let subscriber = Registry::default().with(spans.clone());
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber");
        spans
    }

    /// Asserts that these spans began.
    pub fn assert_contain(&self, expected: &[&str]) {
        let spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for span in expected {
            assert!(spans.iter().any(|path| path == span), "{span}: {spans:?}");
        }
    }
}
