//! What stands on the shelf of grains.

use super::{BY_WEIGHT, IN_BAGS, IN_JARS, Kind, Shelf, kind};

#[rustfmt::skip]
pub(super) const SHELF: Shelf = Shelf {
    category: "Grains",
    share: 15,
    qualities: &[
        ("Organic", 134), ("Unpolished", 112), ("Heritage", 128), ("Premium", 124), ("Everyday", 84), ("Native", 116),
        ("Rain-Fed", 104), ("Sun-Dried", 102), ("Wholesome", 100), ("Pesticide-Free", 120), ("Clean-Sorted", 106),
        ("Aged", 130), ("New-Crop", 96), ("Stone-Milled", 118),
    ],
    kinds: KINDS,
    origins: &[
        "Grown on rain alone", "Threshed by bullock", "Sown from saved seed", "Dried on the stalk",
        "Harvested by sickle", "Grown after a crop of pulses", "Grown on black cotton soil", "Raised on tank water",
        "Grown by a women's group", "Cut at full ripeness",
    ],
    cares: &[
        "winnowed twice", "sun-dried for three days", "stored with neem leaves", "cleaned by hand", "milled in small lots",
        "packed in cloth bags", "never polished", "sifted on a steel mesh",
    ],
    uses: &[
        "cooks soft and separate", "good for khichdi and dosa", "makes rotis that stay soft", "keeps six months when dry",
        "nutty, filling and light", "ideal for idli and upma", "soak an hour before cooking", "made for the daily thali",
    ],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("Rice", &["Basmati", "Sona Masuri", "Indrayani", "Gobindobhog", "Ambemohar", "Kolam", "Matta", "Black"], 88, BY_WEIGHT),
    kind("Wheat", &["Sharbati", "Khapli", "Lokwan", "Bansi", "Sonamoti"], 54, IN_BAGS),
    kind("Wheat Flour", &["Chakki", "Khapli", "Multigrain", "Sharbati"], 58, IN_BAGS),
    kind("Ragi", &["Red", "Brown", "Sprouted"], 62, IN_BAGS),
    kind("Jowar", &["Maldandi", "White", "Dagdi"], 64, IN_BAGS),
    kind("Bajra", &["Green", "Nagaur", "Hybrid"], 48, IN_BAGS),
    kind("Foxtail Millet", &["Kangni", "Navane", "Korra"], 92, BY_WEIGHT),
    kind("Little Millet", &["Samai", "Kutki"], 98, BY_WEIGHT),
    kind("Barnyard Millet", &["Sanwa", "Jhangora"], 105, BY_WEIGHT),
    kind("Maize", &["Yellow", "White", "Makki"], 40, IN_BAGS),
    kind("Toor Dal", &["Latur", "Gulbarga", "Desi"], 98, BY_WEIGHT),
    kind("Moong Dal", &["Split", "Whole Green", "Yellow"], 96, BY_WEIGHT),
    kind("Chana Dal", &["Desi", "Bengal", "Roasted"], 86, BY_WEIGHT),
    kind("Urad Dal", &["Black", "White", "Split"], 99, BY_WEIGHT),
    kind("Masoor Dal", &["Red", "Malka", "Whole"], 90, BY_WEIGHT),
    kind("Rajma", &["Jammu", "Chitra", "Munsiyari", "Bhaderwahi"], 150, IN_JARS),
    kind("Chickpeas", &["Kabuli", "Black", "Green"], 95, BY_WEIGHT),
    kind("Poha", &["Thick", "Thin", "Red Rice", "Nylon"], 66, IN_BAGS),
    kind("Semolina", &["Bombay", "Bansi", "Fine"], 50, IN_BAGS),
    kind("Quinoa", &["White", "Red", "Tricolour"], 190, IN_JARS),
    kind("Sesame Seeds", &["White", "Black", "Brown"], 165, IN_JARS),
    kind("Groundnuts", &["Bold", "Java", "Roasted"], 95, IN_JARS),
];
