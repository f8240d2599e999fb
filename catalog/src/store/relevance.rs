//! Paging through matches by relevance, for engines whose score is a number computed anew each time.

use crate::{Limit, Position, Product, ProductId};

/// How many of the best matches a search by relevance can be followed through.
pub(super) const CANDIDATES: i64 = 1_000;

/// A match and its score; more is better.
pub(super) type Candidate = (ProductId, f64);

/// The ids of the page behind `after`, and the position where the next one starts. The order is
/// total (score downwards, then id), so a page starts exactly where the last one ended even if a
/// score occurs many times.
pub(super) fn page_ids(
    mut candidates: Vec<Candidate>,
    after: Option<&Position>,
    limit: Limit,
) -> (Vec<ProductId>, Option<Position>) {
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if let Some(&Position::Relevance(bits, id)) = after {
        let score = f64::from_bits(bits);
        candidates.retain(|candidate| candidate.1.total_cmp(&score).reverse().then(candidate.0.cmp(&id)).is_gt());
    }
    let more = candidates.len() > usize::from(limit.get());
    candidates.truncate(limit.get().into());
    let next = candidates.last().filter(|_| more).map(|(id, score)| Position::Relevance(score.to_bits(), *id));
    (candidates.into_iter().map(|(id, _)| id).collect(), next)
}

/// The `products` in the order of `ids`.
pub(super) fn in_order(ids: &[ProductId], mut products: Vec<Product>) -> Vec<Product> {
    products.sort_by_key(|product| ids.iter().position(|id| *id == product.id));
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_through_equal_scores_without_gap_or_repeat() {
        let candidates: Vec<Candidate> =
            (1..=57).map(|n| (ProductId::new(n).unwrap(), f64::from((n % 3) as i32))).collect();
        let limit = Limit::new(5).unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (ids, next) = page_ids(candidates.clone(), after.as_ref(), limit);
            seen.extend(ids);
            after = next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 57);
        assert_eq!(seen.iter().collect::<std::collections::HashSet<_>>().len(), 57);
    }
}
