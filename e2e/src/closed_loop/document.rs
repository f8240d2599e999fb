//! The section of `docs/pool-tuning.md` that a run writes.

use std::fs;
use std::path::Path;

use chrono::Utc;
use farmlokal_testkit::{machine, page};

use super::compare::{Arguments, DISTANCE, PODS, Peak, Phase, Run, START, clients};
use super::load::Load;

pub(super) const FILE: &str = "docs/pool-tuning.md";
const CHORE: &str = "cargo xtask closed-loop";

/// What was run, the table, and the database's own count.
pub(super) fn section(arguments: &Arguments, runs: &[Run], peak: Peak) -> String {
    let Arguments { rows, windows, window_ms } = arguments;
    let mut text = format!(
        "Measured on {} on {}; clients, {PODS} processes and MariaDB share it. {rows} products, no cache; the database \
         answers {} ms later than it could, as if it were elsewhere. {windows} windows of {} s a load; what is shown is \
         the second half of them. Those that are not static begin with {START} connections a process.\n\n",
        Utc::now().format("%Y-%m-%d"),
        machine::describe(),
        DISTANCE.as_millis(),
        *window_ms as f64 / 1e3,
    );
    text += "| load | |";
    runs.iter().for_each(|run| text += &format!(" {} |", run.name));
    text += &format!("\n| --- | --- |{}\n", " ---: |".repeat(runs.len()));
    for (index, load) in Load::ALL.into_iter().enumerate() {
        let mut row = |first: &str, what: &str, of: &dyn Fn(&Phase) -> String| {
            text += &format!("| {first} | {what} |");
            runs.iter().filter_map(|run| run.phases.get(index)).for_each(|phase| text += &format!(" {} |", of(phase)));
            text += "\n";
        };
        row(&about(load), "answers a second", &|phase| format!("{:.0}", phase.rate));
        row("", "P95, ms", &|phase| format!("{:.0}", phase.p95));
        row("", "connections (changes of size)", &|phase| format!("{:.1} ({})", phase.counts.mean(), phase.changes));
        row("", "turned away", &|phase| phase.turned_away.to_string());
    }
    text + &format!(
        "\nConnections are the database's own count, readiness included, asked every 50 ms: {} at the most in {} samples, \
         and {} ever, the one that asked among them. {} were allowed.\n",
        peak.sampled, peak.samples, peak.high_water, peak.allowed
    )
}

fn about(load: Load) -> String {
    let what = match load {
        Load::Cheap => "one product each",
        Load::Expensive => "counts, and every fifth writes one of four products",
        Load::Quiet => "one product now and then",
    };
    format!("{} clients: {what}", clients(load))
}

/// Puts `section` where the one before is.
pub(super) fn write(section: &str) -> Result<(), String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let fail = |error: std::io::Error| format!("{FILE}: {error}");
    let text = page::replaced(&fs::read_to_string(&path).map_err(fail)?, CHORE, section)
        .ok_or_else(|| format!("{FILE} has no lines of {CHORE} to write between"))?;
    fs::write(&path, text).map_err(fail)
}
