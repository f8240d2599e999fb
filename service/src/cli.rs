//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// FarmLokal: a product catalogue of a million rows and more, from one command.
///
/// Without a command it serves: on an embedded database, migrated and seeded at the first start, or
/// on the one that the configuration names.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; `serve` without one.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options of `serve`.
    #[command(flatten)]
    pub serve: Serve,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (the default)
    Serve(Serve),
    /// Bring the database's tables up to date, and end
    Migrate(Common),
    /// Fill the database with generated products, and end
    Seed(Seed),
    /// Print the OpenAPI document
    Openapi,
    /// Print the default configuration with its explanations
    Config,
    /// Look at the search index of a running service, or have it built anew
    Search(Search),
    /// Ask a running service whether it is ready; ends with 0 if it is
    Healthcheck(Healthcheck),
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub struct Common {
    /// Configuration file (TOML); the environment (FARMLOKAL_SECTION__KEY) goes over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Wait so many seconds for the database server to answer
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_for: u64,
}

/// Options of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
    /// How many products an empty embedded database is filled with [default: seed.rows, 1000000]
    #[arg(long)]
    pub rows: Option<u64>,
}

/// Options of `seed`.
#[derive(Debug, Clone, Args)]
pub struct Seed {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
    /// How many products there are to be in the end [default: seed.rows, 1000000]
    #[arg(long)]
    pub rows: Option<u64>,
    /// Products in one transaction
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub batch: u64,
    /// The generator's seed: the same seed and rows give the same products
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}

/// Options of `healthcheck`.
#[derive(Debug, Clone, Args)]
pub struct Healthcheck {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
}

/// Options of `search`.
#[derive(Debug, Clone, Args)]
pub struct Search {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub action: SearchAction,
}

/// What can be done with a search index.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum SearchAction {
    /// Tell what it is at, its size, and how far it is behind
    Status,
    /// Build it anew from the table; the present one serves until then
    Rebuild,
}
