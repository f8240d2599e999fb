//! What the operator costs with many objects, on an API server of its own with real controllers: memory, processor and
//! requests, while all objects wait for their pods and once all are ready. Prints the table of `docs/operations.md`.
//!
//! ```sh
//! cargo xtask operator-bench              # 500 objects, optimised
//! cargo run -p farmlokal-operator --example crowd -- measure --objects 50 --seconds 10
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

mod cluster;
mod operator;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use farmlokal_operator::cli::Run;
use farmlokal_testkit::kubernetes::Server;

use cluster::Cluster;
use operator::{Operator, Usage};

#[derive(Parser)]
enum Command {
    /// Measure
    Measure(Arguments),
    /// What `farmlokal-operator run` does: what is measured is never an older binary
    #[command(hide = true)]
    Run(Box<Run>),
}

#[derive(clap::Args)]
struct Arguments {
    /// FarmLokal objects
    #[arg(long, default_value_t = 500)]
    objects: usize,
    /// How long each phase is measured
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Run(options) => {
            let command = farmlokal_operator::cli::Command::Run(options);
            farmlokal_operator::commands::run(farmlokal_operator::cli::Cli { command })
        }
        Command::Measure(arguments) => {
            let measured = tokio::runtime::Runtime::new()
                .map_err(|error| format!("cannot start: {error}"))
                .and_then(|runtime| runtime.block_on(measure(&arguments)));
            match measured {
                Ok(()) => ExitCode::SUCCESS,
                Err(message) => {
                    eprintln!("error: {message}");
                    ExitCode::FAILURE
                }
            }
        }
    }
}

async fn measure(&Arguments { objects, seconds }: &Arguments) -> Result<(), String> {
    println!("==> a control plane");
    let server = tokio::task::block_in_place(Server::start)?;
    let cluster = Cluster::open(server.kubeconfig()).await?;
    let operator = Operator::start(server.kubeconfig())?;
    println!("==> {objects} objects");
    let began = std::time::Instant::now();
    cluster.ask(objects).await?;
    // No node takes the pods, which is a reason too.
    cluster.until("told of", objects, |reason| matches!(reason, "RolloutInProgress" | "PodError")).await?;
    println!("    all told of after {:.0} s", began.elapsed().as_secs_f64());
    let waiting = phase(&operator, seconds, "wait for their pods").await?;
    let began = std::time::Instant::now();
    cluster.start_pods(objects).await?;
    cluster.until("ready", objects, |reason| reason == "AsAsked").await?;
    println!("    all ready after {:.0} s", began.elapsed().as_secs_f64());
    let ready = phase(&operator, seconds, "are ready").await?;
    println!("\n{}", table(objects, &[("wait for their pods", waiting), ("are ready", ready)]));
    Ok(())
}

/// What the operator uses in `seconds`, once it has come to rest.
async fn phase(operator: &Operator, seconds: u64, what: &str) -> Result<Usage, String> {
    println!("==> all {what}: {seconds} s");
    operator.rest().await?;
    let before = operator.usage()?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    Ok(operator.usage()?.since(&before))
}

fn table(objects: usize, phases: &[(&str, Usage)]) -> String {
    let mut text = format!(
        "| {objects} objects | memory, MB | most ever | processor | rounds | read | watch | write | lead |\n\
         | --- |{}\n",
        " ---: |".repeat(8)
    );
    for (name, usage) in phases {
        let per_second = |count: f64| format!("{:.2} / s", count / usage.seconds);
        text += &format!(
            "| all {name} | {:.1} | {:.1} | {:.2} % | {} | {} | {} | {} | {} |\n",
            usage.resident as f64 / 1e6,
            usage.peak as f64 / 1e6,
            100.0 * usage.processor / usage.seconds,
            per_second(usage.rounds),
            per_second(usage.requests[0]),
            per_second(usage.requests[1]),
            per_second(usage.requests[2]),
            per_second(usage.requests[3]),
        );
    }
    text
}
