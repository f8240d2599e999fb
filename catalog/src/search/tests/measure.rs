//! How large, how quick:
//! `cargo test --release -p farmlokal-catalog --lib search::tests::measure -- --ignored --nocapture`
//!
//! Times of a call are what a clock shows (P50, P95), so what else the machine does is in them; the
//! thread's own CPU time is the mean of all rounds, as the kernel counts it in ticks of milliseconds.

use std::time::{Duration, Instant};

use farmlokal_seed::Generator;

use super::*;
use crate::PriceRange;

const PRODUCTS: u64 = 1_000_000;
const ROUNDS: usize = 200;

/// What the kernel says about this process, in MiB.
fn memory(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn cpu_time() -> Duration {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(times.split_whitespace().next().unwrap().parse().unwrap())
}

fn generated(n: u64) -> Product {
    // The generator's types are those of the library, not of its tests; the texts are the same.
    let row = Generator::new(42).product(n).unwrap();
    let details = &row.details;
    let texts =
        [details.name.as_str(), details.producer.as_str(), details.description.as_str(), details.category.as_str()];
    let created_at = Timestamp::from_micros(row.created_at.micros()).unwrap();
    Product { created_at, ..product(row.id.get(), texts, details.price.minor()) }
}

fn build(dir: &Path) {
    let index = SearchIndex::create(dir).unwrap();
    let (started, before) = (Instant::now(), memory("RssAnon"));
    let mut most = 0;
    let mut writer = index.writer(50_000_000, 1).unwrap();
    for n in 1..=PRODUCTS {
        writer.put(&generated(n)).unwrap();
        if n % 10_000 == 0 {
            most = most.max(memory("RssAnon"));
        }
    }
    writer.commit(PRODUCTS).unwrap();
    println!("built in {:?}", started.elapsed());
    writer.finish().unwrap();
    println!("merged after {:?}; {} bytes", started.elapsed(), index.bytes_on_disk());
    println!("MiB: anonymous {before}, at most {most}; peak with mapped files {}", memory("VmHWM"));
}

/// Runs `run`, prints how long it takes, and gives the times of the clock and the mean CPU time.
/// `run` says how much it found.
fn time(what: &str, mut run: impl FnMut() -> u64) -> (Vec<Duration>, Duration) {
    let mut found = 0;
    let before = cpu_time();
    let mut once = || {
        let started = Instant::now();
        found = run();
        started.elapsed()
    };
    let mut times: Vec<_> = (0..ROUNDS).map(|_| once()).collect();
    let cpu = (cpu_time() - before) / ROUNDS as u32;
    times.sort();
    println!("{what:44}{found:>8} {:>10.3?} {:>10.3?} cpu {cpu:>10.3?}", at(&times, 50), at(&times, 95));
    (times, cpu)
}

fn at(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

fn searches(index: &SearchIndex) {
    let (mut mixed, mut own) = (Vec::new(), Vec::new());
    let groups: [(&str, &[&str]); 8] = [
        ("rare", &["alphonso", "kadaknath", "darjeeling peas"]),
        ("common", &["organic", "farm", "by", "packed", "lot"]),
        ("words", &["organic alphonso", "fresh milk", "farm hand", "sorted by hand", "valley nashik"]),
        ("misspelt", &["mnagoes", "orgnaic tomatos", "ratnagirri", "califlower"]),
        ("none", &["zzzzxy", "qwerty uiop", "organic zzzz"]),
        ("price", &["organic", "farm", "packed"]),
        ("name", &["organic", "farm"]),
        ("short", &["s", "fa"]),
    ];
    for (kind, texts) in groups {
        let sort = if ["price", "name"].contains(&kind) { kind } else { "relevance" };
        for text in texts {
            let query = query(text, sort);
            let found = index.count(query.filter(), query.search()).unwrap();
            let (times, cpu) = time(&format!("{kind}: {text:?} by {sort}"), || {
                index.search(&query, None, None, 20).unwrap();
                found
            });
            if !["name", "short"].contains(&kind) {
                mixed.extend(times);
                own.push(cpu);
            }
        }
    }
    mixed.sort();
    own.sort();
    println!("mixed, but for name and short: P50 {:?}, P95 {:?}", at(&mixed, 50), at(&mixed, 95));
    println!("CPU time of the median and the slowest of these searches: {:?}, {:?}", at(&own, 50), at(&own, 100));
}

fn filters(index: &SearchIndex) {
    let price = PriceRange::new(Price::from_minor(5_000), Price::from_minor(20_000)).unwrap();
    for category in [None, "Dairy".parse().ok()] {
        let filter = Filter { category, price };
        for sort in ["id", "name", "-createdAt"] {
            let query = Query::new(filter.clone(), None, sort.parse().ok()).unwrap();
            let found = index.count(&filter, None).unwrap();
            time(&format!("price range, {:?}, by {sort}", filter.category.is_some()), || {
                index.search(&query, None, None, 20).unwrap();
                found
            });
        }
    }
    let none = Filter::default();
    for text in [None, Some("farm"), Some("alphonso")] {
        let search = text.map(|text| text.parse().unwrap());
        time(&format!("count {text:?}"), || index.count(&none, search.as_ref()).unwrap());
        time(&format!("facets {text:?}"), || index.facets(&none, search.as_ref()).unwrap().categories.len() as u64);
    }
    for text in ["o", "org", "mnago", "organic man", "orgnaic al", "zzzzxy"] {
        time(&format!("suggest {text:?}"), || index.suggest(text, 10).unwrap().len() as u64);
    }
}

#[test]
#[ignore = "builds an index of a million products"]
fn a_million_products() {
    let dir = TempDir::new().unwrap();
    build(dir.path());
    let started = Instant::now();
    let index = SearchIndex::open(dir.path()).unwrap();
    println!("opened in {:?}", started.elapsed());
    searches(&index);
    filters(&index);
    // A change in every hundredth product, as the change log would bring them.
    let mut writer = index.writer(15_000_000, 1).unwrap();
    let started = Instant::now();
    (1..=PRODUCTS).step_by(100).for_each(|n| writer.put(&generated(n)).unwrap());
    writer.commit(PRODUCTS + 1).unwrap();
    println!("{} replaced in {:?}", PRODUCTS / 100, started.elapsed());
    let started = Instant::now();
    writer.put(&generated(77)).unwrap();
    writer.commit(PRODUCTS + 2).unwrap();
    println!("one replaced in {:?}", started.elapsed());
    writer.finish().unwrap();
    println!("with deletions among them:");
    searches(&index);
    println!("MiB: anonymous {}, mapped files {}", memory("RssAnon"), memory("RssFile"));
}
