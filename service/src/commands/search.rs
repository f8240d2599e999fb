//! `farmlokal search status|rebuild`: the search index of a running service.

use serde_json::Value;

use super::{CommandError, Outcome, ask, print};
use crate::cli::SearchAction;
use crate::config::Config;

pub(super) async fn run(config: Config, action: SearchAction) -> Result<Outcome, CommandError> {
    match action {
        SearchAction::Status => {
            let status = ask::admin(config.admin_listen, "GET /v1/admin/search").await?;
            print(&table(&status));
        }
        SearchAction::Rebuild => {
            ask::admin(config.admin_listen, "POST /v1/admin/search/rebuild").await?;
            print("The search index is being built anew; the present one serves until then.\n");
        }
    }
    Ok(Outcome::Done)
}

/// A line for each field, aligned.
fn table(status: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(status) else { return format!("{status}\n") };
    let shown = fields.iter().filter(|(_, value)| !value.is_null());
    shown.map(|(name, value)| format!("{name:<14} {}\n", value.to_string().trim_matches('"'))).collect()
}
