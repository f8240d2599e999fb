//! Random searches give what a scan of all products gives: which, in which order, and how many.

use proptest::prelude::*;

use super::*;
use crate::PriceRange;

const WORDS: [&str; 24] = [
    "Mango",
    "Mangoes",
    "Manga",
    "Alphonso",
    "Alfonso",
    "Organic",
    "Organics",
    "organisc",
    "Milk",
    "Milch",
    "Crème",
    "fraîche",
    "Tomato",
    "Tomatoes",
    "Farm",
    "Valley",
    "LOT",
    "A1B2C",
    "A1B2D",
    "Ratnagiri",
    "Ratnagari",
    "of",
    "の",
    "苺",
];

fn text(most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&WORDS[..]), 1..=most).prop_map(|words| words.join(" "))
}

fn products() -> impl Strategy<Value = Vec<Product>> {
    let one = (text(4), text(2), text(6), proptest::sample::select(&["Dairy", "Fruits", "dairy"][..]), 0i64..60_000);
    proptest::collection::vec(one, 1..60).prop_map(|all| {
        let made =
            |(at, (name, producer, description, category, price)): (usize, (String, String, String, &str, i64))| {
                product(at as i64 + 1, [&name, &producer, &description, category], price / 1_000 * 999)
            };
        all.into_iter().enumerate().map(made).collect()
    })
}

/// A word as it is, cut, or with one or two letters changed.
fn asked() -> impl Strategy<Value = String> {
    let one =
        (proptest::sample::select(&WORDS[..]), 0usize..5, 0usize..9, "[a-z]").prop_map(|(word, what, at, letter)| {
            let mut letters: Vec<char> = word.chars().collect();
            let at = at.min(letters.len() - 1);
            match what {
                0 => letters.truncate(at + 1),
                1 => letters[at] = letter.chars().next().unwrap(),
                2 => letters.insert(at, 'x'),
                3 if at > 0 => letters.swap(at, at - 1),
                _ => {}
            }
            letters.into_iter().collect::<String>()
        });
    proptest::collection::vec(one, 0..4).prop_map(|words| words.join("-"))
}

fn filter() -> impl Strategy<Value = Filter> {
    let category = proptest::option::of(proptest::sample::select(&["Dairy", "dairy", "Nothing"][..]));
    (category, proptest::option::of(0i64..60_000), proptest::option::of(0i64..60_000)).prop_map(
        |(category, min, max)| {
            let price = |minor: Option<i64>| minor.and_then(Price::from_minor);
            Filter {
                category: category.map(|category| category.parse().unwrap()),
                price: PriceRange::new(price(min), price(max)).unwrap_or_default(),
            }
        },
    )
}

fn agree(index: &SearchIndex, products: &[Product], filter: &Filter, search: Option<&SearchText>, limit: usize) {
    for name in Order::NAMES {
        let Ok(query) = Query::new(filter.clone(), search.cloned(), Some(name.parse().unwrap())) else { continue };
        assert_eq!(walk(index, &query, limit), scan::scan(products, &query), "{query:?} in pages of {limit}");
    }
    let expected = scan::matching(products, filter, search);
    assert_eq!(index.count(filter, search).unwrap(), expected.len() as u64);
    let facets = index.facets(filter, search).unwrap();
    let count =
        |wanted: &dyn Fn(&Product) -> bool| expected.iter().filter(|(_, product)| wanted(product)).count() as u64;
    for (category, found) in &facets.categories {
        assert_eq!(*found, count(&|product| product.details.category == *category));
    }
    for (range, found) in &facets.prices {
        assert_eq!(*found, count(&|product| range.contains(product.details.price)), "{range:?}");
    }
    assert_eq!(facets.categories.iter().map(|(_, found)| found).sum::<u64>(), expected.len() as u64);
    assert_eq!(facets.prices.iter().map(|(_, found)| found).sum::<u64>(), expected.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn with_a_scan_of_all_products(
        before in products(),
        after in products(),
        gone in proptest::collection::vec(1i64..60, 0..10),
        searches in proptest::collection::vec((proptest::option::of(asked()), filter(), 1usize..20), 12),
    ) {
        let (_dir, index) = index_of(&before, 3);
        // Some are written anew, some taken out, so that deleted documents are among them.
        let mut products = before;
        let mut writer = index.writer(HEAP, 1).unwrap();
        for product in after.into_iter().step_by(3) {
            writer.put(&product).unwrap();
            products.retain(|old| old.id != product.id);
            products.push(product);
        }
        for id in gone {
            writer.remove(ProductId::new(id).unwrap()).unwrap();
            products.retain(|product| product.id.get() != id);
        }
        writer.commit(9).unwrap();
        prop_assert_eq!(index.documents(), products.len() as u64);
        for (search, filter, limit) in searches {
            let search = search.map(|text| text.parse().unwrap());
            agree(&index, &products, &filter, search.as_ref(), limit);
        }
    }
}
