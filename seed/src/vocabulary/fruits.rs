//! What stands on the shelf of fruits.

use super::{BY_PIECE, BY_WEIGHT, IN_PUNNETS, Kind, SINGLE, Shelf, kind};

#[rustfmt::skip]
pub(super) const SHELF: Shelf = Shelf {
    category: "Fruits",
    share: 26,
    qualities: &[
        ("Organic", 135), ("Fresh", 100), ("Farm-Fresh", 104), ("Handpicked", 110), ("Tree-Ripened", 118),
        ("Premium", 128), ("Seasonal", 92), ("Sun-Ripened", 112), ("Residue-Free", 120), ("Desi", 96),
        ("Export-Grade", 140), ("Everyday", 84), ("Heirloom", 126), ("Juicy", 102), ("Fragrant", 106), ("Jumbo", 122),
    ],
    kinds: KINDS,
    origins: &[
        "Picked ripe at dawn", "Hand-picked in old orchards", "Ripened on the tree", "Grown without any sprays",
        "Harvested to order", "Grown on drip irrigation", "Picked the day before delivery", "Grown in a family orchard",
        "Ripened slowly in paddy straw", "Raised on red laterite soil",
    ],
    cares: &[
        "sorted twice by hand", "washed in well water", "graded by size", "packed without plastic", "kept cool on the road",
        "wrapped piece by piece", "checked for sweetness", "boxed in the shade",
    ],
    uses: &[
        "lovely in shakes and lassi", "best eaten within four days", "a treat for the lunch box", "ideal for fruit chaat",
        "good for jams and chutneys", "keeps a week when chilled", "sweet enough for dessert", "made for fresh juice",
    ],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("Mangoes", &["Alphonso", "Kesar", "Dasheri", "Langra", "Banganapalli", "Totapuri", "Himsagar", "Mallika"], 165, BY_WEIGHT),
    kind("Bananas", &["Robusta", "Elaichi", "Nendran", "Red", "Poovan", "Rasthali", "Grand Naine"], 36, BY_PIECE),
    kind("Apples", &["Royal Gala", "Kinnaur", "Kashmiri", "Shimla", "Fuji", "Golden Delicious", "Ambri"], 180, BY_WEIGHT),
    kind("Guavas", &["Allahabad Safeda", "Pink", "Taiwan", "Lucknow", "Lalit"], 85, BY_WEIGHT),
    kind("Pomegranates", &["Bhagwa", "Ganesh", "Arakta", "Mridula"], 190, BY_WEIGHT),
    kind("Oranges", &["Nagpur", "Kinnow", "Coorg", "Malta", "Darjeeling"], 95, BY_WEIGHT),
    kind("Grapes", &["Thompson Seedless", "Sonaka", "Sharad Black", "Anab-e-Shahi", "Flame"], 85, IN_PUNNETS),
    kind("Papayas", &["Red Lady", "Coorg Honey Dew", "Ranchi", "Disco"], 58, SINGLE),
    kind("Watermelons", &["Sugar Baby", "Kiran", "Arka Manik", "Yellow"], 82, SINGLE),
    kind("Pineapples", &["Queen", "Mauritius", "Kew", "Vazhakulam"], 75, SINGLE),
    kind("Sweet Limes", &["Mosambi", "Sathgudi", "Rangpur"], 78, BY_WEIGHT),
    kind("Custard Apples", &["Balanagar", "Arka Sahan", "Purandar"], 140, BY_WEIGHT),
    kind("Sapotas", &["Kalipatti", "Cricket Ball", "Dhola Diwani"], 88, BY_WEIGHT),
    kind("Strawberries", &["Winter Dawn", "Sweet Charlie", "Camarosa", "Nabila"], 260, IN_PUNNETS),
    kind("Lychees", &["Shahi", "China", "Bedana"], 210, BY_WEIGHT),
    kind("Jackfruit", &["Muttom Varikka", "Siddu", "Tender"], 120, BY_WEIGHT),
    kind("Dragon Fruit", &["Red-Fleshed", "White-Fleshed", "Kamalam"], 150, SINGLE),
    kind("Figs", &["Poona", "Dinkar", "Brown Turkey", "Brogiotto Nero"], 230, IN_PUNNETS),
    kind("Coconuts", &["Tender", "Tiptur Tall", "Gangabondam"], 210, BY_PIECE),
    kind("Amla", &["Chakaiya", "Kanchan", "NA-7"], 90, BY_WEIGHT),
    kind("Jamun", &["Ram", "Konkan Bahadoli"], 180, IN_PUNNETS),
    kind("Kokum", &["Ratnagiri", "Amruta"], 240, IN_PUNNETS),
];
