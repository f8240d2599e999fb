//! What a sync brings into the catalogue.

use serde_json::{Value, json};

use crate::farm::{Farm, Mood, offer};
use crate::service::{Service, ended};

/// Those counts of a sync that are not 0.
fn counts(sync: &Value) -> Value {
    let names = ["made", "changed", "unchanged", "failed", "pages"];
    names.into_iter().filter(|name| sync[*name] != 0).map(|name| (name.to_owned(), sync[name].clone())).collect()
}

async fn brings_every_page(service: Service, farm: Farm) {
    let sync = service.sync().await;
    assert_eq!((&sync["state"], counts(&sync)), (&json!("done"), json!({"made": 250, "pages": 3})));
    assert!(sync["requestedAt"].is_string() && sync["startedAt"].is_string() && sync["finishedAt"].is_string());
    assert_eq!(sync.get("error"), None);
    assert_eq!(service.products().await, 250);

    let again = service.sync().await;
    assert_eq!(counts(&again), json!({"unchanged": 250, "pages": 3}), "the same once more changes nothing");
    assert!(again["id"].as_i64() > sync["id"].as_i64());

    {
        let mut farm = farm.state();
        farm.offers[7] = offer(7, "9.99");
        farm.offers[8]["price"] = json!(9.99);
        farm.offers.push(offer(250, "1.50"));
        farm.offers.push(offer(0, "1.50"));
    }
    let mixed = service.sync().await;
    assert_eq!(counts(&mixed), json!({"made": 1, "changed": 1, "unchanged": 248, "failed": 1, "pages": 3}));
    assert_eq!(service.products().await, 251);
    let dear = service.json("/v1/products?minPrice=9&sort=price").await;
    assert_eq!((&dear["data"][0]["name"], dear["data"].as_array().unwrap().len()), (&json!("Milk 7"), 1));

    let suppliers = service.json("/v1/suppliers").await;
    assert_eq!(suppliers, json!({"data": [{"name": "green-valley", "breaker": "closed", "lastSync": mixed}]}));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_brings_every_page_on_sqlite() {
    let farm = Farm::start(250).await;
    brings_every_page(Service::start(&farm.section()).await, farm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_brings_every_page_on_mariadb() {
    let farm = Farm::start(250).await;
    brings_every_page(Service::start_on_mariadb(&farm.section()).await, farm).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_one_sync_at_a_time() {
    let farm = Farm::start(250).await;
    farm.mood(Mood::Slow(std::time::Duration::from_millis(100)));
    let service = Service::start(&farm.section()).await;
    let mut locations = Vec::new();
    for _ in 0..10 {
        let response = service.post("/v1/suppliers/green-valley/sync").await;
        assert_eq!(response.status(), 202);
        locations.push(response.headers()["location"].clone());
    }
    locations.dedup();
    assert_eq!(locations, ["/v1/suppliers/green-valley/syncs/1"]);
    assert_eq!(counts(&service.sync().await), json!({"made": 250, "pages": 3}));
    assert_eq!(farm.state().asked, 3, "each page once");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_one_sync() {
    let farm = Farm::start(250).await;
    farm.mood(Mood::Slow(std::time::Duration::from_millis(100)));
    let one = Service::start_on_mariadb(&farm.section()).await;
    let other = one.another(&farm.section()).await;
    let path = "/v1/suppliers/green-valley/sync";
    let (here, there) = tokio::join!(one.post(path), other.post(path));
    assert_eq!((here.status().as_u16(), there.status().as_u16()), (202, 202));
    assert_eq!(here.headers()["location"], there.headers()["location"]);
    let location = here.headers()["location"].to_str().unwrap();
    let (here, there) = (format!("{}{location}", one.base), format!("{}{location}", other.base));
    let (here, there) = tokio::join!(ended(&one.client, &here), ended(&other.client, &there));
    assert_eq!(counts(&here), json!({"made": 250, "pages": 3}));
    assert_eq!(here, there, "whoever is asked knows it");
    assert_eq!(farm.state().asked, 3, "each page once");
    // Whoever is left goes on with what the other one cannot.
    farm.mood(Mood::Slow(std::time::Duration::from_millis(300)));
    let asked = one.post(path).await.headers()["location"].to_str().unwrap().to_owned();
    other.stop().await;
    let sync = ended(&one.client, &format!("{}{asked}", one.base)).await;
    assert_eq!(counts(&sync), json!({"unchanged": 250, "pages": 3}));
    one.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_paging_comes_to_an_end() {
    for (mood, why, made) in [(Mood::Circle, "circle", 250), (Mood::Endless, "without anything new", 100)] {
        let farm = Farm::start(250).await;
        farm.mood(mood);
        let service = Service::start(&farm.section()).await;
        let sync = service.sync().await;
        assert_eq!((&sync["state"], &sync["finishedAt"].is_string()), (&json!("failed"), &true), "{sync}");
        assert!(sync["error"].as_str().unwrap().contains(why), "{sync}");
        assert!(sync["made"].as_i64().unwrap() >= made, "what came is kept: {sync}");
        assert!(farm.state().asked < 20, "{}", farm.state().asked);
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_not_found() {
    let farm = Farm::start(1).await;
    let service = Service::start(&farm.section()).await;
    let problem = |status: u16, kind: &str, response: reqwest::Response| {
        let kind = format!("urn:farmlokal:problem:{kind}");
        async move {
            assert_eq!(response.status(), status);
            assert_eq!(response.json::<Value>().await.unwrap()["type"], kind);
        }
    };
    for name in ["hill-farm", "Green-Valley", "%20", "%FF"] {
        let path = format!("/v1/suppliers/{name}/sync");
        let response = service.post(&path).await;
        if name == "%FF" {
            assert!(response.status().is_client_error(), "{name}");
        } else {
            problem(404, "no-such-supplier", response).await;
        }
    }
    for id in ["7", "9223372036854775807"] {
        problem(404, "no-such-sync", service.get(&format!("/v1/suppliers/green-valley/syncs/{id}")).await).await;
    }
    for id in ["0", "x", "-1"] {
        problem(400, "invalid-parameter", service.get(&format!("/v1/suppliers/green-valley/syncs/{id}")).await).await;
    }
    problem(405, "method-not-allowed", service.get("/v1/suppliers/green-valley/sync").await).await;
    let url = format!("{}/v1/suppliers/green-valley/sync", service.base);
    problem(401, "token-missing", reqwest::Client::new().post(url).send().await.unwrap()).await;
    service.stop().await;
}
