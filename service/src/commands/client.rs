//! `farmlokal client add|list|rotate|remove`: who may get access tokens.

use std::time::Duration;

use chrono::Utc;
use farmlokal_catalog::store::oauth::OAuthClient;

use super::{CommandError, Outcome, oauth_store, print};
use crate::cli::{Client, ClientAction};
use crate::config::Config;
use crate::oauth::{Clients, Credentials};

pub(super) async fn run(config: Config, options: Client) -> Result<Outcome, CommandError> {
    let clients = Clients::new(oauth_store(&config, &options.common).await?)?;
    print(&act(&clients, options.action).await?);
    Ok(Outcome::Done)
}

/// What is to be printed.
async fn act(clients: &Clients, action: ClientAction) -> Result<String, CommandError> {
    let now = Utc::now().into();
    let unknown = |id: &str| CommandError::Client(format!("there is no client {id}, or it was removed"));
    match action {
        ClientAction::Add { name, scopes } => {
            let Credentials { id, secret } = clients.add(&name, &scopes.into_iter().collect(), now).await?;
            Ok(format!("client_id      {id}\nclient_secret  {}\n", secret.expose()))
        }
        ClientAction::List => Ok(clients.list().await?.iter().map(line).collect()),
        ClientAction::Rotate { id, keep } => {
            let secret = clients.rotate(&id, Duration::from_secs(keep), now).await?.ok_or_else(|| unknown(&id))?;
            Ok(format!("client_id      {id}\nclient_secret  {}\n", secret.expose()))
        }
        ClientAction::Remove { id } => match clients.remove(&id, now).await? {
            true => Ok(format!("{id} has no rights any more.\n")),
            false => Err(unknown(&id)),
        },
    }
}

fn line(client: &OAuthClient) -> String {
    let state = match client.disabled_at {
        Some(at) => format!("removed {}", at.to_utc().format("%Y-%m-%d")),
        None => client.scope.clone(),
    };
    format!("{:<20} {} {:<30} {state}\n", client.id, client.created_at.to_utc().format("%Y-%m-%d"), client.name)
}
