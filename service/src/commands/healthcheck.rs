//! `farmlokal healthcheck`: asks the admin port of a running service, for images without a shell.

use super::{CommandError, Outcome, admin};
use crate::config::Config;

pub(super) async fn run(config: Config) -> Result<Outcome, CommandError> {
    admin::ask(config.admin_listen, "GET /readyz").await?;
    Ok(Outcome::Done)
}
