//! A sync outlives the process that began it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farmlokal_testkit::port;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::farm::{Farm, Mood};
use crate::service::{ended, entitled, until};

/// The real program on an embedded database; killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it in `folder` with `farm` as its supplier, configured by the environment alone.
async fn start(folder: &TempDir, farm: &Farm) -> (Program, String, Client) {
    let (public, admin) = (format!("127.0.0.1:{}", port::free()), format!("127.0.0.1:{}", port::free()));
    let supplier = |key: &str| format!("FARMLOKAL_SUPPLIERS__GREEN_VALLEY__{key}");
    let child = Command::new(env!("CARGO_BIN_EXE_farmlokal"))
        .env("FARMLOKAL_HTTP__LISTEN", &public)
        .env("FARMLOKAL_ADMIN__LISTEN", &admin)
        .env("FARMLOKAL_HTTP__DRAIN_DELAY_MS", "0")
        .env("FARMLOKAL_DATA__DIR", folder.path())
        .env("FARMLOKAL_SEED__ROWS", "0")
        .env_remove("FARMLOKAL_DATABASE__URL")
        .env(supplier("BASE_URL"), format!("http://{}/api/", farm.address))
        .env(supplier("TOKEN_URL"), format!("http://{}/token", farm.address))
        .env(supplier("CLIENT_ID"), "us")
        .env(supplier("CLIENT_SECRET"), "hunter2")
        .env(supplier("PAGE_SIZE"), "10")
        .env(supplier("TIMEOUT_MS"), "500")
        .env(supplier("DEADLINE_MS"), "1000")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (program, base) = (Program(child), format!("http://{public}"));
    let open = format!("{base}/v1/categories");
    until("it serves", async || reqwest::get(&open).await.ok().filter(|answer| answer.status() == 200)).await;
    let database = format!("sqlite:{}", folder.path().join("farmlokal.db").display());
    let client = entitled(&database, &base).await;
    (program, base, client)
}

/// Begins a sync, waits until some pages are in, ends the process with `signal` and starts another one: what
/// the sync is in the end.
async fn interrupted_by(signal: &str) -> (Value, usize, Farm, Duration) {
    let (farm, folder) = (Farm::start(250).await, TempDir::new().unwrap());
    farm.mood(Mood::Slow(Duration::from_millis(60)));
    let (mut program, base, client) = start(&folder, &farm).await;
    let asked = client.post(format!("{base}/v1/suppliers/green-valley/sync")).send().await.unwrap();
    let location = asked.headers()["location"].to_str().unwrap().to_owned();
    until("some pages are in", async || {
        let sync: Value = client.get(format!("{base}{location}")).send().await.ok()?.json().await.ok()?;
        (sync["pages"].as_u64()? >= 5).then_some(())
    })
    .await;
    let killed = Command::new("kill").args([signal, &program.0.id().to_string()]).status().unwrap();
    assert!(killed.success());
    program.0.wait().unwrap();
    let asked = farm.state().asked;
    assert!(asked < 25, "it was in the middle: {asked}");

    let (_program, base, client) = start(&folder, &farm).await;
    let start = std::time::Instant::now();
    let sync = ended(&client, &format!("{base}{location}")).await;
    let took = start.elapsed();
    let again: Value = {
        let asked = client.post(format!("{base}/v1/suppliers/green-valley/sync")).send().await.unwrap();
        ended(&client, &format!("{base}{}", asked.headers()["location"].to_str().unwrap())).await
    };
    assert_eq!((&again["unchanged"], &again["made"]), (&json!(250), &json!(0)), "every product is there once");
    (sync, asked, farm, took)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_goes_on_after_kill() {
    let (sync, asked, farm, _) = interrupted_by("-KILL").await;
    assert_eq!((&sync["state"], &sync["made"], &sync["pages"]), (&json!("done"), &json!(250), &json!(25)), "{sync}");
    // 25 pages each time, and the one that was under way.
    assert!(farm.state().asked <= 25 + 25 + 2, "it went on and did not begin anew: {} {asked}", farm.state().asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_is_handed_over_at_the_end() {
    let (sync, _, _, took) = interrupted_by("-TERM").await;
    assert_eq!((&sync["state"], &sync["made"], &sync["pages"]), (&json!("done"), &json!(250), &json!(25)), "{sync}");
    // A sync that was left behind is found after 4 seconds; one that was handed over at once.
    assert!(took < Duration::from_millis(3_900), "{took:?}");
}
