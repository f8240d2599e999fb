//! Who may write, as long as there are no access tokens.

use poem::Request;
use poem::web::RemoteAddr;

use super::problem::{Kind, Problem};

/// The fields by which proxies tell for whom they speak.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Admits requests from this machine itself. One that came through a proxy on this machine did not.
pub(super) fn admit(request: &Request) -> Result<(), Problem> {
    let RemoteAddr(address) = request.remote_addr();
    let local = address.as_socket_addr().is_some_and(|address| address.ip().to_canonical().is_loopback());
    let forwarded = FORWARDED.iter().any(|field| request.headers().contains_key(*field));
    if local && !forwarded {
        return Ok(());
    }
    Err(Problem::new(
        Kind::WritesClosed,
        "Until access tokens are there, only clients on the service's own machine may write, and not through a proxy.",
    ))
}
