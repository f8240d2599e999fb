//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Secret;
use crate::oauth::Scope;

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
    /// Manage the clients that may get access tokens
    Client(Client),
    /// Manage the keys that sign access tokens
    Key(Key),
    /// Get an access token from a running service, and print it
    Token(Token),
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

/// Options of `client`.
#[derive(Debug, Clone, Args)]
pub struct Client {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub action: ClientAction,
}

/// What can be done with clients.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientAction {
    /// Add a client; its id and secret are printed, the secret this once
    Add {
        /// What people call it
        #[arg(value_parser = name)]
        name: String,
        /// A scope it may have, for instance catalog:write; give several times for more
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<Scope>,
    },
    /// List the clients
    List,
    /// Give a client a new secret, printed this once; the present one stays good for a while
    Rotate {
        /// The client's id
        id: String,
        /// How many seconds longer the present secret is good
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400, value_parser = clap::value_parser!(u64).range(..=31_536_000))]
        keep: u64,
    },
    /// Take all rights from a client, for ever; its tokens are refused within seconds
    Remove {
        /// The client's id
        id: String,
    },
}

/// Options of `key`.
#[derive(Debug, Clone, Args)]
pub struct Key {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub action: KeyAction,
}

/// What can be done with signing keys.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum KeyAction {
    /// Have a new key take over; the present one is good until its last token has ended
    Rotate {
        /// Refuse all tokens signed so far, as when a key has leaked
        #[arg(long)]
        at_once: bool,
    },
}

/// Options of `token`.
#[derive(Debug, Clone, Args)]
pub struct Token {
    /// Where the configuration comes from; http.listen says whom to ask.
    #[command(flatten)]
    pub common: Common,
    /// The client's id
    #[arg(long, env = "FARMLOKAL_CLIENT_ID")]
    pub client_id: String,
    /// The client's secret; better in the environment, since arguments are for everybody to read
    #[arg(long, env = "FARMLOKAL_CLIENT_SECRET", hide_env_values = true, value_parser = secret)]
    pub client_secret: Secret,
    /// A scope to ask for; give several times for more [default: all that the client may have]
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<Scope>,
}

/// A client's name: something to be read in a list.
fn name(text: &str) -> Result<String, String> {
    let right = !text.trim().is_empty() && text.chars().count() <= 120 && !text.chars().any(char::is_control);
    right.then(|| text.to_owned()).ok_or_else(|| "must have 1 to 120 characters and no control characters".to_owned())
}

#[allow(clippy::unnecessary_wraps, reason = "clap wants a Result")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text.to_owned()))
}
