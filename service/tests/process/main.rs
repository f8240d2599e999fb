//! The real binary from outside: its commands, its start and its end, and the limits of its server.

mod child;
mod commands;
mod connections;
mod shutdown;
mod startup;
