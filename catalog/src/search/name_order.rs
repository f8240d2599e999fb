//! Names and their ordinals in one segment.

use std::collections::BTreeMap;

use tantivy::columnar::StrColumn;

use super::top::Rank;
use super::{SearchError, fields, scan};
use crate::{Direction, NameKey, ProductId};

/// The rank, in terms of the ordinals of `names`, behind which all is that comes after `name` and `id`;
/// `None` if all does. The name itself need not be in the segment.
pub(super) fn behind(
    names: &StrColumn,
    name: &NameKey,
    id: ProductId,
    direction: Direction,
) -> Result<Option<Rank>, SearchError> {
    let dictionary = names.dictionary();
    if let Some(ordinal) = dictionary.term_ord(name.as_str())? {
        return Ok(Some(scan::turned((ordinal, fields::id_value(id)), direction)));
    }
    // The number of smaller names: that of the first larger one.
    let smaller = smaller_than(names, name.as_str())?;
    Ok(match direction {
        Direction::Ascending => smaller.checked_sub(1).map(|last| (last, u64::MAX)),
        Direction::Descending => Some((!smaller, u64::MAX)),
    })
}

fn smaller_than(names: &StrColumn, name: &str) -> Result<u64, SearchError> {
    let (mut low, mut high) = (0, names.dictionary().num_terms() as u64);
    let mut text = String::new();
    while low < high {
        let middle = low + (high - low) / 2;
        names.ord_to_str(middle, &mut text)?;
        if text.as_str() < name { low = middle + 1 } else { high = middle }
    }
    Ok(low)
}

/// The names of `ordinals`, in the order given. The dictionary is read forwards once: names lie in
/// blocks, and going back means reading a block again.
pub(super) fn texts(
    names: &StrColumn,
    ordinals: impl Iterator<Item = u64> + Clone,
) -> Result<Vec<String>, SearchError> {
    let mut texts: BTreeMap<u64, String> = ordinals.clone().map(|ordinal| (ordinal, String::new())).collect();
    let sorted: Vec<u64> = texts.keys().copied().collect();
    let mut slots = texts.values_mut();
    names.dictionary().sorted_ords_to_term_cb(&sorted, |term| {
        if let Some(slot) = slots.next() {
            *slot = String::from_utf8_lossy(term).into_owned();
        }
    })?;
    Ok(ordinals.map(|ordinal| texts.get(&ordinal).cloned().unwrap_or_default()).collect())
}
