//! The page of recent traces, in a real browser.

use std::process::Command;

use farmlokal_testkit::program;
use tempfile::TempDir;

use crate::child::{Process, farmlokal};

/// The page's elements after its script has run, in headless Chromium.
fn shown(url: &str) -> String {
    let chromium = program::find("chromium").expect("chromium is not installed; cargo xtask test installs it");
    let profile = TempDir::new().unwrap();
    let page = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--dump-dom", url])
        .output()
        .unwrap();
    assert!(page.status.success(), "{page:?}");
    String::from_utf8_lossy(&page.stdout).into_owned()
}

#[tokio::test]
async fn shows_what_requests_waited_for_with_no_other_tool() {
    let data = TempDir::new().unwrap();
    let process = Process::serving(farmlokal(&data));
    let url = format!("{}/admin/traces", process.admin);
    assert!(
        reqwest::get(&url).await.unwrap().headers()["content-security-policy"].to_str().unwrap().contains("sha256-")
    );
    // A path of the client's own is shown as text, and never as a part of the page.
    let hostile = "/v1/products/%3Cimg%20src=x%20onerror=document.title='forged'%3E";
    for path in ["/v1/products?category=Dairy&sort=-price&limit=3", hostile] {
        reqwest::get(format!("{}{path}", process.public)).await.unwrap();
    }
    let page = shown(&url);
    for part in ["GET /v1/products", "GET /v1/products/{id}", "SELECT products", "class=\"bar\""] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<img") && page.contains("<title>FarmLokal: traces</title>"), "{page}");
}

#[tokio::test]
async fn tells_tools_the_same_and_refuses_what_it_does_not_know() {
    let data = TempDir::new().unwrap();
    let process = Process::serving(farmlokal(&data));
    let answer = reqwest::get(format!("{}/v1/products/7", process.public)).await.unwrap();
    let traceresponse = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
    let list = |query: &str| reqwest::get(format!("{}/v1/admin/traces{query}", process.admin));
    for query in ["", "?order=slowest", "?order=latest"] {
        let traces: serde_json::Value = list(query).await.unwrap().json().await.unwrap();
        let traces = traces["traces"].as_array().unwrap();
        let ours = traces.iter().find(|trace| traceresponse.contains(trace["traceId"].as_str().unwrap()));
        assert_eq!(ours.unwrap()["name"], "GET /v1/products/{id}", "{query}");
    }
    let refused = list("?order=loudest").await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.json::<serde_json::Value>().await.unwrap()["field"], "order");
}
