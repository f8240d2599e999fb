//! `farmlokal healthcheck`: asks the admin port of a running service, for images without a shell.

use super::{CommandError, Outcome, ask};
use crate::config::Config;

pub(super) async fn run(config: Config) -> Result<Outcome, CommandError> {
    ask::admin(config.admin_listen, "GET /readyz").await?;
    Ok(Outcome::Done)
}
