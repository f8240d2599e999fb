//! Test support: real servers, private to a test run, gone when it ends.
//!
//! Every server kind is one module: [`mariadb`], [`redis`], [`collector`], [`kubernetes`]. [`process::Process`] is what
//! they share. [`receiver`] is where a service under test sends what it has to tell.
#![allow(clippy::panic, reason = "test support: a test that cannot have its server has to stop, and say why")]

pub mod cache;
pub mod collector;
pub mod http;
pub mod kubernetes;
pub mod machine;
pub mod mariadb;
pub mod page;
pub mod port;
pub mod process;
pub mod program;
pub mod proxy;
pub mod receiver;
pub mod redis;
