//! The tables of syncs.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, MySql, QueryBuilder, Row as _};

use super::applying::Transaction;
use super::row::datetime;
use super::{MysqlStore, read};
use crate::inbox::SourceName;
use crate::store::changes::Change;
use crate::store::syncs::{self, BATCH, Ledger, Lending};
use crate::store::{StoreError, Syncs};
use crate::supply::{Claim, Counts, Offer, Progress, Sync, SyncId};
use crate::{ExternalId, Product, ProductId, Timestamp};

#[async_trait]
impl Syncs for MysqlStore {
    async fn request_sync(&self, supplier: &SourceName, now: Timestamp) -> Result<(Sync, bool), StoreError> {
        self.pools.primary("INSERT supplier_syncs", async |db| request(db, supplier, now).await).await
    }

    async fn claim_sync(
        &self,
        supplier: &SourceName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError> {
        self.pools.primary("UPDATE supplier_leases", async |db| claim(db, supplier, now, until).await).await
    }

    async fn take_offers(
        &self,
        claim: &Claim,
        offers: Vec<Offer>,
        progress: Option<Progress>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Sync>, StoreError> {
        let taken = async |db: &mut MySqlConnection| take(db, claim, (offers, progress), now, until).await;
        let (sync, changes) = self.pools.write("UPDATE supplier_syncs", taken).await?;
        self.listeners.tell_all(&changes).await;
        Ok(sync)
    }

    async fn end_sync(&self, claim: &Claim, error: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        self.pools.primary("UPDATE supplier_syncs", async |db| end(db, claim, error, now).await).await
    }

    async fn release_sync(&self, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
        self.pools.primary("UPDATE supplier_syncs", async |db| release(db, claim, now).await).await
    }

    async fn sync(&self, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError> {
        self.pools.primary("SELECT supplier_syncs", async |db| get(db, supplier, id).await).await
    }

    async fn last_sync(&self, supplier: &SourceName) -> Result<Option<Sync>, StoreError> {
        self.pools.primary("SELECT supplier_syncs", async |db| last(db, supplier).await).await
    }
}

/// The columns that [`sync`] reads, in its order.
const COLUMNS: &str = "id, supplier, state, made, changed, unchanged, failed, pages, page_cursor, attempts, requested_at, \
                       started_at, finished_at, error";

/// Begins a transaction in which each statement sees what is committed by then, and no gaps between rows
/// are locked.
async fn begin(connection: &mut MySqlConnection) -> Result<sqlx::Transaction<'_, MySql>, StoreError> {
    sqlx::query("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").execute(&mut *connection).await?;
    Ok(connection.begin().await?)
}

async fn request(
    connection: &mut MySqlConnection,
    supplier: &SourceName,
    now: Timestamp,
) -> Result<(Sync, bool), StoreError> {
    let mut transaction = begin(connection).await?;
    let requested = syncs::request(&mut Transaction(&mut transaction), supplier, now).await?;
    transaction.commit().await?;
    Ok(requested)
}

/// Whether there may be a sync to claim: asked often, and so without a lock.
async fn is_due(connection: &mut MySqlConnection, supplier: &SourceName, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT fence FROM supplier_leases WHERE supplier = ? AND sync_id IS NOT NULL AND lent_until <= ?";
    let query = sqlx::query_scalar(sql).bind(supplier.as_str()).bind(datetime(now));
    let due: Option<i64> = query.fetch_optional(connection).await?;
    Ok(due.is_some())
}

async fn claim(
    connection: &mut MySqlConnection,
    supplier: &SourceName,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    if !is_due(connection, supplier, now).await? {
        return Ok(None);
    }
    let mut transaction = begin(connection).await?;
    let claim = syncs::claim(&mut Transaction(&mut transaction), supplier, now, until).await?;
    transaction.commit().await?;
    Ok(claim)
}

async fn take(
    connection: &mut MySqlConnection,
    claim: &Claim,
    page: (Vec<Offer>, Option<Progress>),
    now: Timestamp,
    until: Timestamp,
) -> Result<(Option<Sync>, Vec<Change>), StoreError> {
    let mut transaction = begin(connection).await?;
    let taken = syncs::take(&mut Transaction(&mut transaction), claim, page, now, until).await?;
    transaction.commit().await?;
    Ok(taken)
}

async fn end(
    connection: &mut MySqlConnection,
    claim: &Claim,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut transaction = begin(connection).await?;
    syncs::end(&mut Transaction(&mut transaction), claim, error, now).await?;
    Ok(transaction.commit().await?)
}

async fn release(connection: &mut MySqlConnection, claim: &Claim, now: Timestamp) -> Result<(), StoreError> {
    let mut transaction = begin(connection).await?;
    syncs::release(&mut Transaction(&mut transaction), claim, now).await?;
    Ok(transaction.commit().await?)
}

async fn get(connection: &mut MySqlConnection, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM supplier_syncs WHERE supplier = ? AND id = ?");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(supplier.as_str()).bind(id.get());
    query.fetch_optional(connection).await?.as_ref().map(sync).transpose()
}

async fn last(connection: &mut MySqlConnection, supplier: &SourceName) -> Result<Option<Sync>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM supplier_syncs WHERE supplier = ? ORDER BY id DESC LIMIT 1");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(supplier.as_str());
    query.fetch_optional(connection).await?.as_ref().map(sync).transpose()
}

#[async_trait]
impl Ledger for Transaction<'_> {
    async fn lending(&mut self, supplier: &SourceName, now: Timestamp) -> Result<Lending, StoreError> {
        sqlx::query(
            "INSERT INTO supplier_leases (supplier, lent_until) VALUES (?, ?) \
             ON DUPLICATE KEY UPDATE fence = fence",
        )
        .bind(supplier.as_str())
        .bind(datetime(now))
        .execute(&mut *self.0)
        .await?;
        let row = sqlx::query("SELECT sync_id, fence, lent_until FROM supplier_leases WHERE supplier = ? FOR UPDATE")
            .bind(supplier.as_str())
            .fetch_one(&mut *self.0)
            .await?;
        let corrupt = |field| StoreError::Corrupt { id: 0, field };
        let id = row.try_get::<Option<i64>, _>(0)?.map(SyncId::new).transpose();
        Ok(Lending {
            sync: id.map_err(|_| corrupt("sync_id"))?,
            fence: row.try_get::<i64, _>(1)?.cast_unsigned(),
            until: moment(&row, 2)?.ok_or_else(|| corrupt("lent_until"))?,
        })
    }

    async fn lend(&mut self, supplier: &SourceName, lending: &Lending) -> Result<(), StoreError> {
        sqlx::query("UPDATE supplier_leases SET sync_id = ?, fence = ?, lent_until = ? WHERE supplier = ?")
            .bind(lending.sync.map(SyncId::get))
            .bind(lending.fence.cast_signed())
            .bind(datetime(lending.until))
            .bind(supplier.as_str())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    async fn add(&mut self, supplier: &SourceName, now: Timestamp) -> Result<Sync, StoreError> {
        let id = sqlx::query("INSERT INTO supplier_syncs (supplier, state, requested_at) VALUES (?, 'queued', ?)")
            .bind(supplier.as_str())
            .bind(datetime(now))
            .execute(&mut *self.0)
            .await?
            .last_insert_id()
            .cast_signed();
        let id = SyncId::new(id).map_err(|_| StoreError::Corrupt { id, field: "id" })?;
        Ok(Sync::queued(id, supplier.clone(), now))
    }

    async fn find(&mut self, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError> {
        get(self.0, supplier, id).await
    }

    async fn put(&mut self, sync: &Sync) -> Result<(), StoreError> {
        let Counts { made, changed, unchanged, failed } = sync.counts;
        sqlx::query(
            "UPDATE supplier_syncs SET state = ?, made = ?, changed = ?, unchanged = ?, failed = ?, pages = ?, \
             page_cursor = ?, attempts = ?, started_at = ?, finished_at = ?, error = ? WHERE id = ?",
        )
        .bind(sync.state.as_str())
        .bind(made.cast_signed())
        .bind(changed.cast_signed())
        .bind(unchanged.cast_signed())
        .bind(failed.cast_signed())
        .bind(sync.pages.cast_signed())
        .bind(&sync.cursor)
        .bind(sync.attempts)
        .bind(sync.started_at.map(datetime))
        .bind(sync.finished_at.map(datetime))
        .bind(&sync.error)
        .bind(sync.id.get())
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    async fn offered(
        &mut self,
        supplier: &SourceName,
        offers: &[Offer],
    ) -> Result<HashMap<ExternalId, Product>, StoreError> {
        let Some(last) = offers.last() else { return Ok(HashMap::new()) };
        let mut select = QueryBuilder::<MySql>::new(
            "SELECT product_id, external_id FROM external_products WHERE product_id IS NOT NULL AND source = ",
        );
        select.push_bind(supplier.as_str()).push(" AND external_id IN (");
        let mut list = select.separated(", ");
        // One statement for every page: its last offer fills the places that are left.
        for place in 0..BATCH {
            list.push_bind(offers.get(place).unwrap_or(last).external.as_str());
        }
        select.push(")");
        let mut names = HashMap::new();
        for row in select.build().fetch_all(&mut *self.0).await? {
            let id: i64 = row.try_get(0)?;
            let corrupt = |field| StoreError::Corrupt { id, field };
            let name: ExternalId = row.try_get::<&str, _>(1)?.parse().map_err(|_| corrupt("external_id"))?;
            names.insert(ProductId::new(id).map_err(|_| corrupt("product_id"))?, name);
        }
        let ids: Vec<ProductId> = names.keys().copied().collect();
        let products = read::get_all(self.0, &ids).await?;
        Ok(products.into_iter().filter_map(|product| Some((names.remove(&product.id)?, product))).collect())
    }
}

/// The sync in `row`.
fn sync(row: &MySqlRow) -> Result<Sync, StoreError> {
    let id: i64 = row.try_get(0)?;
    let corrupt = |field| StoreError::Corrupt { id, field };
    let count = |column: usize| row.try_get::<i64, _>(column).map(i64::cast_unsigned);
    Ok(Sync {
        id: SyncId::new(id).map_err(|_| corrupt("id"))?,
        supplier: row.try_get::<&str, _>(1)?.parse().map_err(|_| corrupt("supplier"))?,
        state: row.try_get::<&str, _>(2)?.parse().map_err(|_| corrupt("state"))?,
        counts: Counts { made: count(3)?, changed: count(4)?, unchanged: count(5)?, failed: count(6)? },
        pages: count(7)?,
        cursor: row.try_get(8)?,
        attempts: row.try_get(9)?,
        requested_at: moment(row, 10)?.ok_or_else(|| corrupt("requested_at"))?,
        started_at: moment(row, 11)?,
        finished_at: moment(row, 12)?,
        error: row.try_get(13)?,
    })
}

/// The moment in `column`, if there is one.
fn moment(row: &MySqlRow, column: usize) -> Result<Option<Timestamp>, sqlx::Error> {
    Ok(row.try_get::<Option<chrono::DateTime<chrono::Utc>>, _>(column)?.map(Timestamp::from))
}
