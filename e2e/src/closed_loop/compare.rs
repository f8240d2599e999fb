//! `farmlokal-e2e closed-loop`: every law through every load, on one database, in one run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to its terminal")]

use std::env;
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant as Moment};

use clap::Args;
use farmlokal_operator::controller::validate::budget::Connections;
use farmlokal_operator::crd::{Budget, Tuning};
use tokio::time::{Instant, sleep};

use super::census::{Census, Counts};
use super::document;
use super::law::{Controller, Law};
use super::load::{Clients, Load, Served};
use super::site::{Plan, Site};

/// Processes that serve.
pub(super) const PODS: u32 = 2;
/// Connections of a pod at first, where the law does not say so itself.
pub(super) const START: u32 = 2;
/// How far away the database is: as in another zone of the same region, there and back, and some.
pub(super) const DISTANCE: Duration = Duration::from_millis(5);
/// Connections of the database that are for this catalogue.
const CONNECTIONS: i32 = 130;
/// A pod that has not taken up a file by then never will.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(20);

/// How long it is to be.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Products
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub rows: u64,
    /// Windows of each law under each load; with fewer the table is only printed
    #[arg(long, default_value_t = WINDOWS, value_parser = clap::value_parser!(u32).range(2..))]
    pub windows: u32,
    /// The length of a window in milliseconds; pods look at their file each second
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u64).range(200..))]
    pub window_ms: u64,
}

const WINDOWS: u32 = 22;

/// What one load was like under one law: answers and connections in the second half of its windows.
#[derive(Debug)]
pub(super) struct Phase {
    /// Answers a second.
    pub(super) rate: f64,
    /// Their 95th percentile, in milliseconds.
    pub(super) p95: f64,
    /// Requests that were turned away, in all windows.
    pub(super) turned_away: u64,
    /// Connections the database counted.
    pub(super) counts: Counts,
    /// How often the size changed, in all windows.
    pub(super) changes: u32,
}

/// What a law came to, a phase for each of [`Load::ALL`].
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) phases: Vec<Phase>,
}

/// What the database says of it all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peak {
    /// The most connections of the pods in a sample.
    pub(super) sampled: u32,
    /// The samples.
    pub(super) samples: u32,
    /// The most connections the server ever had, of all accounts.
    pub(super) high_water: u32,
    /// What there may be: the pods' pools, and a connection for readiness each.
    pub(super) allowed: u32,
}

/// Compares, prints, and writes the table into the documentation if it is the whole of it.
#[must_use]
pub fn run(arguments: &Arguments) -> ExitCode {
    let compared = tokio::runtime::Runtime::new()
        .map_err(|error| format!("cannot start: {error}"))
        .and_then(|runtime| runtime.block_on(compare(arguments)));
    let written = compared.and_then(|(runs, peak)| {
        let text = document::section(arguments, &runs, peak);
        println!("\n{text}");
        if peak.sampled > peak.allowed || peak.high_water > peak.allowed + 1 {
            return Err(format!("there were more connections than the budget allows: {peak:?}"));
        }
        if arguments.windows < WINDOWS || cfg!(debug_assertions) {
            println!("{} is as before: it is about {WINDOWS} windows of an optimised build", document::FILE);
            return Ok(());
        }
        document::write(&text)
    });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(arguments: &Arguments) -> Result<(Vec<Run>, Peak), String> {
    let budget = Budget { connections: Some(CONNECTIONS), ..Budget::default() };
    let connections = Connections::divide(&budget, &Tuning::default(), PODS).map_err(|error| error.to_string())?;
    let mut controller = Controller::new(Law::Fixed(PODS * START), PODS, START, connections, 0);
    let program = env::current_exe().map_err(|error| format!("farmlokal: {error}"))?;
    println!("==> MariaDB with {} products, {PODS} processes", arguments.rows);
    let first = controller.file().clone();
    let plan = Plan { program, rows: arguments.rows, pods: PODS, distance: DISTANCE, first };
    let site = Site::open(&plan).await?;
    let census = Census::begin(&site.database_url, site.user()).await?;
    let mut runs = Vec::new();
    let mut peak = Peak { sampled: 0, samples: 0, high_water: 0, allowed: controller.most() + PODS };
    for (name, law) in laws() {
        println!("==> {name}");
        controller = Controller::new(law, PODS, START, connections, controller.file().generation);
        follow(&site, &controller).await?;
        let mut phases = Vec::new();
        for load in Load::ALL {
            phases.push(phase(arguments, &site, &census, &mut controller, load, &mut peak).await?);
        }
        runs.push(Run { name, phases });
    }
    peak.high_water = census.end().await?;
    Ok((runs, peak))
}

fn laws() -> [(String, Law); 5] {
    let cores = available_parallelism().map_or(1, |it| u32::try_from(it.get()).unwrap_or(1));
    let formula = cores * 2 + 1;
    [
        ("static 8".to_owned(), Law::Fixed(8)),
        ("static 40".to_owned(), Law::Fixed(40)),
        (format!("formula {formula}"), Law::Fixed(formula)),
        ("grow on wait".to_owned(), Law::GrowOnWait),
        ("ours".to_owned(), Law::Ours),
    ]
}

/// Publishes the controller's file and waits until all pods follow it.
async fn follow(site: &Site, controller: &Controller) -> Result<(), String> {
    let (file, deadline) = (controller.file(), Instant::now() + FOLLOWS_WITHIN);
    site.publish(file)?;
    loop {
        let fleet = site.look().await;
        let follows = fleet
            .samples
            .iter()
            .filter(|(uid, said)| said.generation == file.generation && said.applied <= file.limit_of(Some(uid)));
        if follows.count() == site.pods.len() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("the pods do not follow {file:?}: {:?}", fleet.samples));
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// One load under one law.
async fn phase(
    arguments: &Arguments,
    site: &Site,
    census: &Census,
    controller: &mut Controller,
    load: Load,
    peak: &mut Peak,
) -> Result<Phase, String> {
    let clients = Clients::begin(site, load, clients(load));
    let (mut changes, mut settled) = (0, Moment::now());
    let mut note = |counts: Counts| {
        peak.sampled = peak.sampled.max(counts.most);
        peak.samples += counts.samples;
        counts
    };
    let mut ends = tokio::time::interval(Duration::from_millis(arguments.window_ms));
    ends.tick().await;
    for window in 0..arguments.windows {
        if window == arguments.windows / 2 {
            note(census.take());
            settled = Moment::now();
        }
        ends.tick().await;
        let step = controller.turn(&site.look().await, Instant::now());
        println!(
            "    {load:?}: {:.0} uses a second, wait {:.1} ms, {:.1} in use, {} connections: {:?}, {} a pod",
            step.seen.throughput,
            step.seen.wait_p95 * 1e3,
            step.seen.in_use,
            step.seen.applied,
            step.reason,
            step.file.pool_max,
        );
        if step.is_new {
            changes += 1;
            site.publish(&step.file)?;
        }
    }
    let (counts, seconds) = (note(census.take()), settled.elapsed().as_secs_f64());
    // Joining threads blocks, and the proxy needs this one.
    let served = tokio::task::block_in_place(|| clients.end())?;
    Ok(Phase { counts, changes, ..measured(&served, settled, seconds) })
}

/// What was served since `settled`, `seconds` long.
fn measured(served: &Served, settled: Moment, seconds: f64) -> Phase {
    let end = settled + Duration::from_secs_f64(seconds);
    let within = served.answers.iter().filter(|(at, _)| (settled..end).contains(at));
    let mut took: Vec<Duration> = within.map(|(_, took)| *took).collect();
    took.sort_unstable();
    let p95 = took.get(took.len() * 95 / 100).map_or(0.0, Duration::as_secs_f64) * 1e3;
    let rate = took.len() as f64 / seconds;
    Phase { rate, p95, turned_away: served.turned_away, counts: Counts::default(), changes: 0 }
}

/// How many ask at once.
pub(super) fn clients(load: Load) -> usize {
    match load {
        Load::Cheap | Load::Expensive => 96,
        Load::Quiet => 4,
    }
}
