//! SQLite: seeded by us, and filled by its own shell with the same rows from a CSV file.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use farmlokal_testkit::program;
use serde::Deserialize;

use super::seeding::{Database, Filled, seed};
use crate::command::{line, run};

const SEEDED: &str = "farmlokal.db";
const IMPORTED: &str = "imported.db";
const ROWS: &str = "rows.csv";
const SCRIPT: &str = "script.sql";

/// What the seeding sets on its connection, set for the shell too.
const SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                        PRAGMA temp_store = MEMORY; PRAGMA cache_size = -262144; PRAGMA threads = 2;";

/// An index, as the seeding records those it puts aside.
#[derive(Deserialize)]
struct Definition {
    sql: String,
}

/// A database of `rows` products in a directory of its own.
pub(super) async fn prepare(rows: u64) -> Result<Database, String> {
    let directory = tempfile::Builder::new().prefix("farmlokal-bench-").tempdir();
    let directory = directory.map_err(|error| format!("no temporary directory: {error}"))?;
    let path = directory.path();
    let url = format!("sqlite:{}", path.join(SEEDED).display());
    println!("==> SQLite: farmlokal-seed");
    let seeded = seed(&url, rows).await?;
    println!("==> SQLite: the same rows by .import");
    let imported = import(path, rows)?;
    let library = shell(path, ":memory:", "SELECT sqlite_version();")?;
    for file in [ROWS, IMPORTED, SCRIPT] {
        fs::remove_file(path.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    let about = format!(
        "SQLite, as compiled into the service ({} in the shell that runs `.import`); \
         write-ahead log, `synchronous = NORMAL`, 8 MiB of page cache a connection",
        library.trim(),
    );
    Ok(Database { url, about, seeded, imported, _home: Box::new(directory) })
}

/// Loads the seeded rows into a bare table, then builds what the seeding builds.
fn import(directory: &Path, rows: u64) -> Result<Filled, String> {
    let csv = File::create(directory.join(ROWS)).map_err(|error| format!("{ROWS}: {error}"))?;
    run(sqlite3(directory)?.args(["-csv", SEEDED, "SELECT * FROM products"]).stdout(csv))?;
    let table = shell(directory, SEEDED, "SELECT sql FROM sqlite_master WHERE name = 'products';")?;
    let deferred = shell(directory, SEEDED, "SELECT deferred FROM seed_run;")?;
    let deferred: Vec<Definition> =
        serde_json::from_str(&deferred).map_err(|error| format!("seed_run.deferred: {error}"))?;
    let indexes: String = deferred.iter().map(|definition| format!("{};\n", definition.sql)).collect();
    let load = format!("{SETTINGS}\n{table};\n.import --csv {ROWS} products\n");
    let build = format!("{SETTINGS}\n{indexes}ANALYZE;\nPRAGMA wal_checkpoint (TRUNCATE);\n");
    let filled = Filled {
        rows: timed(|| shell(directory, IMPORTED, &load))?,
        indexes: timed(|| shell(directory, IMPORTED, &build))?,
    };
    let there = shell(directory, IMPORTED, "SELECT COUNT(*) FROM products;")?;
    if there.trim() == rows.to_string() {
        Ok(filled)
    } else {
        Err(format!(".import left {} rows instead of {rows}", there.trim()))
    }
}

fn timed(work: impl FnOnce() -> Result<String, String>) -> Result<Duration, String> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// What SQLite's shell prints for `script`.
fn shell(directory: &Path, database: &str, script: &str) -> Result<String, String> {
    let file = directory.join(SCRIPT);
    let fail = |error: std::io::Error| format!("{}: {error}", file.display());
    fs::write(&file, script).map_err(fail)?;
    let mut command = sqlite3(directory)?;
    command.args(["-batch", "-bail", database]).stdin(File::open(&file).map_err(fail)?);
    let output = command.output().map_err(|error| format!("{}: {error}", line(&command)))?;
    if output.status.success() && output.stderr.is_empty() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{}: {}", line(&command), String::from_utf8_lossy(&output.stderr)))
}

fn sqlite3(directory: &Path) -> Result<Command, String> {
    let missing = "sqlite3 was not found: apt-get install sqlite3, or let `cargo xtask test` do it";
    let mut command = Command::new(program::find("sqlite3").ok_or(missing)?);
    // The seeding's connection ends on a thread of its own, and locks the file while it does.
    command.current_dir(directory).args(["-cmd", ".timeout 10000"]);
    Ok(command)
}
