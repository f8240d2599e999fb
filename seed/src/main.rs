//! `farmlokal-seed`: fills a database with a catalogue of generated products.

mod cli;

use clap::Parser as _;

fn main() -> std::process::ExitCode {
    cli::main(&cli::Arguments::parse())
}
