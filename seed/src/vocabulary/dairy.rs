//! What stands on the shelf of dairy.

use super::{BY_VOLUME, BY_WEIGHT, IN_JARS, Kind, Shelf, kind};

#[rustfmt::skip]
pub(super) const SHELF: Shelf = Shelf {
    category: "Dairy",
    share: 20,
    qualities: &[
        ("Organic", 132), ("A2", 142), ("Farm-Fresh", 102), ("Grass-Fed", 128), ("Pure", 100), ("Traditional", 106),
        ("Artisan", 136), ("Small-Batch", 124), ("Village", 94), ("Creamy", 104), ("Everyday", 86), ("Premium", 126),
        ("Antibiotic-Free", 118), ("Natural", 98),
    ],
    kinds: KINDS,
    origins: &[
        "Milked twice a day", "From herds that graze outside", "From a herd of thirty", "From a calves-first dairy",
        "Collected before sunrise", "From hand-milked animals", "Made in a village dairy", "From fodder-fed herds",
        "Made on the day of milking", "From one herd only",
    ],
    cares: &[
        "chilled within the hour", "tested every morning", "nothing added or removed", "packed by hand",
        "free of preservatives", "strained through muslin", "kept cool on the road", "sealed in clay or glass",
    ],
    uses: &[
        "a favourite of the family", "lovely in festive sweets", "keeps three days when chilled", "good for young and old",
        "a treat after every meal", "ideal for sweets and kulfi", "mild and full of flavour", "made for the breakfast table",
    ],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("Milk", &["Gir Cow", "Sahiwal Cow", "Murrah Buffalo", "Cow", "Goat", "Camel", "Toned"], 74, BY_VOLUME),
    kind("Ghee", &["Buffalo", "Gir Cow", "Bilona", "Sahiwal", "Cultured"], 340, IN_JARS),
    kind("Paneer", &["Malai", "Cow", "Buffalo", "Smoked", "Masala"], 205, IN_JARS),
    kind("Curd", &["Set", "Buffalo", "Cow", "Clay-Pot", "Probiotic"], 88, BY_WEIGHT),
    kind("Butter", &["White", "Salted", "Unsalted", "Hand-Churned", "Garlic"], 275, IN_JARS),
    kind("Buttermilk", &["Plain", "Masala", "Mint", "Jeera"], 46, BY_VOLUME),
    kind("Lassi", &["Punjabi", "Mango", "Rose", "Salted", "Kesar"], 98, BY_VOLUME),
    kind("Khoya", &["Hariyali", "Batti", "Chikna", "Danedar"], 240, IN_JARS),
    kind("Cream", &["Double", "Clotted", "Sour", "Whipping"], 190, IN_JARS),
    kind("Shrikhand", &["Kesar", "Elaichi", "Mango", "Plain"], 185, IN_JARS),
    kind("Rabri", &["Banarasi", "Kesar", "Sitaphal"], 220, IN_JARS),
    kind("Yoghurt", &["Greek", "Strawberry", "Honey", "Mishti Doi"], 190, IN_JARS),
    kind("Cheese", &["Cheddar", "Gouda", "Kalari", "Bandel", "Feta", "Mozzarella"], 365, IN_JARS),
    kind("Crème Fraîche", &["Cultured", "Light"], 310, IN_JARS),
    kind("Whey Drink", &["Lemon", "Mango", "Ginger"], 64, BY_VOLUME),
];
