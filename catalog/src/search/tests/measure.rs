//! How large, how quick: `cargo test --release -p farmlokal-catalog --lib search::tests::measure -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use farmlokal_seed::Generator;

use super::*;
use crate::PriceRange;

const PRODUCTS: u64 = 1_000_000;

fn memory(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn build(dir: &Path, heap: usize) -> SearchIndex {
    let index = SearchIndex::create(dir).unwrap();
    let started = Instant::now();
    let mut writer = index.writer(heap, 1).unwrap();
    let generator = Generator::new(42);
    for n in 1..=PRODUCTS {
        let row = generator.product(n).unwrap();
        let (created_at, updated_at) = (row.created_at, row.created_at);
        // Other type, same thing: the seed crate is built against the library, not against its tests.
        let texts = [row.details.name.as_str(), row.details.producer.as_str(), row.details.description.as_str(), row.details.category.as_str()];
        let mut made = product(n as i64, texts, row.details.price.minor());
        made.created_at = Timestamp::from_micros(created_at.micros()).unwrap();
        made.updated_at = Timestamp::from_micros(updated_at.micros()).unwrap();
        writer.put(&made).unwrap();
    }
    writer.commit(PRODUCTS).unwrap();
    println!("committed after {:?}", started.elapsed());
    writer.finish().unwrap();
    println!("built in {:?}; {} bytes; {} segments", started.elapsed(), index.bytes_on_disk(), index.shared.reader.searcher().segment_readers().len());
    println!("peak {} MiB; anonymous {} MiB, files {} MiB", memory("VmHWM"), memory("RssAnon"), memory("RssFile"));
    index
}

fn time(what: &str, mut run: impl FnMut() -> u64) -> Vec<Duration> {
    let mut times: Vec<_> = (0..60).map(|_| { let at = Instant::now(); run(); at.elapsed() }).collect();
    times.sort();
    println!("{what:40} {:>8} found, p50 {:>9.3?} p95 {:>9.3?}", run(), times[30], times[57]);
    times
}

#[test]
#[ignore = "builds an index of a million products"]
fn a_million_products() {
    let dir = TempDir::new().unwrap();
    drop(build(dir.path(), 50_000_000));
    let at = Instant::now();
    let index = SearchIndex::open(dir.path()).unwrap();
    println!("opened in {:?}", at.elapsed());
    let none = Filter::default();
    for (file, bytes) in fs::read_dir(dir.path()).unwrap().flatten().map(|file| (file.file_name(), file.metadata().unwrap().len())) {
        if bytes > 500_000 { println!("{file:?} {bytes}"); }
    }
    let searches = [
        ("alphonso", "relevance"), ("organic", "relevance"), ("farm", "relevance"), ("by", "relevance"), ("packed", "relevance"),
        ("organic alphonso", "relevance"), ("fresh milk", "relevance"), ("sorted by hand", "relevance"), ("farm hand", "relevance"),
        ("mnagoes", "relevance"), ("orgnaic tomatos", "relevance"), ("ratnagirri", "relevance"), ("zzzzxy", "relevance"), ("qwerty uiop", "relevance"),
        ("organic", "price"), ("farm", "price"), ("packed", "-price"), ("organic", "name"), ("farm", "-createdAt"),
        ("s", "relevance"), ("s", "price"), ("fa", "relevance"), ("lot", "relevance"), ("", "relevance"),
    ];
    let mut mixed = Vec::new();
    for (search, sort) in searches {
        let query = query(search, sort);
        let hits = index.search(&query, None, None, 20).unwrap();
        mixed.extend(time(&format!("{search:?} by {sort}"), || {
            index.search(&query, None, None, 20).unwrap();
            index.count(&none, query.search()).unwrap()
        }).iter().map(|_| Duration::ZERO).take(0));
        let mut times: Vec<_> = (0..60).map(|_| { let at = Instant::now(); index.search(&query, None, None, 20).unwrap(); at.elapsed() }).collect();
        times.sort();
        println!("{:40} alone: p50 {:>9.3?} p95 {:>9.3?} {:?}", "", times[30], times[57], ids(&hits).first());
        mixed.extend(times);
    }
    mixed.sort();
    println!("mixed searches: p50 {:?} p95 {:?} p99 {:?}", mixed[mixed.len() / 2], mixed[mixed.len() * 95 / 100], mixed[mixed.len() * 99 / 100]);
    for sort in ["id", "name", "-createdAt", "price"] {
        let range = PriceRange::new(Price::from_minor(5_000), Price::from_minor(20_000)).unwrap();
        let filter = Filter { category: None, price: range };
        let query = Query::new(filter.clone(), None, sort.parse().ok()).unwrap();
        time(&format!("price range by {sort}"), || index.search(&query, None, None, 20).unwrap().ids.len() as u64);
        let query = Query::new(Filter { category: "Dairy".parse().ok(), ..filter }, None, sort.parse().ok()).unwrap();
        time(&format!("Dairy and price range by {sort}"), || index.search(&query, None, None, 20).unwrap().ids.len() as u64);
    }
    let (organic, farm) = ("organic".parse().unwrap(), "farm".parse().unwrap());
    time("count farm", || index.count(&none, Some(&farm)).unwrap());
    time("facets of all", || index.facets(&none, None).unwrap().categories.len() as u64);
    time("facets of organic", || index.facets(&none, Some(&organic)).unwrap().categories.len() as u64);
    for text in ["o", "org", "mango", "mnago", "organic man", "orgnaic al", "zzzzxy"] {
        time(&format!("suggest {text:?}"), || index.suggest(text, 10).unwrap().len() as u64);
    }
    println!("anonymous {} MiB, files {} MiB", memory("RssAnon"), memory("RssFile"));
}
