//! Transactions that write, and can run again.

use std::collections::BTreeMap;

use sqlx::Connection as _;

use super::SqlStore;
use super::engine::{BEGIN, Connection, inserted, on_conflict};
use crate::Category;
use crate::store::StoreError;
use crate::store::changes::Change;
use crate::store::conflict::{RETRY_DELAYS, pause};

/// A transaction under way, and what its end has to do.
pub(super) struct Transaction<'c> {
    /// The connection that the transaction runs on.
    pub(super) db: &'c mut Connection,
    /// How many products more each category has.
    categories: BTreeMap<Category, i64>,
    changes: Vec<Change>,
}

impl Transaction<'_> {
    /// Counts `more` products in `category`.
    ///
    /// The counts are written at the end and in one order for all writers: each locks products first, then categories,
    /// and so two writers never wait for each other.
    pub(super) fn count(&mut self, category: &Category, more: i64) {
        *self.categories.entry(category.clone()).or_default() += more;
    }

    /// Notes that `change` is in the log, for the listeners.
    pub(super) fn changed(&mut self, change: Change) {
        self.changes.push(change);
    }
}

impl SqlStore {
    /// Runs `work` in a transaction and commits it. Runs `work` again if the database has undone it in favour of another
    /// transaction, and so it captures only what can be copied.
    pub(super) async fn write<T>(
        &self,
        summary: &'static str,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Clone,
    ) -> Result<T, StoreError> {
        Ok(self.transact(summary, work).await?.0)
    }

    /// Runs `work`, which writes products, as [`SqlStore::write`] does; the listeners then learn of its changes.
    pub(super) async fn write_products<T>(
        &self,
        summary: &'static str,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Clone,
    ) -> Result<T, StoreError> {
        // Noted before and after, whatever the outcome: a read in between does not miss it, and a replica's lag counts
        // from the end. Noted before the listeners know: what they make others read must not come from a replica.
        self.pools.wrote();
        let outcome = self.transact(summary, work).await;
        self.pools.wrote();
        let (value, changes) = outcome?;
        self.listeners.tell_all(&changes).await;
        Ok(value)
    }

    async fn transact<T>(
        &self,
        summary: &'static str,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, StoreError> + Clone,
    ) -> Result<(T, Vec<Change>), StoreError> {
        let attempt = async move |db: &mut Connection| Self::attempt(db, work).await;
        self.pools.write(summary, async |db| retrying(db, attempt).await).await
    }

    /// Runs `statement`, which is a transaction of its own, and again as in [`SqlStore::write`].
    pub(super) async fn execute<T>(
        &self,
        summary: &'static str,
        statement: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError> + Clone,
    ) -> Result<T, StoreError> {
        self.pools.write(summary, async |db| retrying(db, statement).await).await
    }

    async fn attempt<T>(
        db: &mut Connection,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, Vec<Change>), StoreError> {
        let mut begun = db.begin_with(BEGIN).await?;
        let mut transaction = Transaction { db: &mut begun, categories: BTreeMap::new(), changes: Vec::new() };
        let done = match work(&mut transaction).await {
            Ok(value) => add_to_categories(transaction.db, &transaction.categories).await.map(|()| value),
            Err(error) => Err(error),
        };
        let changes = transaction.changes;
        match done {
            Ok(value) => {
                // The outcome of a COMMIT that fails is unknown: it is not tried again.
                begun.commit().await.map_err(|error| StoreError::from(error).without_retry())?;
                Ok((value, changes))
            }
            Err(error) => {
                // By hand: one that is only dropped ends later, and its locks would be in the way of others. Should it
                // fail, the connection is broken, and the server undoes the transaction.
                let _ = begun.rollback().await;
                Err(error)
            }
        }
    }
}

/// Runs `attempt` up to three times, until it does not end in a [`StoreError::Conflict`].
async fn retrying<T>(
    db: &mut Connection,
    attempt: impl AsyncFnOnce(&mut Connection) -> Result<T, StoreError> + Clone,
) -> Result<T, StoreError> {
    for longest in RETRY_DELAYS {
        match attempt.clone()(db).await {
            Err(StoreError::Conflict(error)) => pause(&error, longest).await,
            outcome => return outcome,
        }
    }
    attempt(db).await
}

/// Adds to the number of products of each category, in the order of their names.
pub(super) async fn add_to_categories(
    db: &mut Connection,
    categories: &BTreeMap<Category, i64>,
) -> Result<(), StoreError> {
    for (category, more) in categories.iter().filter(|(_, more)| **more != 0) {
        sqlx::query(concat!(
            "INSERT INTO categories (name, products) VALUES (?, ?)",
            on_conflict!("name"),
            "products = products + ",
            inserted!("products")
        ))
        .bind(category)
        .bind(more)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}
