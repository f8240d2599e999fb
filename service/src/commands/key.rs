//! `farmlokal key rotate`: the keys that sign access tokens.

use chrono::Utc;

use super::{CommandError, Outcome, oauth_store, print};
use crate::cli::{Key, KeyAction};
use crate::config::Config;
use crate::oauth;

pub(super) async fn run(config: Config, options: Key) -> Result<Outcome, CommandError> {
    let KeyAction::Rotate { at_once } = options.action;
    let keys = oauth::keys(oauth_store(&config, &options.common).await?, &config.oauth)?;
    keys.rotate(at_once, Utc::now().into()).await?;
    print(match at_once {
        true => "A new key signs; tokens signed before are refused within a minute.\n",
        false => "A new key signs in five minutes, when everybody knows it; tokens signed before stay good.\n",
    });
    Ok(Outcome::Done)
}
