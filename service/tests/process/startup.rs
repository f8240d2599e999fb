//! Starts: the first one fills the database, an interrupted one goes on, a port in use is named.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::child::{self, PATIENCE, Process, farmlokal};

async fn total(process: &Process) -> u64 {
    let categories: serde_json::Value =
        reqwest::get(format!("{}/v1/categories", process.public)).await.unwrap().json().await.unwrap();
    categories["data"].as_array().unwrap().iter().map(|category| category["products"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn the_first_start_seeds_and_the_second_does_not() {
    let data = TempDir::new().unwrap();
    let first = Process::serving(farmlokal(&data));
    assert_eq!(total(&first).await, 300);
    let client = reqwest::Client::new();
    let delete = client.delete(format!("{}/v1/products/300", first.public)).bearer_auth(first.token().await);
    assert_eq!(delete.send().await.unwrap().status(), 204);
    drop(first);
    let second = Process::serving(farmlokal(&data));
    assert_eq!(total(&second).await, 299, "what was deleted stays deleted");
}

#[tokio::test]
async fn how_far_a_seeding_is_can_be_asked() {
    let data = TempDir::new().unwrap();
    let (mut command, _, admin) = farmlokal(&data);
    let mut child = command.args(["--rows", "200000"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let asked = Instant::now();
    let told = loop {
        let answer = reqwest::get(format!("http://{admin}/metrics")).await;
        let text = match answer {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        if text.contains("farmlokal_seed_rows_wanted 200000") {
            break text;
        }
        assert!(asked.elapsed() < PATIENCE, "{text}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert!(told.contains("farmlokal_seed_rows_done "), "{told}");
    let ready = reqwest::get(format!("http://{admin}/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503, "nobody is served yet");
    child::signal(&child, "INT");
    assert_eq!(child::wait(&mut child).code(), Some(130));
}

#[tokio::test]
async fn an_interrupted_seeding_goes_on_at_the_next_start() {
    const ROWS: u64 = 60_000;
    let data = TempDir::new().unwrap();
    let (mut command, ..) = farmlokal(&data);
    let mut child = command
        .args(["--rows", &ROWS.to_string()])
        .env("FARMLOKAL_LOG__FORMAT", "text")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first line about progress says that a batch is in; then Ctrl-C.
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let progress = log.by_ref().map_while(Result::ok).find(|line| line.contains("seeded"));
    assert!(progress.is_some(), "no progress was logged");
    child::signal(&child, "INT");
    let drain = std::thread::spawn(move || log.map_while(Result::ok).count());
    assert_eq!(child::wait(&mut child).code(), Some(130));
    drain.join().unwrap();

    // Even without --rows: the seeding that was begun is ended as it was begun.
    let process = Process::serving(farmlokal(&data));
    assert_eq!(total(&process).await, ROWS);
    let response = reqwest::get(format!("{}/v1/products/{ROWS}", process.public)).await.unwrap();
    assert_eq!(response.status(), 200);
    let behind = reqwest::get(format!("{}/v1/products/{}", process.public, ROWS + 1)).await.unwrap();
    assert_eq!(behind.status(), 404);
}

/// Killed while products are seeded and the index is built: the next start ends both, with nothing lost or doubled.
#[tokio::test]
async fn a_first_start_that_was_killed_ends_with_a_whole_index() {
    const ROWS: u64 = 40_000;
    let data = TempDir::new().unwrap();
    for seeded in [1, 10_000, 30_000, ROWS] {
        let (mut command, _, admin) = farmlokal(&data);
        let rows = ROWS.to_string();
        let mut child = command.args(["--rows", &rows]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while done(&admin).await.is_some_and(|rows| rows < seeded) {
            assert!(Instant::now() < deadline, "{seeded} products are not there");
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let process = Process::serving(farmlokal(&data));
    process.ready().await;
    assert_eq!(total(&process).await, ROWS);
    let status: serde_json::Value =
        reqwest::get(format!("{}/v1/admin/search", process.admin)).await.unwrap().json().await.unwrap();
    assert_eq!(status["documents"], ROWS);
    let generator = farmlokal_seed::Generator::new(42);
    let has = |n: u64| generator.product(n).unwrap().details.name.as_str().contains("Alphonso");
    let expected = (1..=ROWS).filter(|n| has(*n)).count();
    let found: serde_json::Value =
        reqwest::get(format!("{}/v1/products?search=alphonso&limit=1&total=true", process.public))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
    assert_eq!(found["total"]["count"], expected);
}

/// How many products are seeded; `Some(0)` before that can be asked, `None` once the service itself listens.
async fn done(admin: &str) -> Option<u64> {
    let Ok(answer) = reqwest::get(format!("http://{admin}/metrics")).await else { return Some(0) };
    let text = answer.text().await.unwrap_or_default();
    if text.contains("farmlokal_build_info") {
        return None;
    }
    let line = text.lines().find_map(|line| line.strip_prefix("farmlokal_seed_rows_done "));
    Some(line.and_then(|rows| rows.parse().ok()).unwrap_or(0))
}

#[tokio::test]
async fn several_first_starts_at_once_make_one_catalogue() {
    let data = TempDir::new().unwrap();
    let starts: Vec<_> =
        (0..4).map(|_| farmlokal(&data)).map(|launch| std::thread::spawn(|| Process::serving(launch))).collect();
    for start in starts {
        assert_eq!(total(&start.join().unwrap()).await, 300);
    }
}

#[test]
fn a_port_in_use_is_named_with_its_key() {
    let data = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (mut command, ..) = farmlokal(&data);
    let output = command.env("FARMLOKAL_HTTP__LISTEN", taken.local_addr().unwrap().to_string()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("(http.listen)") && said.contains("choose another address"), "{said}");
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let data = TempDir::new().unwrap();
    let process = Process::serving(farmlokal(&data));
    let ready = async || reqwest::get(format!("{}/readyz", process.admin)).await.unwrap().status().as_u16();
    process.ready().await;
    rename(&data, "products", "elsewhere");
    let deadline = Instant::now() + PATIENCE;
    while ready().await != 503 {
        assert!(Instant::now() < deadline, "readiness does not notice");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let live = reqwest::get(format!("{}/livez", process.admin)).await.unwrap().status();
    assert_eq!(live, 200, "a lost database is no reason to be killed");
    let listing = reqwest::get(format!("{}/v1/products", process.public)).await.unwrap();
    assert_eq!(listing.status(), 503);
    rename(&data, "elsewhere", "products");
    assert_eq!(ready().await, 200, "and back again without a restart");
}

/// Renames a table behind the service's back, by Debian's `sqlite3`.
fn rename(data: &TempDir, from: &str, to: &str) {
    let output = std::process::Command::new("sqlite3")
        .args(["-cmd", ".timeout 10000"])
        .arg(data.path().join("farmlokal.db"))
        .arg(format!("ALTER TABLE {from} RENAME TO {to}"))
        .output()
        .expect("sqlite3 is missing: apt-get install sqlite3, or let `cargo xtask test` do it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// As in an image that holds nothing but the binary.
#[tokio::test]
async fn a_system_without_certificates_is_enough() {
    let (data, nobody) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (mut command, public, admin) = farmlokal(&data);
    command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", nobody.path());
    // Its supplier is called by https.
    let supplier = [
        ("FARMLOKAL_SUPPLIERS__FARM__BASE_URL", "https://127.0.0.1:1/api"),
        ("FARMLOKAL_SUPPLIERS__FARM__TOKEN_URL", "https://127.0.0.1:1/token"),
        ("FARMLOKAL_SUPPLIERS__FARM__CLIENT_ID", "us"),
        ("FARMLOKAL_SUPPLIERS__FARM__CLIENT_SECRET", "secret"),
    ];
    command.envs(supplier);
    let process = Process::serving((command, public, admin));
    let page = reqwest::get(format!("{}/v1/products", process.public)).await.unwrap();
    assert_eq!(page.status(), 200);
}
