//! What is asked of the catalogue, and what comes back.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::{Category, Invalid, NameKey, Price, PriceRange, Product, ProductId, Timestamp};

/// What products are ordered by; ties are always broken by id, so that every order is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// The product's number.
    Id,
    /// The price.
    Price,
    /// The folded name, see [`NameKey`].
    Name,
    /// When it was made.
    CreatedAt,
}

impl SortKey {
    /// Every key.
    pub const ALL: [Self; 4] = [Self::Id, Self::Price, Self::Name, Self::CreatedAt];

    fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Price => "price",
            Self::Name => "name",
            Self::CreatedAt => "createdAt",
        }
    }
}

/// Upwards or downwards; the id follows the key's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first: a `-` before the key.
    Descending,
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// By a column, then by id.
    By(SortKey, Direction),
    /// Best match first, then by id; only with a search text.
    Relevance,
}

impl Order {
    /// Every order's name as it stands in a request.
    pub const NAMES: [&'static str; 9] =
        ["id", "-id", "price", "-price", "name", "-name", "createdAt", "-createdAt", "relevance"];
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(key, Direction::Ascending) => f.write_str(key.name()),
            Self::By(key, Direction::Descending) => write!(f, "-{}", key.name()),
            Self::Relevance => f.write_str("relevance"),
        }
    }
}

impl FromStr for Order {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == "relevance" {
            return Ok(Self::Relevance);
        }
        let (name, direction) = match text.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (text, Direction::Ascending),
        };
        SortKey::ALL
            .into_iter()
            .find(|key| key.name() == name)
            .map(|key| Self::By(key, direction))
            .ok_or_else(|| Invalid::new("sort", format!("must be one of {}", Self::NAMES.join(", "))))
    }
}

/// Which products are wanted; what is `None` or open does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only this category.
    pub category: Option<Category>,
    /// Only prices within.
    pub price: PriceRange,
}

/// Words a person looks for: up to 200 characters of any kind, quoted before they reach an engine.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SearchText(Box<str>);

impl SearchText {
    /// The most characters a search may have.
    pub const MAX_CHARS: usize = 200;
    /// The most words that are looked for; later ones are dropped.
    pub const MAX_WORDS: usize = 10;

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its words, at most [`Self::MAX_WORDS`]: runs of letters, digits and the marks that belong to
    /// them, composed (Unicode NFC) but otherwise as written. An engine folds them in its own way,
    /// which is also how it has folded what it keeps: no other folding fits every script. Empty when
    /// there are only signs; then nothing can match.
    pub fn words(&self) -> Vec<String> {
        let text: String = self.0.nfc().collect();
        crate::text::words(&text).take(Self::MAX_WORDS).map(str::to_owned).collect()
    }
}

impl FromStr for SearchText {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        if text.len() <= Self::MAX_CHARS * 4 && text.chars().count() <= Self::MAX_CHARS {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("search", format!("must be at most {} characters", Self::MAX_CHARS)))
        }
    }
}

/// How many products a page may hold: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// The most products on a page.
    pub const MAX: u16 = 100;

    /// The limit `limit`; refused outside 1 to 100.
    pub fn new(limit: i64) -> Result<Self, Invalid> {
        u16::try_from(limit)
            .ok()
            .filter(|limit| (1..=Self::MAX).contains(limit))
            .map(Self)
            .ok_or_else(|| Invalid::new("limit", format!("must be a whole number from 1 to {}", Self::MAX)))
    }

    /// The number itself.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for Limit {
    /// 20.
    fn default() -> Self {
        Self(20)
    }
}

/// One scan of the catalogue: which products, in which order. A cursor continues exactly one scan.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    filter: Filter,
    search: Option<SearchText>,
    order: Order,
}

impl Query {
    /// The scan of `filter` and `search` in `order`; without one it is relevance for a search and id
    /// otherwise. Relevance without a search is refused.
    pub fn new(filter: Filter, search: Option<SearchText>, order: Option<Order>) -> Result<Self, Invalid> {
        let usual = if search.is_some() { Order::Relevance } else { Order::By(SortKey::Id, Direction::Ascending) };
        let order = order.unwrap_or(usual);
        if order == Order::Relevance && search.is_none() {
            return Err(Invalid::new(
                "sort",
                "must not be relevance without a search; add search or sort by another key",
            ));
        }
        Ok(Self { filter, search, order })
    }

    /// Which products.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The words looked for.
    pub fn search(&self) -> Option<&SearchText> {
        self.search.as_ref()
    }

    /// In which order.
    pub fn order(&self) -> Order {
        self.order
    }
}

/// Where a page ended: the sort value and id of its last product. The next page starts behind it,
/// whatever was inserted or deleted meanwhile (keyset pagination).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// Under `sort=id`.
    Id(ProductId),
    /// Under `sort=price`.
    Price(Price, ProductId),
    /// Under `sort=name`.
    Name(NameKey, ProductId),
    /// Under `sort=createdAt`.
    CreatedAt(Timestamp, ProductId),
    /// Under relevance: the bits of the score as IEEE 754 double.
    Relevance(u64, ProductId),
}

impl Position {
    /// Where `product` stands when sorted by `key`.
    pub fn of(product: &Product, key: SortKey) -> Self {
        match key {
            SortKey::Id => Self::Id(product.id),
            SortKey::Price => Self::Price(product.details.price, product.id),
            SortKey::Name => Self::Name(NameKey::from(&product.details.name), product.id),
            SortKey::CreatedAt => Self::CreatedAt(product.created_at, product.id),
        }
    }

    /// Whether this is a position in a scan of `order`.
    pub fn fits(&self, order: Order) -> bool {
        matches!(
            (self, order),
            (Self::Id(_), Order::By(SortKey::Id, _))
                | (Self::Price(..), Order::By(SortKey::Price, _))
                | (Self::Name(..), Order::By(SortKey::Name, _))
                | (Self::CreatedAt(..), Order::By(SortKey::CreatedAt, _))
                | (Self::Relevance(..), Order::Relevance)
        )
    }
}

/// Some products of a scan, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The products, at most as many as the limit.
    pub products: Vec<Product>,
    /// Where the next page starts; `None` when this is the last one.
    pub next: Option<Position>,
}

impl Page {
    /// The page made of up to `limit + 1` rows: the row too many only tells that there is a next page.
    pub fn from_rows(mut products: Vec<Product>, limit: Limit, key: SortKey) -> Self {
        let more = products.len() > usize::from(limit.get());
        products.truncate(limit.get().into());
        let next = products.last().filter(|_| more).map(|last| Position::of(last, key));
        Self { products, next }
    }
}

/// How many products a scan has in all, counted up to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Exactly so many.
    Exact(u32),
    /// So many or more: counting stopped there.
    AtLeast(u32),
}

impl Total {
    /// Where counting stops, so that a total never costs more than a bounded scan.
    pub const CAP: u32 = 10_000;

    /// The total for a count that was stopped at [`Self::CAP`] `+ 1`.
    pub fn from_capped(count: i64) -> Self {
        match u32::try_from(count) {
            Ok(count) if count <= Self::CAP => Self::Exact(count),
            _ => Self::AtLeast(Self::CAP),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_a_name_and_back() {
        for name in Order::NAMES {
            assert_eq!(name.parse::<Order>().unwrap().to_string(), name);
        }
        for text in ["", "-", "--price", "-relevance", "PRICE", "price,id", "drop table products", "price;--"] {
            let error = text.parse::<Order>().unwrap_err();
            assert_eq!(error.field, "sort", "{text}");
            assert!(error.remedy.contains("createdAt"), "{error}");
        }
    }

    #[test]
    fn limits_are_one_to_a_hundred() {
        for wrong in [i64::MIN, -5, 0, 101, 1_000_000_000] {
            assert_eq!(Limit::new(wrong).unwrap_err().field, "limit");
        }
        assert_eq!(Limit::new(100).unwrap().get(), 100);
    }

    #[test]
    fn words_are_letters_digits_and_their_marks() {
        let words = |text: &str| text.parse::<SearchText>().unwrap().words();
        assert_eq!(words("  Cre\u{300}me-fraîche, 30% \"fat\" "), ["Crème", "fraîche", "30", "fat"]);
        assert_eq!(words("दूध ताज़ा"), ["दूध", "ताज़ा"]);
        assert_eq!(words("\u{301} a\u{327} _"), ["a\u{327}"]);
        assert!(words("+-><()~*\"@ ' ; -- ").is_empty());
        assert_eq!(words(&"a ".repeat(100)).len(), SearchText::MAX_WORDS);
        assert!("x".repeat(201).parse::<SearchText>().is_err());
    }

    #[test]
    fn relevance_needs_a_search() {
        assert_eq!(Query::new(Filter::default(), None, Some(Order::Relevance)).unwrap_err().field, "sort");
        let search = "milk".parse().ok();
        assert_eq!(Query::new(Filter::default(), search, None).unwrap().order(), Order::Relevance);
    }

    #[test]
    fn totals_stop_at_the_cap() {
        assert_eq!(Total::from_capped(10_000), Total::Exact(10_000));
        assert_eq!(Total::from_capped(10_001), Total::AtLeast(10_000));
    }
}
