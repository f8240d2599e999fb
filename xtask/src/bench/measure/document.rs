//! The document: tables first, then what they mean.

use chrono::Utc;
use farmlokal_catalog::shape::NARROW;
use farmlokal_testkit::machine;

use super::first_start::FirstStart;
use super::gate::Passes;
use super::results::{Measured, Results, Target};
use super::seeding::Filled;
use super::table::table;
use crate::bench::Arguments;

/// What stays the same in every run.
const EXPLANATION: &str = include_str!("explanation.md");

/// The whole of `docs/performance.md`.
pub(super) fn write(arguments: &Arguments, results: &[Results], passes: &Passes) -> String {
    let Arguments { rows, rate, seconds, .. } = arguments;
    let mut text = format!(
        "# Performance\n\n\
         Measured on {} by `cargo xtask bench`, which writes this page.\n\n\
         - Machine: {}; client, service and database share it\n\
         - {rows} products\n",
        Utc::now().format("%F"),
        machine::describe(),
    );
    for Results { about, .. } in results {
        text += &format!("- {about}\n");
    }
    text += &format!("\n## Targets\n\n{}", targets(results));
    text += &format!("\n## Filling\n\nSeconds for {rows} products.\n\n{}", filling(results));
    for engine in results {
        text += &served(engine, *seconds);
        text += &engine.searches.section(engine.engine);
        if let Some(caching) = &engine.caching {
            text += &caching.section(*seconds);
        }
        if let Some(tracing) = &engine.tracing {
            text += &tracing.section(*seconds);
        }
    }
    text += &passes.section();
    let explanation = EXPLANATION.replace("{rate}", &rate.to_string()).replace("{narrow}", &NARROW.to_string());
    text + "\n" + &explanation
}

/// Targets that one measurement is about.
pub(super) fn reached(targets: &[Target]) -> String {
    let verdict = |target: &Target| format!("{}: {}", if target.reached { "reached" } else { "MISSED" }, target.is);
    table(&["target", ""], &targets.iter().map(|it| vec![it.what.to_owned(), verdict(it)]).collect::<Vec<_>>())
}

fn targets(results: &[Results]) -> String {
    let headings: Vec<_> = ["target"].into_iter().chain(results.iter().map(|it| it.engine)).collect();
    let engines: Vec<_> = results.iter().map(Results::targets).collect();
    let first = engines.first().map(Vec::as_slice).unwrap_or_default();
    let row = |number: usize| {
        let cells = engines.iter().filter_map(|targets| targets.get(number)).map(|target| {
            let verdict = if target.reached { "reached" } else { "MISSED" };
            format!("{verdict}: {}", target.is)
        });
        [first[number].what.to_owned()].into_iter().chain(cells).collect()
    };
    table(&headings, &(0..first.len()).map(row).collect::<Vec<_>>())
}

fn filling(results: &[Results]) -> String {
    let row = |name: String, Filled { rows, indexes }: Filled| {
        let times = [rows, indexes, rows + indexes];
        let times = times.map(|time| format!("{:.1}", time.as_secs_f64()));
        [name].into_iter().chain(times).collect()
    };
    let rows: Vec<Vec<String>> = results
        .iter()
        .flat_map(|Results { engine, seeded, imported, .. }| {
            let tool = if *engine == "SQLite" { ".import" } else { "LOAD DATA INFILE" };
            [row(format!("{engine}, `farmlokal-seed`"), *seeded), row(format!("{engine}, `{tool}`"), *imported)]
        })
        .collect();
    let first_starts: String = results.iter().filter_map(|it| it.first_start.as_ref()).map(FirstStart::line).collect();
    table(&["", "rows", "indexes, statistics", "together"], &rows) + &first_starts
}

fn served(results: &Results, seconds: u32) -> String {
    let Results { engine, measured, throughput, walked, .. } = results;
    format!(
        "\n## Serving from {engine}\n\n\
         Milliseconds, over {seconds} seconds a case.\n\n{}\n\
         As fast as it goes, over 32 connections: {throughput:.0} first pages a second. A walk through \
         all products in two orders at a time took {:.0} seconds.\n",
        serving(measured),
        walked.as_secs_f64(),
    )
}

fn serving(measured: &[Measured]) -> String {
    let row = |case: &Measured| {
        let Measured { name, rate, answers, bare } = case;
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| answers.quantile(share));
        let numbers = [p50, p95, p99, answers.max(), bare.quantile(0.5), case.overhead()];
        let numbers = numbers.map(|number| format!("{number:.2}"));
        [(*name).to_owned(), format!("{rate:.0}")].into_iter().chain(numbers).collect()
    };
    let headings = ["case", "rate/s", "P50", "P95", "P99", "max", "statement P50", "difference"];
    table(&headings, &measured.iter().map(row).collect::<Vec<Vec<String>>>())
}
