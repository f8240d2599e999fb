//! Syncs with suppliers: those that ended, and the one that the old version was killed in.

use serde_json::{Map, Value, json};

use super::answer::{Answer, list, text};
use super::engine::Engine;
use super::restored::{Restored, Upgraded};
use super::supplier::Suppliers;
use super::{on_both_engines, until};

on_both_engines!(an_interrupted_sync_goes_on_at_its_page, interrupted);
on_both_engines!(ended_syncs_are_listed_and_offers_are_recognised, ended);

async fn interrupted(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let suppliers = Suppliers::start();
    let running = list(&fixture.facts["syncs"]).iter().find(|sync| sync["state"] == "running").unwrap();
    let service = fixture.serve_with(&suppliers.settings("river-side")).operated(&fixture).await;
    let done = ends(&service, running).await;
    assert_eq!(
        without_times(&done),
        without_times(&json!({"id": running["id"], "supplier": "river-side", "state": "done", "made": 30,
                              "changed": 0, "unchanged": 0, "failed": 0, "pages": 2}))
    );
    let asked = suppliers.asked();
    assert!(!asked.is_empty() && asked.iter().all(|target| target.ends_with("cursor=20")), "{asked:?}");

    let query = [("category", "Zz Fish"), ("sort", "name"), ("limit", "100")];
    let products = Answer::to(service.request("GET", "/v1/products").query(&query)).await.expect(200).json();
    let names: Vec<_> = list(&products["data"]).iter().map(|product| text(&product["name"]).to_owned()).collect();
    assert_eq!(names, (0..30).map(|number| format!("Zz River Zz Fish {number:02}")).collect::<Vec<_>>());
    for (product, number) in list(&products["data"]).iter().zip(0..20) {
        let known = list(&fixture.facts["mappings"]).iter();
        let mapping = known.clone().find(|one| one["externalId"] == format!("Zz River-{number}")).unwrap();
        assert_eq!((&product["id"], &product["version"]), (&mapping["product"], &json!(1)), "{number}");
    }
}

async fn ended(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let suppliers = Suppliers::start();
    let names = ["green-valley", "hill-farm"];
    let settings: Vec<_> = names.into_iter().flat_map(|name| suppliers.settings(name)).collect();
    let service = fixture.serve_with(&settings).operated(&fixture).await;
    let recorded = list(&fixture.facts["syncs"]).iter();
    for sync in recorded.clone().filter(|sync| sync["state"] != "running") {
        let shown = service.get(&path(sync)).await.expect(200).json();
        assert_eq!(without_times(&shown), without_times(sync));
        assert!(shown["finishedAt"].is_string(), "{shown}");
    }
    let shown = service.get("/v1/suppliers").await.expect(200).json();
    for supplier in list(&shown["data"]) {
        let last = recorded.clone().rfind(|sync| sync["supplier"] == supplier["name"]).unwrap();
        assert_eq!(without_times(&supplier["lastSync"]), without_times(last));
    }

    // The same offers again are the products of before.
    let asked = service.send("POST", "/v1/suppliers/green-valley/sync", &Value::Null).await.expect(202).json();
    let done = ends(&service, &asked).await;
    assert_eq!(
        (&done["state"], &done["made"], &done["changed"], &done["unchanged"]),
        (&json!("done"), &json!(0), &json!(0), &json!(25))
    );
    assert!(done["id"].as_i64() > recorded.filter_map(|sync| sync["id"].as_i64()).max(), "{done} reuses an id");
}

/// Waits for the end of `sync`.
async fn ends(service: &Upgraded, sync: &Value) -> Value {
    until("the end of a sync", async || {
        let shown = service.get(&path(sync)).await.expect(200).json();
        (shown["state"] == "done" || shown["state"] == "failed").then_some(shown)
    })
    .await
}

fn path(sync: &Value) -> String {
    format!("/v1/suppliers/{}/syncs/{}", text(&sync["supplier"]), sync["id"])
}

/// `sync` without its times, which were moved.
fn without_times(sync: &Value) -> Map<String, Value> {
    let fields = sync.as_object().unwrap().clone();
    fields.into_iter().filter(|(name, _)| !name.ends_with("At")).collect()
}
