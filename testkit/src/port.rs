//! Free ports of the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

/// A TCP port of 127.0.0.1 that nobody listens on right now.
///
/// Nothing reserves it: use it at once.
///
/// # Panics
///
/// When the machine has no free port left.
#[must_use]
pub fn free() -> u16 {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    match bound {
        Ok(address) => address.port(),
        Err(error) => panic!("no free port on 127.0.0.1: {error}"),
    }
}
