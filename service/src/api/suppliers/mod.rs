//! `/v1/suppliers`: who they are, and the syncs that pull what they offer.

pub mod body;

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::supply::SyncId;
use poem_openapi::param::Path;
use poem_openapi::{ApiResponse, OpenApi};

use super::answer::{Failure, Failures, Rendered};
use super::bearer::{Caller, Scope};
use super::problem::{Kind, Problem};
use super::values::Number;
use super::{Context, Tag};
use crate::suppliers::Supplier;
use body::{SupplierBody, SuppliersBody, SyncBody};

/// The operations on suppliers.
pub struct SuppliersApi(pub Arc<Context>);

/// All suppliers.
#[derive(ApiResponse)]
pub enum SuppliersAnswer {
    /// All suppliers.
    #[oai(status = 200)]
    Suppliers(Rendered<SuppliersBody>),
}

/// The sync that was asked for.
#[derive(ApiResponse)]
pub enum RequestAnswer {
    /// The sync is under way: a new one, or the one that was.
    #[oai(status = 202)]
    Accepted(
        Rendered<SyncBody>,
        /// Where to follow it.
        #[oai(header = "Location")]
        String,
    ),
}

/// A sync.
#[derive(ApiResponse)]
pub enum SyncAnswer {
    /// The sync as it is now.
    #[oai(status = 200)]
    Sync(Rendered<SyncBody>),
}

/// What can go wrong in listing suppliers.
pub struct ListFailures;

impl Failures for ListFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "There is a query parameter; this operation has none."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope catalog:write."),
        (503, "The database is away or busy."),
    ];
}

/// What can go wrong in asking for a sync.
pub struct RequestFailures;

impl Failures for RequestFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "There is a query parameter; this operation has none."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope catalog:write."),
        (404, "There is no such supplier."),
        (503, "The supplier failed so often that it is left alone for a while, or the database is away or busy."),
    ];
}

/// What can go wrong in following a sync.
pub struct SyncFailures;

impl Failures for SyncFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[
        (400, "The id is not a whole number from 1 up, or there is a query parameter."),
        (401, "There is no access token, or not a good one."),
        (403, "The access token lacks the scope catalog:write."),
        (404, "There is no such supplier, or it has no such sync."),
        (503, "The database is away or busy."),
    ];
}

#[OpenApi(prefix_path = "/v1", tag = "Tag::Suppliers")]
impl SuppliersApi {
    /// List suppliers
    ///
    /// Every supplier of the configuration with its latest sync, and whether it is being asked.
    #[oai(path = "/suppliers", method = "get", operation_id = "listSuppliers")]
    async fn list(
        &self,
        #[oai(scope = "Scope::CatalogWrite")] _caller: Caller,
    ) -> Result<SuppliersAnswer, Failure<ListFailures>> {
        let mut data = Vec::new();
        for supplier in self.0.suppliers.iter() {
            data.push(SupplierBody {
                name: supplier.name().to_string(),
                breaker: supplier.state().into(),
                retry_after_seconds: supplier.refused_for().map(seconds),
                last_sync: self.0.catalogue.store().last_sync(supplier.name()).await?.map(SyncBody::from),
            });
        }
        Ok(SuppliersAnswer::Suppliers(Rendered::new(&SuppliersBody { data })?))
    }

    /// Pull a supplier's offers
    ///
    /// Asks for a sync, which pulls every page of what the supplier offers in the background and makes the
    /// products as offered; what has not changed is not written. A supplier has one sync at a time: while
    /// one is under way, that one is answered.
    #[oai(path = "/suppliers/:name/sync", method = "post", operation_id = "syncSupplier")]
    async fn request(
        &self,
        #[oai(scope = "Scope::CatalogWrite")] _caller: Caller,
        /// The supplier's name.
        name: Path<String>,
    ) -> Result<RequestAnswer, Failure<RequestFailures>> {
        let supplier = self.supplier(&name.0)?;
        if let Some(pause) = supplier.refused_for() {
            let pause = Duration::from_secs(seconds(pause));
            let detail = format!("{} failed several times and is left alone for a while.", supplier.name());
            return Err(Problem::new(Kind::SupplierUnavailable, detail).retry_after(pause).into());
        }
        let (name, now) = (supplier.name().clone(), self.0.now());
        let asked = self.0.catalogue.to_the_end(|store| async move { store.request_sync(&name, now).await });
        let (sync, _) = asked.await?;
        supplier.wake();
        let location = format!("/v1/suppliers/{}/syncs/{}", sync.supplier, sync.id);
        Ok(RequestAnswer::Accepted(Rendered::new(&SyncBody::from(sync))?, location))
    }

    /// Follow a sync
    ///
    /// How far it has come, and what became of the offers.
    #[oai(path = "/suppliers/:name/syncs/:id", method = "get", operation_id = "getSync")]
    async fn sync(
        &self,
        #[oai(scope = "Scope::CatalogWrite")] _caller: Caller,
        /// The supplier's name.
        name: Path<String>,
        /// The sync's number.
        id: Path<Number<SyncId>>,
    ) -> Result<SyncAnswer, Failure<SyncFailures>> {
        let supplier = self.supplier(&name.0)?;
        let sync = self.0.catalogue.store().sync(supplier.name(), id.0.0).await?;
        let missing = || Problem::new(Kind::NoSuchSync, "This supplier has no sync with this id.").field("id");
        Ok(SyncAnswer::Sync(Rendered::new(&SyncBody::from(sync.ok_or_else(missing)?))?))
    }
}

impl SuppliersApi {
    fn supplier(&self, name: &str) -> Result<&Arc<Supplier>, Problem> {
        let supplier = name.parse().ok().and_then(|name| self.0.suppliers.get(&name));
        let missing = || Problem::new(Kind::NoSuchSupplier, "There is no supplier with this name.").field("name");
        supplier.ok_or_else(missing)
    }
}

/// Whole seconds, and not too few.
fn seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}
