//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use farmlokal_telemetry::log::Directives;

/// Turns FarmLokal objects into served, seeded and tuned catalogues.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look after the objects of a cluster
    Run(Box<Run>),
    /// Print the CustomResourceDefinition
    Crd,
    /// Print all that would be applied for an object, without a cluster
    Render(Render),
    /// Tell why the pools of an object have the size they have
    Explain(Explain),
}

/// The image of those who name none.
#[derive(Debug, Clone, Args)]
pub struct Image {
    /// The service's image for objects that name none
    #[arg(long, env = "FARMLOKAL_IMAGE", default_value = concat!("farmlokal:", env!("CARGO_PKG_VERSION")))]
    pub image: String,
}

/// Options of `run`.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// The service's image.
    #[command(flatten)]
    pub image: Image,
    /// Namespaces to look after, with commas between them; all if there are none
    #[arg(long, env = "WATCH_NAMESPACES", value_delimiter = ',')]
    pub watch_namespaces: Vec<String>,
    /// The namespace of the Lease that decides which replica works
    #[arg(long, env = "POD_NAMESPACE", default_value = "default")]
    pub namespace: String,
    /// Who this replica is, in that Lease
    #[arg(long, env = "POD_NAME", default_value = "farmlokal-operator")]
    pub identity: String,
    /// Objects worked on at once, in each namespace
    #[arg(long, env = "CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,
    /// Where /livez, /readyz and /metrics are
    #[arg(long, env = "ADMIN_LISTEN", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
    /// What is logged to standard error
    #[arg(long, env = "LOG_FILTER", default_value = "info")]
    pub log: Directives,
}

/// Options of `render`.
#[derive(Debug, Clone, Args)]
pub struct Render {
    /// The service's image.
    #[command(flatten)]
    pub image: Image,
    /// The object, as YAML; - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of `explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The object's name
    pub name: String,
    /// Its namespace; that of the kubeconfig if absent
    #[arg(short, long)]
    pub namespace: Option<String>,
}
