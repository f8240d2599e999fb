//! Applying an event to the product that it is about.

use super::engine::{Connection, inserted, on_conflict};
use super::transaction::Transaction;
use super::{external_ids, write};
use crate::Timestamp;
use crate::inbox::{Aspect, Decision, ProductEvent, ProductRef, Seen, SourceName, Stamp, Step};
use crate::store::StoreError;
use crate::store::inbox::{Claimed, Ending};

/// Applies `event` unless newer events have outdone it.
pub(super) async fn apply(to: &mut Transaction<'_>, event: &Claimed, now: Timestamp) -> Result<Ending, StoreError> {
    let ProductEvent { product, effect } = match ProductEvent::read(&event.kind, &event.payload) {
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Ending::Ignored),
        Err(invalid) => return Ok(Ending::Refused(invalid.to_string())),
    };
    let (source, key) = (&event.source, product.key());
    let stamp = Stamp { at: event.occurred_at, number: event.number };
    let before = external_ids::locate(to.db, source, &product).await?;
    let seen = seen(to.db, source, &key).await?;
    let may_create = matches!(product, ProductRef::External(_));
    let Decision { step, aspects } = Decision::of(effect, before.is_some(), may_create, &seen, stamp);
    for aspect in aspects {
        note(to.db, source, &key, aspect, stamp).await?;
    }
    let there = before.as_ref().map(|product| product.id);
    let (ending, there) = match (step, before) {
        (Step::Create(details), _) => {
            let product = write::create(to, &details, now).await?;
            (Ending::Processed(format!("made product {}", product.id)), Some(product.id))
        }
        (Step::Change(patch), Some(before)) => {
            let (product, changed) = write::replace(to, before, patch, now).await?;
            let did = if changed { "changed" } else { "found nothing to change in" };
            (Ending::Processed(format!("{did} product {}", product.id)), there)
        }
        (Step::Remove, Some(before)) => {
            write::remove(to, &before).await?;
            (Ending::Processed(format!("removed product {}", before.id)), None)
        }
        (Step::Remove, None) => (Ending::Processed("there was no such product".to_owned()), None),
        (Step::Superseded, _) => (Ending::Processed("superseded by newer events".to_owned()), there),
        (Step::Missing | Step::Change(_), _) => (Ending::Missing, there),
    };
    if let ProductRef::External(external) = &product {
        external_ids::point(to.db, source, external, there).await?;
    }
    Ok(ending)
}

/// The newest events known of the product that `source` has under `key`.
async fn seen(db: &mut Connection, source: &SourceName, key: &str) -> Result<Seen, StoreError> {
    let select = "SELECT aspect, at, number FROM applied_events WHERE source = ? AND product_key = ?";
    let rows: Vec<(String, Timestamp, i64)> = sqlx::query_as(select).bind(source).bind(key).fetch_all(db).await?;
    let mut seen = Seen::default();
    for (name, at, number) in rows {
        if let Some(aspect) = Aspect::ALL.into_iter().find(|aspect| aspect.as_str() == name) {
            seen.note(aspect, Stamp { at, number: number.cast_unsigned() });
        }
    }
    Ok(seen)
}

/// Records the newest event of one aspect.
async fn note(
    db: &mut Connection,
    source: &SourceName,
    key: &str,
    aspect: Aspect,
    stamp: Stamp,
) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "INSERT INTO applied_events (source, product_key, aspect, at, number) VALUES (?, ?, ?, ?, ?)",
        on_conflict!("source, product_key, aspect"),
        "at = ",
        inserted!("at"),
        ", number = ",
        inserted!("number")
    ))
    .bind(source)
    .bind(key)
    .bind(aspect.as_str())
    .bind(stamp.at)
    .bind(stamp.number.cast_signed())
    .execute(db)
    .await?;
    Ok(())
}
