//! The tables of syncs: the syncs of each supplier, and to whom the one under way is lent.

use super::engine::{Connection, Row, for_update, inserted_id, on_conflict};
use super::row::Columns;
use crate::Timestamp;
use crate::inbox::SourceName;
use crate::store::StoreError;
use crate::supply::{Counts, Sync, SyncId};

/// The lease on the sync of a supplier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lending {
    pub(super) sync: Option<SyncId>,
    /// The number of the lending: an earlier borrower is fenced off by it.
    pub(super) fence: u64,
    pub(super) until: Timestamp,
}

/// The lending of `supplier`, locked against other writers.
pub(super) async fn lending(db: &mut Connection, supplier: &SourceName, now: Timestamp) -> Result<Lending, StoreError> {
    sqlx::query(concat!(
        "INSERT INTO supplier_leases (supplier, lent_until) VALUES (?, ?)",
        on_conflict!("supplier"),
        "fence = fence"
    ))
    .bind(supplier)
    .bind(now)
    .execute(&mut *db)
    .await?;
    let select = concat!("SELECT sync_id, fence, lent_until FROM supplier_leases WHERE supplier = ?", for_update!());
    let row = sqlx::query(select).bind(supplier).fetch_one(db).await?;
    let row = Columns::of(&row);
    Ok(Lending { sync: row.get(0)?, fence: row.number(1)?, until: row.get(2)? })
}

/// Writes the lending of `supplier`.
pub(super) async fn lend(db: &mut Connection, supplier: &SourceName, lending: &Lending) -> Result<(), StoreError> {
    sqlx::query("UPDATE supplier_leases SET sync_id = ?, fence = ?, lent_until = ? WHERE supplier = ?")
        .bind(lending.sync)
        .bind(lending.fence.cast_signed())
        .bind(lending.until)
        .bind(supplier)
        .execute(db)
        .await?;
    Ok(())
}

/// Returns whether there may be a sync to claim.
pub(super) async fn is_due(db: &mut Connection, supplier: &SourceName, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT fence FROM supplier_leases WHERE supplier = ? AND sync_id IS NOT NULL AND lent_until <= ?";
    let due: Option<i64> = sqlx::query_scalar(sql).bind(supplier).bind(now).fetch_optional(db).await?;
    Ok(due.is_some())
}

/// Stores a new sync.
pub(super) async fn add(db: &mut Connection, supplier: &SourceName, now: Timestamp) -> Result<Sync, StoreError> {
    let insert = sqlx::query("INSERT INTO supplier_syncs (supplier, state, requested_at) VALUES (?, 'queued', ?)");
    let id = inserted_id(&insert.bind(supplier).bind(now).execute(db).await?);
    let id = SyncId::new(id).map_err(|_| StoreError::corrupt(id, "id"))?;
    Ok(Sync::queued(id, supplier.clone(), now))
}

macro_rules! select_syncs {
    ($condition:literal) => {
        concat!(
            "SELECT id, supplier, state, made, changed, unchanged, failed, pages, page_cursor, attempts, \
             requested_at, started_at, finished_at, error FROM supplier_syncs WHERE ",
            $condition
        )
    };
}

/// The sync `id` of `supplier`.
pub(super) async fn find(db: &mut Connection, supplier: &SourceName, id: SyncId) -> Result<Option<Sync>, StoreError> {
    let query = sqlx::query(select_syncs!("supplier = ? AND id = ?")).bind(supplier).bind(id);
    query.fetch_optional(db).await?.as_ref().map(sync).transpose()
}

/// The latest sync of `supplier`.
pub(super) async fn last(db: &mut Connection, supplier: &SourceName) -> Result<Option<Sync>, StoreError> {
    let query = sqlx::query(select_syncs!("supplier = ? ORDER BY id DESC LIMIT 1")).bind(supplier);
    query.fetch_optional(db).await?.as_ref().map(sync).transpose()
}

/// Writes `sync`.
pub(super) async fn put(db: &mut Connection, sync: &Sync) -> Result<(), StoreError> {
    let Counts { made, changed, unchanged, failed } = sync.counts;
    sqlx::query(
        "UPDATE supplier_syncs SET state = ?, made = ?, changed = ?, unchanged = ?, failed = ?, pages = ?, \
         page_cursor = ?, attempts = ?, started_at = ?, finished_at = ?, error = ? WHERE id = ?",
    )
    .bind(sync.state)
    .bind(made.cast_signed())
    .bind(changed.cast_signed())
    .bind(unchanged.cast_signed())
    .bind(failed.cast_signed())
    .bind(sync.pages.cast_signed())
    .bind(&sync.cursor)
    .bind(sync.attempts)
    .bind(sync.started_at)
    .bind(sync.finished_at)
    .bind(&sync.error)
    .bind(sync.id)
    .execute(db)
    .await?;
    Ok(())
}

/// The sync in `row`.
fn sync(row: &Row) -> Result<Sync, StoreError> {
    let row = Columns::of(row);
    Ok(Sync {
        id: row.get(0)?,
        supplier: row.get(1)?,
        state: row.get(2)?,
        counts: Counts {
            made: row.number(3)?,
            changed: row.number(4)?,
            unchanged: row.number(5)?,
            failed: row.number(6)?,
        },
        pages: row.number(7)?,
        cursor: row.get(8)?,
        attempts: row.get(9)?,
        requested_at: row.get(10)?,
        started_at: row.get(11)?,
        finished_at: row.get(12)?,
        error: row.get(13)?,
    })
}
