//! What an entry depends on, and what a change voids.

use std::fmt;
use std::str::FromStr;

use farmlokal_catalog::store::Change;
use farmlokal_catalog::{Category, ProductId};
use xxhash_rust::xxh3::xxh3_64;

/// A part of the cache that is voided as a whole. Categories and products share a fixed number of them,
/// so that no request can make more; two that share one void each other's entries, which costs a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Everything.
    All,
    /// Lists that any product may be on.
    Products,
    /// Lists of the categories with this hash.
    Category(u8),
    /// The products whose id has these last ten bits.
    Product(u16),
}

const CATEGORIES: usize = 256;
const PRODUCTS: usize = 1_024;

impl Namespace {
    /// How many there are.
    pub const COUNT: usize = 2 + CATEGORIES + PRODUCTS;

    /// That of the lists of `category`.
    pub fn of_category(category: &Category) -> Self {
        // The lowest byte of the hash, which is all that is wanted.
        Self::Category(xxh3_64(category.as_str().as_bytes()).to_le_bytes()[0])
    }

    /// That of the product `id`.
    pub fn of_product(id: ProductId) -> Self {
        // Below 1,024, so it fits.
        Self::Product((id.get() % PRODUCTS as i64) as u16)
    }

    /// What `change` voids.
    pub fn touched_by(change: &Change) -> Vec<Self> {
        match change.product {
            Some(id) if !change.categories.is_empty() => {
                let mut touched = vec![Self::Products, Self::of_product(id)];
                touched.extend(change.categories.iter().map(Self::of_category));
                touched
            }
            _ => vec![Self::All],
        }
    }

    /// Its place among all.
    pub fn index(self) -> usize {
        match self {
            Self::All => 0,
            Self::Products => 1,
            Self::Category(hash) => 2 + usize::from(hash),
            Self::Product(bits) => 2 + CATEGORIES + usize::from(bits) % PRODUCTS,
        }
    }

    /// The one at `index`.
    pub fn at(index: usize) -> Option<Self> {
        match index {
            0 => Some(Self::All),
            1 => Some(Self::Products),
            _ if index < 2 + CATEGORIES => u8::try_from(index - 2).ok().map(Self::Category),
            _ if index < Self::COUNT => u16::try_from(index - 2 - CATEGORIES).ok().map(Self::Product),
            _ => None,
        }
    }
}

/// As people name them: `all`, `products`, `category:Dairy`, `product:42`.
impl FromStr for Namespace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const REMEDY: &str = "must be all, products, category:NAME or product:ID";
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            None if text == "products" => Ok(Self::Products),
            Some(("category", name)) => Ok(Self::of_category(&name.parse().map_err(|_| REMEDY)?)),
            Some(("product", id)) => {
                let id = id.parse().ok().and_then(|id| ProductId::new(id).ok());
                id.map(Self::of_product).ok_or(REMEDY)
            }
            _ => Err(REMEDY),
        }
    }
}

/// As Redis has them: the place among all.
impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.index().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use farmlokal_catalog::Timestamp;

    use super::*;

    fn change(product: Option<i64>, categories: &[&str]) -> Change {
        Change {
            number: 1,
            product: product.map(|id| ProductId::new(id).unwrap()),
            categories: categories.iter().map(|name| name.parse().unwrap()).collect(),
            at: Timestamp::from_micros(0).unwrap(),
            traceparent: None,
        }
    }

    #[test]
    fn places_and_namespaces_are_one_to_one() {
        for index in 0..Namespace::COUNT {
            assert_eq!(Namespace::at(index).map(Namespace::index), Some(index));
        }
        assert_eq!(Namespace::at(Namespace::COUNT), None);
    }

    #[test]
    fn a_change_voids_the_lists_it_left_and_those_it_joined() {
        let (dairy, drinks) = ("category:Dairy".parse().unwrap(), "category:Drinks".parse().unwrap());
        let product = "product:42".parse().unwrap();
        assert_ne!(dairy, drinks);
        assert_eq!(
            Namespace::touched_by(&change(Some(42), &["Dairy", "Drinks"])),
            [Namespace::Products, product, dairy, drinks]
        );
        assert_eq!(Namespace::touched_by(&change(Some(42), &[])), [Namespace::All], "not known: all");
        assert_eq!(Namespace::touched_by(&change(None, &[])), [Namespace::All]);
    }

    #[test]
    fn names_are_refused_with_a_remedy() {
        for wrong in ["", "everything", "category:", "product:0", "product:x", "product", "all:1"] {
            assert!(wrong.parse::<Namespace>().unwrap_err().contains("category:NAME"), "{wrong}");
        }
    }
}
