//! The inbox, and requests that carried an idempotency key.

use chrono::Utc;
use farmlokal::webhooks::SigningSecret;
use serde_json::{Value, json};

use super::answer::{Answer, ids, list, text};
use super::engine::Engine;
use super::restored::{Restored, Upgraded};
use super::{on_both_engines, until};

on_both_engines!(events_keep_their_state_and_duplicates_are_known, known);
on_both_engines!(pending_and_replayed_events_are_applied, applied);
on_both_engines!(an_idempotency_key_is_answered_as_before, keyed);

async fn known(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let events = fixture.facts["events"].as_object().unwrap();
    for (id, event) in events.iter().filter(|(_, event)| event["state"] != "pending") {
        let shown = service.get(&path(&fixture, id)).await.expect(200).json();
        let outcome = shown["outcome"].as_str().unwrap_or_default();
        assert_eq!((&shown["state"], outcome), (&event["state"], text(&event["outcome"])), "{id}");
        assert_eq!(shown["payload"], event["payload"], "{id}");

        let product = async || service.get(&format!("/v1/products/{}", mapped(&fixture, "A/1"))).await.text;
        let before = product().await;
        let again = send(&fixture, &service, id, text(&event["payload"])).await.expect(200).json();
        assert_eq!(again["state"], event["state"], "{id}");
        assert_eq!(product().await, before, "{id} has an effect twice");
        send(&fixture, &service, id, &format!("{} ", text(&event["payload"]))).await.expect(409);
        let replay = async || service.send("POST", &format!("{}/replay", path(&fixture, id)), &Value::Null).await;
        if event["state"] == "processed" {
            replay().await.expect(409);
        }
    }
    let source = text(&fixture.secrets["source"]);
    let parked = service.get(&format!("/v1/webhooks/{source}/events?state=parked")).await.expect(200).json();
    let recorded = events.iter().rev().filter(|(_, event)| event["state"] == "parked").map(|(id, _)| json!(id));
    let (mut parked, mut recorded) = (ids(&parked), recorded.collect::<Vec<_>>());
    parked.sort_by_key(Value::to_string);
    recorded.sort_by_key(Value::to_string);
    assert_eq!(parked, recorded);

    // The original's way in.
    let again = service.send("POST", "/webhook", &json!({"eventId": "original-1", "data": "x"})).await.expect(200);
    assert!(again.json()["status"].is_null(), "a duplicate counts as new: {}", again.text);
}

async fn applied(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let product = async |external: i64| service.get(&format!("/v1/products/{external}")).await.expect(200).json();
    let processed = async |id: &str| {
        until(id, async || {
            let shown = service.get(&path(&fixture, id)).await.expect(200).json();
            (shown["state"] == "processed").then_some(shown)
        })
        .await
    };
    // Its product came after it, and then the old version was killed.
    processed("evt-pending").await;
    assert_eq!(product(mapped(&fixture, "C/1")).await["stock"], 77);

    // An event that is older than one of before the upgrade changes nothing.
    let known = product(mapped(&fixture, "A/1")).await;
    let late = json!({"type": "price.changed", "timestamp": "2025-01-01T12:00:00Z",
                      "data": {"externalId": "A/1", "price": "3.00"}});
    send(&fixture, &service, "evt-too-late", &late.to_string()).await.expect(202);
    processed("evt-too-late").await;
    assert_eq!(product(mapped(&fixture, "A/1")).await, known);
    let newer = json!({"type": "price.changed", "timestamp": "2025-03-01T00:00:00Z",
                       "data": {"externalId": "A/1", "price": "4.00"}});
    send(&fixture, &service, "evt-newer", &newer.to_string()).await.expect(202);
    processed("evt-newer").await;
    assert_eq!(product(mapped(&fixture, "A/1")).await["price"], "4.00");

    // A parked event waited for its product: with it there, a replay does what it says.
    let made = json!({"type": "product.upserted", "timestamp": "2024-06-01T00:00:00Z", "data": {
        "externalId": "B/1", "name": "Waited for", "category": "Dairy", "price": "9.00", "unit": "l", "producer": "Hub"}});
    send(&fixture, &service, "evt-waited-for", &made.to_string()).await.expect(202);
    processed("evt-waited-for").await;
    service.send("POST", &format!("{}/replay", path(&fixture, "evt-early")), &Value::Null).await.expect(202);
    processed("evt-early").await;
    let found = service.get("/v1/products?sort=-id&limit=1").await.expect(200).json();
    assert_eq!((&found["data"][0]["name"], &found["data"][0]["stock"]), (&json!("Waited for"), &json!(21)));
}

async fn keyed(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let kept = &fixture.facts["idempotency"];
    let (key, request) = (text(&kept["key"]), text(&kept["request"]));
    let products = fixture.database.count("products");
    let post = async |body: String| {
        let post = service.request("POST", "/v1/products").header("idempotency-key", key);
        Answer::to(post.header("content-type", "application/json").body(body)).await
    };
    let again = post(request.to_owned()).await.expect(201);
    assert_eq!((again.field("idempotent-replayed"), &*again.text), ("true", text(&kept["answer"])));
    assert_eq!((again.field("location"), again.field("etag")), (text(&kept["location"]), text(&kept["etag"])));
    post(request.replace("0.00", "1.00")).await.expect(422);
    assert_eq!(fixture.database.count("products"), products);
}

/// Id of the product that the source means by `external`.
fn mapped(fixture: &Restored, external: &str) -> i64 {
    let known = list(&fixture.facts["mappings"]).iter();
    let source = &fixture.secrets["source"];
    let mapping = known.clone().find(|one| one["source"] == *source && one["externalId"] == external);
    mapping.unwrap_or_else(|| panic!("{external} is not mapped"))["product"].as_i64().unwrap()
}

fn path(fixture: &Restored, event: &str) -> String {
    format!("/v1/webhooks/{}/events/{event}", text(&fixture.secrets["source"]))
}

/// Sends an event of the source, signed now with the secret of the old version.
async fn send(fixture: &Restored, service: &Upgraded, id: &str, payload: &str) -> Answer {
    let secret: SigningSecret = text(&fixture.secrets["sourceSecret"]).parse().unwrap();
    let at = Utc::now().timestamp();
    let url = format!("{}/v1/webhooks/{}", service.process.public, text(&fixture.secrets["source"]));
    let request = service.client.post(url).header("content-type", "application/json").header("webhook-id", id);
    let request = request.header("webhook-timestamp", at.to_string());
    let request = request.header("webhook-signature", secret.sign(id, at, payload.as_bytes()));
    Answer::to(request.body(payload.to_owned())).await
}
