//! One trace: begun by whoever applied the object, joined by the operator, its Jobs and pods, and by a request.

use std::collections::BTreeMap;

use farmlokal_testkit::http::Client;

use super::Steps;
use super::server::Shop;

/// The spans that the trace must have, by the service that sends them.
const EXPECTED: [(&str, &str); 5] = [
    ("farmlokal-operator", "reconcile FarmLokal"),
    ("farmlokal-migrate", ""),
    ("farmlokal-seed", ""),
    ("farmlokal", "farmlokal start"),
    ("farmlokal", "GET /v1/products/{id}"),
];

pub(super) fn run(shop: &Shop<'_>, steps: &mut Steps) -> Result<(), String> {
    let Some(collector) = &shop.place.collector else { return Ok(()) };
    steps.take("one trace from apply to request", || {
        let field = format!("traceparent: 00-{}-00f067aa0ba902b7-01", shop.trace);
        let (status, _) = Client::new(shop.address).send("GET /v1/products/7 HTTP/1.1", &[&field], "")?;
        if status != 200 {
            return Err(format!("a traced request was answered {status}"));
        }
        shop.place.tools.until("the spans of the trace", 60, || {
            let spans: Vec<_> = collector.spans().into_iter().filter(|span| span.trace == shop.trace).collect();
            let of = |service: &str, name: &str| {
                spans.iter().any(|span| span.resource["service.name"] == service && span.name.starts_with(name))
            };
            if let Some(missing) = EXPECTED.iter().find(|(service, name)| !of(service, name)) {
                return Err(format!("{} spans, none {missing:?}", spans.len()));
            }
            let mut count = BTreeMap::<_, usize>::new();
            spans.iter().for_each(|span| *count.entry(span.resource["service.name"].clone()).or_default() += 1);
            let parts: Vec<_> = count.iter().map(|(service, count)| format!("{service} {count}")).collect();
            Ok(Some(format!("spans: {}", parts.join(", "))))
        })
    })?;
    Ok(())
}
