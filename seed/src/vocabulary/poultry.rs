//! What stands on the shelf of poultry.

use super::{IN_JARS, IN_PARCELS, IN_TRAYS, Kind, SINGLE, Shelf, kind};

#[rustfmt::skip]
pub(super) const SHELF: Shelf = Shelf {
    category: "Poultry",
    share: 9,
    qualities: &[
        ("Free-Range", 128), ("Organic", 140), ("Country", 112), ("Antibiotic-Free", 122), ("Farm-Fresh", 102),
        ("Grain-Fed", 108), ("Pasture-Raised", 134), ("Wholesome", 104), ("Premium", 124), ("Everyday", 86),
        ("Hormone-Free", 118), ("Village", 98),
    ],
    kinds: KINDS,
    origins: &[
        "Raised under mango trees", "Raised in small flocks", "From birds that roam all day", "Fed on millet and greens",
        "From a family-run coop", "Raised on open pasture", "Raised slowly for ninety days", "From a flock of two hundred",
        "Fed on maize and flax", "Raised without any hormones",
    ],
    cares: &[
        "handled with care", "kept cool throughout", "sorted by size", "checked one by one",
        "packed in cool boxes", "inspected by a vet", "delivered the same day", "wrapped in paper",
    ],
    uses: &[
        "made for a slow curry", "lovely in biryani", "good for a hearty breakfast", "rich in protein and flavour",
        "mild, fresh and filling", "ready for the pan", "best used within the week", "a Sunday lunch for the family",
    ],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("Eggs", &["Brown", "White", "Kadaknath", "Desi", "Omega-3", "Giriraja"], 118, IN_TRAYS),
    kind("Quail Eggs", &["Speckled", "Japanese"], 96, IN_TRAYS),
    kind("Duck Eggs", &["Kuttanad", "Chara", "Khaki"], 150, IN_TRAYS),
    kind("Chicken", &["Whole", "Curry-Cut", "Gavran", "Skinless", "Broiler"], 250, IN_PARCELS),
    kind("Chicken Breast", &["Boneless", "Skinless", "Tandoori-Cut"], 160, IN_JARS),
    kind("Chicken Legs", &["Curry-Cut", "Whole", "Drumstick"], 145, IN_JARS),
    kind("Chicken Mince", &["Lean", "Coarse", "Keema"], 190, IN_JARS),
    kind("Chicken Liver", &["Cleaned", "Fresh-Cut"], 95, IN_JARS),
    kind("Chicken Sausages", &["Smoked", "Pepper", "Garlic"], 205, IN_JARS),
    kind("Quail", &["Whole", "Dressed"], 110, SINGLE),
    kind("Duck", &["Curry-Cut", "Kuttanad", "Whole"], 240, IN_PARCELS),
    kind("Turkey", &["Breast", "Curry-Cut", "Beltsville"], 230, IN_PARCELS),
    kind("Guinea Fowl", &["Kadambari", "Chitambari"], 235, SINGLE),
];
