//! Suppliers: their APIs, our tokens for them, and the syncs that pull what they offer.

mod page;
mod pull;
mod supplier;
mod token;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use farmlokal_catalog::inbox::SourceName;

use crate::clock::Clock;
use crate::config;
use crate::outbound::{Failure, HttpClient};
use crate::redis::Redis;

pub use pull::run;
pub use supplier::{Called, Supplier, Synced};

/// All suppliers, by name.
pub struct Suppliers {
    all: Vec<Arc<Supplier>>,
    clients_wait: Duration,
}

impl Suppliers {
    /// The suppliers of the configuration. Tokens are shared through `redis`, if there is one; what is passed
    /// on to a client has to come within `clients_wait`.
    pub fn open(
        suppliers: &[config::Supplier],
        redis: Option<&Arc<Redis>>,
        clients_wait: Duration,
        clock: &Clock,
    ) -> Self {
        let mut all = Vec::new();
        if !suppliers.is_empty() {
            let http = HttpClient::open();
            let open = |config| Arc::new(Supplier::new(config, http.clone(), redis, Arc::clone(clock)));
            all.extend(suppliers.iter().map(open));
        }
        Self { all, clients_wait }
    }

    /// The supplier called `name`.
    pub fn get(&self, name: &SourceName) -> Option<&Arc<Supplier>> {
        self.iter().find(|supplier| supplier.name() == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Supplier>> {
        self.all.iter()
    }

    /// What the first supplier offers first, as it wrote it; `None` without a supplier.
    pub async fn passed_on(&self) -> Option<Result<Bytes, Failure>> {
        let supplier = self.all.first()?;
        let answer = supplier.first_page(self.clients_wait).await;
        if let Err(failure) = &answer {
            tracing::warn!(supplier = %supplier.name(), "nothing to pass on: {failure}");
        }
        Some(answer)
    }
}
