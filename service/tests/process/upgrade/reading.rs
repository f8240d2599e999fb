//! Products, counts, entity tags and cursors.

use serde_json::json;

use super::answer::{Answer, ids, list, text};
use super::engine::Engine;
use super::on_both_engines;
use super::restored::Restored;

on_both_engines!(products_keep_their_bytes_and_tags, products);
on_both_engines!(cursors_continue_or_are_refused_as_documented, cursors);

async fn products(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    let samples = list(&fixture.facts["samples"]);
    for sample in samples {
        let (path, tag) = (format!("/v1/products/{}", sample["id"]), text(&sample["etag"]));
        let answer = service.get(&path).await.expect(200);
        assert_eq!((&*answer.text, answer.field("etag")), (text(&sample["body"]), tag), "{path}");
        let conditional = Answer::to(service.request("GET", &path).header("if-none-match", tag)).await;
        assert_eq!((conditional.status, &*conditional.text), (304, ""), "{path}");
    }
    let categories = service.get("/v1/categories").await.expect(200).json();
    assert_eq!(categories["data"], fixture.facts["categories"]);
    for id in list(&fixture.facts["deleted"]) {
        service.get(&format!("/v1/products/{id}")).await.expect(404);
    }

    // An old tag is good for one write.
    let sample = samples.last().unwrap();
    let write = async || {
        let patch = service.request("PATCH", &format!("/v1/products/{}", sample["id"])).json(&json!({"stock": 5}));
        Answer::to(patch.header("if-match", text(&sample["etag"]))).await
    };
    let before: serde_json::Value = serde_json::from_str(text(&sample["body"])).unwrap();
    let after = write().await.expect(200).json();
    assert_eq!(after["version"], before["version"].as_i64().unwrap() + 1);
    assert_eq!((&after["createdAt"], &after["name"]), (&before["createdAt"], &before["name"]));
    write().await.expect(412);

    // The last id was given to a product that is deleted; no other product gets it.
    let last = list(&fixture.facts["deleted"]).iter().filter_map(serde_json::Value::as_i64).max().unwrap();
    let new = json!({"name": "New", "category": "फल", "price": "1.00", "unit": "1 kg", "producer": "Farm"});
    let made = service.send("POST", "/v1/products", &new).await.expect(201).json();
    assert!(made["id"].as_i64().unwrap() > last, "{made} reuses an id");
    let count = |categories: &serde_json::Value| {
        list(categories).iter().find(|one| one["name"] == "फल").and_then(|one| one["products"].as_i64()).unwrap()
    };
    let now = service.get("/v1/categories").await.expect(200).json();
    assert_eq!(count(&now["data"]), count(&fixture.facts["categories"]) + 1);
}

async fn cursors(release: &str, engine: Engine) {
    let fixture = Restored::migrated(release, engine);
    let service = fixture.serve_operator().await;
    service.indexed().await;
    // One product was deleted after the cursors were handed out.
    let deleted = list(&fixture.facts["deleted"]);
    for scan in list(&fixture.facts["scans"]) {
        let follow = async |cursor: &str| {
            let query = [("cursor", cursor), ("limit", "10")];
            Answer::to(service.request("GET", "/v1/products").query(&query)).await
        };
        let answer = follow(text(&scan["cursor"])).await;
        let refused = answer.status == 410 && answer.problem() == "cursor-expired"
            || answer.status == 400 && answer.problem() == "invalid-cursor";
        // Only searches depend on who understands the words.
        if !(refused && scan["by"] != "table") {
            let page = answer.expect(200).json();
            // InnoDB ranks by statistics of its full text, which a dump leaves behind: such a scan continues elsewhere.
            let ranked_by_statistics = scan["by"] == "sql" && scan["query"]["sort"].is_null();
            if !(ranked_by_statistics && engine == Engine::Mariadb) {
                assert_eq!(ids(&page), list(&scan["ids"]), "{} by {}", scan["query"], scan["by"]);
            }
        }
        let mut forged = text(&scan["cursor"]).to_owned();
        forged.replace_range(..1, if forged.starts_with('A') { "B" } else { "A" });
        follow(&forged).await.expect(400);

        // The same query without a cursor gives the page before; SQL ranks in its own way.
        if scan["by"] != "sql" {
            let query: Vec<_> = scan["query"].as_object().unwrap().iter().collect();
            let first = service.request("GET", "/v1/products?limit=10").query(&query);
            let page = ids(&Answer::to(first).await.expect(200).json());
            let recorded = list(&scan["first"]).iter().filter(|id| !deleted.contains(id));
            assert!(
                page.iter().zip(recorded.clone()).all(|(one, other)| one == other) && recorded.count() > 5,
                "{}: {page:?}",
                scan["query"]
            );
        }
    }
    for listing in list(&fixture.facts["listings"]) {
        let query = [("cursor", text(&listing["cursor"])), ("limit", "2")];
        let page = Answer::to(service.request("GET", text(&listing["path"])).query(&query)).await.expect(200).json();
        assert_eq!(ids(&page), list(&listing["ids"]), "{}", listing["path"]);
    }
}
