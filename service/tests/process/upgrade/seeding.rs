//! A seeding that the old version was killed in.

use chrono::Utc;
use serde_json::Value;
use tempfile::TempDir;

use super::answer::list;
use super::engine::{Database, Engine};
use super::on_both_engines;
use super::restored::{Restored, said};
use crate::child::farmlokal;

on_both_engines!(an_interrupted_seeding_goes_on_to_its_end, interrupted);

async fn interrupted(release: &str, engine: Engine) {
    let fixture = Restored::open(release, engine, "interrupted", Utc::now());
    let plan = &fixture.facts["seeding"];
    let number = |name: &str| plan[name].as_i64().unwrap();
    let (rows, seed) = (number("wanted").to_string(), number("seed").to_string());
    assert!(number("loaded") < number("wanted"));
    said(&fixture.run(&["migrate"]));
    assert_eq!(fixture.database.count("products"), number("loaded"));

    let other = fixture.run(&["seed", "--rows", &rows, "--seed", "8"]);
    let complaint = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && complaint.contains(&format!("--seed {seed}")), "{complaint}");
    let plan = ["seed", "--rows", &rows, "--seed", &seed, "--batch", "700"];
    said(&fixture.run(&plan));
    let first = products(&fixture.database);

    // As a seeding by this version that nothing interrupted.
    let directory = TempDir::new().unwrap();
    let fresh = Database::empty(engine, directory.path());
    let output = farmlokal(&directory).0.env("FARMLOKAL_DATABASE__URL", fresh.url()).args(plan).output().unwrap();
    said(&output);
    assert_eq!(first.lines().count(), 2_000);
    assert!(first == products(&fresh), "other products than a fresh seeding");
    let categories = |database: &Database| database.execute("SELECT name, products FROM categories ORDER BY name");
    assert_eq!(categories(&fixture.database), categories(&fresh));
    assert_eq!(fixture.database.schema(), fresh.schema(), "indexes and triggers");
    assert_eq!(fixture.database.number("SELECT finished FROM seed_run"), 1);

    said(&fixture.run(&plan));
    assert_eq!(products(&fixture.database), first, "again is nothing to do");
    let service = fixture.serve();
    let categories: Value = service.get("/v1/categories").await.expect(200).json();
    let counted: i64 = list(&categories["data"]).iter().filter_map(|one| one["products"].as_i64()).sum();
    assert_eq!(counted, number("wanted"));
    service.indexed().await;
    let found = service.get("/v1/products?search=organic&total=true").await.expect(200).json();
    assert!(found["total"]["count"].as_i64() > Some(100), "{}", found["total"]);
}

fn products(database: &Database) -> String {
    database.execute("SELECT * FROM products ORDER BY id")
}
