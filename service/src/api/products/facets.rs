//! `facets=category,price`: how the matches of a listing are spread.

use std::fmt;
use std::str::FromStr;

use farmlokal_catalog::search::Facets;
use farmlokal_catalog::{Category, Invalid, Price};
use poem_openapi::Object;
use poem_openapi::registry::MetaSchema;
use serde::Serialize;

use crate::api::values::{Text, Textual};

/// A way to spread the matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facet {
    /// Over categories.
    Category,
    /// Over price bands.
    Price,
}

/// Some of them, each once.
#[derive(Debug, Clone, Default)]
pub struct FacetList(pub Vec<Facet>);

impl FromStr for FacetList {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let facet = |name: &str| match name {
            "category" => Some(Facet::Category),
            "price" => Some(Facet::Price),
            _ => None,
        };
        let list: Option<Vec<Facet>> = text.split(',').map(facet).collect();
        list.filter(|list| list.len() <= 2 && (list.len() < 2 || list[0] != list[1]))
            .map(Self)
            .ok_or_else(|| Invalid::new("facets", "must be category, price or category,price"))
    }
}

impl fmt::Display for FacetList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |facet: &Facet| match facet {
            Facet::Category => "category",
            Facet::Price => "price",
        };
        f.write_str(&self.0.iter().map(name).collect::<Vec<_>>().join(","))
    }
}

impl Textual for FacetList {
    const NAME: &'static str = "FacetList";
    const FIELD: &'static str = "facets";
    const EXAMPLE: &'static str = "category,price";

    fn constrain(mut schema: MetaSchema) -> MetaSchema {
        schema.enum_items = ["category", "price", "category,price", "price,category"].map(Into::into).to_vec();
        schema
    }
}

/// How the matches are spread, under the filters of the listing.
#[derive(Debug, Serialize, Object)]
#[oai(rename = "Facets")]
pub struct FacetsBody {
    /// The categories that have matches, most first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    category: Option<Vec<CategoryFacet>>,
    /// All price bands, cheapest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    price: Option<Vec<PriceFacet>>,
}

/// Matches in a category.
#[derive(Debug, Serialize, Object)]
pub struct CategoryFacet {
    /// The category.
    name: Text<Category>,
    /// How many matches it has.
    count: u64,
}

/// Matches in a price band.
#[derive(Debug, Serialize, Object)]
#[serde(rename_all = "camelCase")]
#[oai(rename_all = "camelCase")]
pub struct PriceFacet {
    /// The least price of the band.
    min_price: Text<Price>,
    /// The greatest price of the band; left out for the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[oai(skip_serializing_if_is_none)]
    max_price: Option<Text<Price>>,
    /// How many matches it has.
    count: u64,
}

impl FacetsBody {
    /// Those of `facets` that are `wanted`.
    pub(super) fn of(facets: Facets, wanted: &[Facet]) -> Self {
        let category = wanted.contains(&Facet::Category).then(|| {
            facets.categories.into_iter().map(|(name, count)| CategoryFacet { name: Text(name), count }).collect()
        });
        let price = wanted.contains(&Facet::Price).then(|| {
            let bands = facets.prices.into_iter();
            bands
                .map(|(band, count)| PriceFacet {
                    min_price: Text(band.min().unwrap_or(Price::MIN)),
                    max_price: band.max().map(Text),
                    count,
                })
                .collect()
        });
        Self { category, price }
    }
}
