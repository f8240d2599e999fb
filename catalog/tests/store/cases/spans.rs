//! What traces see of the store: a span an operation, one of waiting where there was any, and no value ever.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use farmlokal_catalog::store::{Options, Store};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::{Instrument as _, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::engine::{Shop, conformance, patient};
use crate::sample::{at, filter, id, limit, priced, product, query};

conformance!(an_operation_is_a_span, waiting_is_one_where_there_was_any);

/// A span: its name, its parent's, and its fields as text.
#[derive(Debug, Clone, Default)]
struct Seen {
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<&'static str, String>,
}

impl Seen {
    fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// Remembers every span.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<BTreeMap<u64, Seen>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let parent = context.span(id).and_then(|span| span.parent()).map(|parent| parent.id().into_u64());
        let mut seen = Seen { name: attributes.metadata().name(), parent, ..Seen::default() };
        attributes.record(&mut seen);
        self.0.lock().unwrap().insert(id.into_u64(), seen);
    }
    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        if let Some(seen) = self.0.lock().unwrap().get_mut(&id.into_u64()) {
            values.record(seen);
        }
    }
}

impl Spans {
    /// What spans there are after `call`, in a span of its own named `request`.
    async fn of<T>(call: impl Future<Output = T>) -> (T, Vec<Seen>) {
        let spans = Self::default();
        let registry = Registry::default().with(spans.clone());
        let inside = async {
            // A place that another test reached first, without a subscriber, may count as of no interest.
            tracing::callsite::rebuild_interest_cache();
            call.instrument(info_span!("request")).await
        };
        let done = inside.with_subscriber(registry).await;
        let seen = spans.0.lock().unwrap().values().filter(|span| span.name != "request").cloned().collect();
        (done, seen)
    }
}

async fn an_operation_is_a_span(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let (found, seen) = Spans::of(shop.store.get(id(1))).await;
    found.unwrap();
    let [span] = &*seen else { panic!("{seen:?}") };
    assert!(span.parent.is_some());
    for (field, value) in [
        ("otel.name", "SELECT products"),
        ("otel.kind", "client"),
        ("db.query.summary", "SELECT products"),
        ("db.operation.name", "SELECT"),
        ("error.type", ""),
        ("otel.status_code", ""),
    ] {
        assert_eq!(span.field(field), value, "{field} of {span:?}");
    }
    assert!(["sqlite", "mariadb"].contains(&span.field("db.system.name")), "{span:?}");

    let (missing, seen) = Spans::of(shop.store.get(id(9))).await;
    assert!(missing.is_err() && seen[0].field("error.type").is_empty(), "not there is an answer: {seen:?}");

    shop.database.sql("DROP TABLE products").await;
    let (broken, seen) = Spans::of(shop.store.get(id(1))).await;
    assert!(broken.is_err());
    assert_eq!((seen[0].field("error.type"), seen[0].field("otel.status_code")), ("unavailable", "ERROR"));
}

/// A secret category is listed behind a caller that has the only connection.
async fn waiting_is_one_where_there_was_any(shop: &Shop) {
    shop.store.create(product("Milk", "Dairy", "1.00"), at(0)).await.unwrap();
    let store = shop.reopen(&Options { max_connections: 1, ..patient() }).await;
    let held = shop.database.hold().await;
    let write = |store: Arc<dyn Store>| async move { store.update(id(1), priced("2.00"), None, at(1)).await };
    let first = tokio::spawn(write(Arc::clone(&store)));
    let deadline = Instant::now() + Duration::from_secs(20);
    while store.pools().iter().all(|pool| pool.in_use == 0) {
        assert!(Instant::now() < deadline, "the first caller gets no connection");
        tokio::task::yield_now().await;
    }
    // The second one waits from its first step on.
    let second = Spans::of(write(Arc::clone(&store)));
    let free = async {
        while store.pools().iter().all(|pool| pool.waiting == 0) {
            assert!(Instant::now() < deadline, "the second caller does not wait");
            tokio::task::yield_now().await;
        }
        drop(held);
    };
    let ((written, seen), ()) = tokio::join!(second, free);
    written.unwrap();
    first.await.unwrap().unwrap();
    let names: Vec<_> = seen.iter().map(|span| span.name).collect();
    assert_eq!(names, ["database", "pool wait"], "{seen:?}");
    assert!(["primary", "writer"].contains(&seen[1].field("db.client.connection.pool.name")), "{seen:?}");

    while store.pools().iter().any(|pool| pool.in_use > 0) {
        assert!(Instant::now() < deadline, "the connection does not come back");
        tokio::task::yield_now().await;
    }
    let secret = query(&filter("Hushhush", "", ""), "");
    let (_, seen) = Spans::of(store.list(&secret, None, limit(20))).await;
    assert_eq!(seen.len(), 1, "nobody waits any more: {seen:?}");
    assert!(!format!("{seen:?}").to_lowercase().contains("hushhush"));
}
