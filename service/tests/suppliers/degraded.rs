//! What clients see when the supplier is slow, wrong or away: a clear answer, and in time.

use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use crate::farm::{Farm, Mood};
use crate::service::{Service, until};

/// More than a request may take with the farm's section, on a busy machine.
const SOON: Duration = Duration::from_secs(4);

async fn assert_failed(response: Response) {
    assert_eq!(response.status(), 504);
    assert_eq!(response.text().await.unwrap(), r#"{"error":"External API timed out or failed"}"#);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_original_operation_answers_as_it_did() {
    let farm = Farm::start(3).await;
    let service = Service::start(&farm.section()).await;
    let response = service.get("/external-sync").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"data": farm.state().offers, "nextCursor": null}), "what the farm wrote, all of it");
    assert_eq!(service.products().await, 0, "nothing is kept");
    farm.mood(Mood::Status(500));
    assert_failed(service.get("/external-sync").await).await;
    service.stop().await;

    let service = Service::start("").await;
    assert_failed(service.get("/external-sync").await).await;
    assert_eq!(service.json("/v1/suppliers").await, json!({"data": []}));
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_the_answer_is_clear_and_in_time() {
    for (mood, why) in [
        (Mood::Slow(Duration::from_secs(60)), "did not answer in time"),
        (Mood::Status(500), "it answered 500"),
        (Mood::Status(404), "it answered 404"),
        (Mood::Status(302), "it answered 302"),
        (Mood::Garbage, "no page of offers"),
        (Mood::WrongTypes, "no page of offers"),
        (Mood::Truncated, "broke off"),
        (Mood::Huge, "more than 4194304 bytes"),
        (Mood::Locked, "does not take our token"),
    ] {
        let farm = Farm::start(3).await;
        farm.mood(mood);
        let service = Service::start(&farm.section()).await;
        let start = Instant::now();
        let sync = service.sync().await;
        assert!(start.elapsed() < SOON, "{mood:?} took {:?}", start.elapsed());
        assert_eq!(sync["state"], "failed", "{mood:?}");
        let error = sync["error"].as_str().unwrap();
        assert!(error.starts_with("the supplier failed: ") && error.contains(why), "{mood:?}: {error}");
        assert!(!sync.to_string().contains("hunter2"), "what it wrote is not repeated: {sync}");
        let start = Instant::now();
        if mood != Mood::WrongTypes {
            assert_failed(service.get("/external-sync").await).await;
        }
        assert!(start.elapsed() < SOON, "{mood:?} took {:?}", start.elapsed());

        farm.mood(Mood::Fine);
        let sync = until("the farm is asked again", async || {
            let asked = service.post("/v1/suppliers/green-valley/sync").await;
            if asked.status() != 202 {
                return None;
            }
            let sync = service.sync().await;
            (sync["state"] == "done").then_some(sync)
        });
        assert_eq!(sync.await["state"], "done", "{mood:?}");
        assert_eq!(service.products().await, 3, "{mood:?}");
        service.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_farm_that_is_away_is_unreachable() {
    let farm = Farm::start(0).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let section = farm.section().replace(&farm.address.to_string(), &nobody.to_string());
    let service = Service::start(&section).await;
    assert_failed(service.get("/external-sync").await).await;
    let error = service.sync().await["error"].to_string();
    assert!(error.contains("no token: it cannot be reached"), "{error}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flapping_is_outlasted() {
    let farm = Farm::start(250).await;
    farm.mood(Mood::Flapping);
    let service = Service::start(&farm.section()).await;
    let sync = service.sync().await;
    assert_eq!((&sync["state"], &sync["made"]), (&json!("done"), &json!(250)), "{sync}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_before_the_failure_is_kept() {
    let farm = Farm::start(250).await;
    farm.mood(Mood::FailsFrom(200));
    let service = Service::start(&farm.section()).await;
    let sync = service.sync().await;
    assert_eq!((&sync["state"], &sync["made"], &sync["pages"]), (&json!("failed"), &json!(200), &json!(2)), "{sync}");
    assert_eq!(service.products().await, 200);
    farm.mood(Mood::Fine);
    let sync = service.sync().await;
    assert_eq!((&sync["made"], &sync["unchanged"]), (&json!(50), &json!(200)), "{sync}");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_breaker_opens_and_finds_out() {
    let farm = Farm::start(3).await;
    farm.mood(Mood::Status(500));
    let service = Service::start(&farm.section()).await;
    let breaker = async || service.json("/v1/suppliers").await["data"][0].clone();
    assert_eq!(breaker().await["breaker"], "closed");
    // It stays open for a second at first, so look at once.
    until("the breaker opens", async || {
        assert_failed(service.get("/external-sync").await).await;
        (breaker().await["breaker"] == "open").then_some(())
    })
    .await;
    let asked = farm.state().asked;
    let refused = service.post("/v1/suppliers/green-valley/sync").await;
    let open = breaker().await;
    if open["breaker"] == "open" {
        assert_eq!(refused.status(), 503);
        let seconds: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&seconds));
        assert_eq!(refused.json::<Value>().await.unwrap()["type"], "urn:farmlokal:problem:supplier-unavailable");
        assert!(open["retryAfterSeconds"].as_u64().unwrap() >= 1);
        assert_eq!(farm.state().asked, asked, "nobody asks a farm that is left alone");
    }
    // Many ask while it is half open: one finds out, and the pause is a longer one.
    until("it is half open", async || (breaker().await["breaker"] == "half_open").then_some(())).await;
    let asked = farm.state().asked;
    let all: Vec<_> = (0..10).map(|_| service.client.get(format!("{}/external-sync", service.base)).send()).collect();
    for request in all.into_iter().map(tokio::spawn).collect::<Vec<_>>() {
        assert_failed(request.await.unwrap().unwrap()).await;
    }
    assert_eq!(farm.state().asked, asked + 1);

    farm.mood(Mood::Fine);
    until("it closes", async || (service.get("/external-sync").await.status() == 200).then_some(())).await;
    assert_eq!(breaker().await["breaker"], "closed");
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_are_a_part_of_the_requests() {
    let farm = Farm::start(3).await;
    farm.mood(Mood::Status(429));
    let service = Service::start(&farm.section()).await;
    for _ in 0..100 {
        assert_failed(service.get("/external-sync").await).await;
    }
    let asked = farm.state().asked;
    assert!((105..=130).contains(&asked), "100 requests, and a fifth of it in retries: {asked}");
    service.stop().await;
}
