//! Subscriptions: what was due is delivered, and nothing that was delivered before is sent again.

use std::collections::{BTreeMap, BTreeSet};

use farmlokal::webhooks::SigningSecret;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{list, text};
use super::engine::Engine;
use super::restored::{Restored, Upgraded};
use super::{on_both_engines, until};

on_both_engines!(due_deliveries_are_sent_and_delivered_ones_are_not, deliveries);
on_both_engines!(a_disabled_subscription_delivers_once_enabled, enabling);

/// The receivers that were active when the old version was killed, and whether they want deletions only.
const ACTIVE: [(&str, bool); 4] = [("accepts", false), ("refuses", false), ("busy", false), ("deletions", true)];

async fn deliveries(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    for (name, deletions_only) in ACTIVE {
        let mut due = in_state(&fixture, name, &["pending"]);
        // Committed by a process that was killed before it could pass them on.
        due.extend(unsent(&fixture, deletions_only));
        assert!(!due.is_empty());
        until(name, async || {
            received(&fixture, name).keys().collect::<BTreeSet<_>>().is_superset(&due.iter().collect()).then_some(())
        })
        .await;
    }
    // One more change, so that whatever was ahead of it in the log has been passed on as well.
    let patched = service.send("PATCH", "/v1/products/20", &json!({"stock": 2020})).await.expect(200).json();
    until("a new change", async || {
        let bodies = fixture.receiver.received("/receivers/accepts");
        bodies.iter().any(|one| json_of(&one.body)["data"] == patched).then_some(())
    })
    .await;
    until("the end of all deliveries", async || {
        let waiting = "SELECT COUNT(*) FROM deliveries d JOIN subscriptions s ON s.id = d.subscription_id \
                       WHERE d.state = 'pending' AND s.state = 'active'";
        (fixture.database.number(waiting) == 0).then_some(())
    })
    .await;
    for (name, deletions_only) in ACTIVE {
        let mut due = in_state(&fixture, name, &["pending"]);
        due.extend(unsent(&fixture, deletions_only));
        only(&fixture, name, &due);
    }
    assert!(received(&fixture, "gone").is_empty(), "a disabled subscription gets nothing");
    service.get(&format!("/v1/subscriptions/{}", fixture.facts["unsubscribed"])).await.expect(404);
}

async fn enabling(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let path = format!("/v1/subscriptions/{}", fixture.facts["subscriptions"]["gone"]["id"]);
    let shown = service.get(&path).await.expect(200).json();
    assert_eq!(shown["state"], "disabled");
    assert!(text(&shown["reason"]).contains("410"), "{shown}");
    let enabled = service.send("POST", &format!("{path}/enable"), &Value::Null).await.expect(200).json();
    assert_eq!(enabled["state"], "active");
    let due = in_state(&fixture, "gone", &["failed", "pending"]);
    until("what failed", async || (received(&fixture, "gone").len() >= due.len()).then_some(())).await;
    let sent = patch_until_received(&fixture, &service).await;
    assert!(sent.is_superset(&due), "{due:?} of {sent:?}");
    let mut allowed = due;
    allowed.extend(unsent(&fixture, false));
    only(&fixture, "gone", &allowed);
}

/// Changes a product, and waits until the enabled subscription has received the event.
async fn patch_until_received(fixture: &Restored, service: &Upgraded) -> BTreeSet<String> {
    let patched = service.send("PATCH", "/v1/products/21", &json!({"stock": 2121})).await.expect(200).json();
    until("a change after enabling", async || {
        let bodies = fixture.receiver.received("/receivers/gone");
        bodies.iter().any(|one| json_of(&one.body)["data"] == patched).then_some(())
    })
    .await;
    received(fixture, "gone").into_keys().collect()
}

/// Ids of the recorded deliveries to the receiver `name` that are in one of `states`.
fn in_state(fixture: &Restored, name: &str, states: &[&str]) -> BTreeSet<String> {
    let id = &fixture.facts["subscriptions"][name]["id"];
    let deliveries = list(&fixture.facts["deliveries"]).iter().filter(|one| one["subscription"] == *id);
    let chosen = deliveries.filter(|one| states.contains(&text(&one["state"])));
    chosen.map(|one| text(&one["event"]).to_owned()).collect()
}

/// Events of changes that were in the log and not passed on yet.
fn unsent(fixture: &Restored, deletions_only: bool) -> BTreeSet<String> {
    let deleted = list(&fixture.facts["deleted"]);
    let waiting = list(&fixture.facts["changes"]["waiting"]).iter();
    let wanted = waiting.filter(|one| !deletions_only || deleted.contains(&one["product"]));
    wanted.map(|one| text(&one["event"]).to_owned()).collect()
}

/// Events that the receiver `name` was sent, with their bodies; each signed with the secret of the old version.
fn received(fixture: &Restored, name: &str) -> BTreeMap<String, Vec<u8>> {
    let secret: SigningSecret = text(&fixture.facts["subscriptions"][name]["secret"]).parse().unwrap();
    let mut events = BTreeMap::new();
    for one in fixture.receiver.received(&format!("/receivers/{name}")) {
        let (id, at) = (&one.fields["webhook-id"], one.fields["webhook-timestamp"].parse().unwrap());
        assert_eq!(one.fields["webhook-signature"], secret.sign(id, at, &one.body), "{name}: {id}");
        let first = events.entry(id.clone()).or_insert_with(|| one.body.clone());
        assert_eq!(*first, one.body, "another event under the same id");
    }
    events
}

/// Asserts that the receiver `name` was sent `old` events at most, as they were recorded, and ones of later changes.
fn only(fixture: &Restored, name: &str, old: &BTreeSet<String>) {
    let changes = &fixture.facts["changes"];
    let id = &fixture.facts["subscriptions"][name]["id"];
    let prefix = format!("evt_{}_", text(&changes["identity"]));
    let recorded: BTreeMap<_, _> = list(&fixture.facts["deliveries"])
        .iter()
        .filter(|one| one["subscription"] == *id)
        .map(|one| (text(&one["event"]), text(&one["payload"])))
        .collect();
    for (event, body) in received(fixture, name) {
        let number: i64 = event.strip_prefix(&prefix).unwrap_or_else(|| panic!("{event}")).parse().unwrap();
        let new = number > changes["last"].as_i64().unwrap();
        assert!(new || old.contains(&event), "{name}: {event} was delivered before");
        if let Some(hash) = recorded.get(&*event) {
            let now: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(now, *hash, "{event} has other bytes");
        }
    }
}

fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}
