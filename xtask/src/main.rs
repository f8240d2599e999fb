//! `cargo xtask …`: every chore that is not `cargo build`. One file a command.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to its terminal")]

mod api;
mod bench;
mod charts;
mod command;
mod control_plane;
mod e2e;
mod image;
mod instance;
mod measured;
mod metrics;
mod openapi;
mod packages;
mod report;
mod servers;
mod test;
mod validator;
mod versions;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "FarmLokal's chores", disable_help_subcommand = true)]
enum Xtask {
    /// Install what is missing, lint, and run every test
    Test(test::Arguments),
    /// Start the servers that tests share, print their variables, and run until Ctrl-C or the end
    /// of standard input
    Servers,
    /// Build Kubernetes' control plane if it is not built yet (some ten minutes), start one of its own, print the
    /// KUBECONFIG to export, and run until Ctrl-C or the end of standard input
    ControlPlane,
    /// Write what is made from the charts' values and the definition: READMEs, a schema, renders, docs/farmlokal-resource.md
    Charts(charts::Arguments),
    /// Write the images of service and operator to target/images, as archives
    Image(image::Arguments),
    /// Install and run everything on a Kubernetes node of this machine (as root), or on a cluster that is there
    E2e(e2e::Arguments),
    /// Write docs/openapi.json
    Openapi,
    /// Write docs/metrics.md
    Metrics,
    /// Lint docs/openapi.json, then fuzz a running farmlokal with it (needs npm and python3)
    Api(api::Arguments),
    /// Measure how fast products are loaded and served; writes docs/performance.md (some 20 minutes)
    Bench(bench::Arguments),
    /// Compare the tuner with static pools on a real database; writes a part of docs/pool-tuning.md (some 8 minutes)
    ClosedLoop(measured::Arguments),
    /// Measure what the operator costs with 500 objects; prints a table of docs/operations.md (some 6 minutes, and the
    /// control plane's build)
    OperatorBench(measured::Arguments),
    /// Serve so many bytes from an endpoint of poem with nothing around it, for the benchmark
    #[cfg(feature = "bench")]
    #[command(hide = true)]
    BareEndpoint { address: std::net::SocketAddr, bytes: usize },
    /// Check that Cargo.lock has one version of the crates whose types cross borders
    Versions,
}

fn main() -> ExitCode {
    let outcome = match Xtask::parse() {
        Xtask::Test(arguments) => return test::run(&arguments),
        Xtask::Servers => servers::run(),
        Xtask::ControlPlane => control_plane::run(),
        Xtask::Charts(arguments) => charts::run(&arguments),
        Xtask::Image(arguments) => image::run(&arguments),
        Xtask::E2e(arguments) => e2e::run(&arguments),
        Xtask::Openapi => openapi::run(),
        Xtask::Metrics => metrics::run(),
        Xtask::Api(arguments) => api::run(&arguments),
        Xtask::Bench(arguments) => bench::run(&arguments),
        Xtask::ClosedLoop(arguments) => arguments.run("--package farmlokal-e2e", "closed-loop"),
        Xtask::OperatorBench(arguments) => arguments.run("--package farmlokal-operator --example crowd", "measure"),
        #[cfg(feature = "bench")]
        Xtask::BareEndpoint { address, bytes } => bench::serve_bare_endpoint(address, bytes),
        Xtask::Versions => versions::check(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
