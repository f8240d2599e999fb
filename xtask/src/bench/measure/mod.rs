//! The measurement: each engine is filled, served and asked, one after the other.

mod ask;
mod bare;
mod caching;
mod cases;
mod document;
mod draw;
mod first_start;
mod gate;
mod load;
mod mariadb;
mod outcome;
mod pace;
mod results;
mod search;
mod seeding;
mod service;
mod sqlite;
mod statement;
mod suite;
mod table;
mod tracing;
mod turns;
mod walk;

use std::fs;

use farmlokal_testkit::page;
use tokio::runtime::Runtime;

use super::{Arguments, Engines};
use crate::command::root;
use pace::Pace;
use results::Results;
use suite::Suite;

pub(crate) use caching::ceiling::serve as serve_bare_endpoint;

/// What `docs/performance.md` is about.
const WHOLE: u64 = 1_000_000;
const DOCUMENT: &str = "docs/performance.md";

/// Measures, prints what came out, and keeps it if it is the whole of it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let runtime = Runtime::new().map_err(|error| format!("cannot start: {error}"))?;
    let passes = gate::measure()?;
    let results = runtime.block_on(measure(arguments))?;
    let document = document::write(arguments, &results, &passes);
    println!("\n{document}");
    let wrong: Vec<String> = results.iter().flat_map(Results::wrong).collect();
    if !wrong.is_empty() {
        return Err(format!("{DOCUMENT} is as before, since answers were wrong:\n{}", wrong.join("\n")));
    }
    if arguments.rows < WHOLE || arguments.engine != Engines::All {
        println!("{DOCUMENT} is as before: it is about {WHOLE} rows and every engine");
        return Ok(());
    }
    let fail = |error: std::io::Error| format!("{DOCUMENT}: {error}");
    // Another chore's part of the page stays as it is.
    let before = fs::read_to_string(root().join(DOCUMENT)).map_err(fail)?;
    let kept = page::part(&before, "cargo xtask e2e").map(|part| format!("\n{part}")).unwrap_or_default();
    fs::write(root().join(DOCUMENT), document + &kept).map_err(fail)?;
    println!("==> {DOCUMENT} is written");
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Vec<Results>, String> {
    let mut results = Vec::new();
    if arguments.engine != Engines::Mariadb {
        let database = sqlite::prepare(arguments.rows).await?;
        results.push(Suite::new(arguments, "SQLite", database).await?.run().await?);
    }
    if arguments.engine != Engines::Sqlite {
        let database = mariadb::prepare(arguments.rows).await?;
        results.push(Suite::new(arguments, "MariaDB", database).await?.run().await?);
    }
    Ok(results)
}
