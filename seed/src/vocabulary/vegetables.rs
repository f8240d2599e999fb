//! What stands on the shelf of vegetables.

use super::{BY_WEIGHT, IN_BUNCHES, IN_PUNNETS, Kind, SINGLE, Shelf, kind};

#[rustfmt::skip]
pub(super) const SHELF: Shelf = Shelf {
    category: "Vegetables",
    share: 30,
    qualities: &[
        ("Organic", 138), ("Fresh", 100), ("Farm-Fresh", 104), ("Handpicked", 112), ("Desi", 95), ("Baby", 130),
        ("Pesticide-Free", 125), ("Seasonal", 90), ("Premium", 126), ("Everyday", 82), ("Heirloom", 132),
        ("Tender", 108), ("Crisp", 104), ("Garden", 102), ("Hydroponic", 145), ("Country", 94),
    ],
    kinds: KINDS,
    origins: &[
        "Pulled at first light", "Grown in living compost", "Harvested the same morning", "Grown from saved seed",
        "Cut to order", "Grown under shade nets", "Raised on canal water", "Grown between rows of marigold",
        "Picked young", "Grown on a no-dig plot",
    ],
    cares: &[
        "rinsed in spring water", "sorted by hand", "bundled in banana leaf", "packed without plastic",
        "kept in the shade", "cooled within the hour", "trimmed for the kitchen", "weighed generously",
    ],
    uses: &[
        "good for sabzi and sambar", "cooks in ten minutes", "lovely in a simple stir-fry", "keeps five days when chilled",
        "made for pickles and curries", "full of taste and minerals", "perfect for pav bhaji", "a friend to every dal",
    ],
};

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    kind("Tomatoes", &["Vine", "Cherry", "Nati", "Roma", "Arka Rakshak", "Hybrid"], 48, BY_WEIGHT),
    kind("Onions", &["Nashik Red", "Bellary", "White", "Shallot", "Lasalgaon"], 42, BY_WEIGHT),
    kind("Potatoes", &["Jyoti", "Chipsona", "Pahari", "Kufri Bahar", "Fingerling"], 38, BY_WEIGHT),
    kind("Brinjals", &["Bharta", "Manjari Gota", "Green Long", "Udupi Mattu Gulla", "Purple"], 56, BY_WEIGHT),
    kind("Okra", &["Arka Anamika", "Parbhani Kranti", "Red", "Slim"], 62, BY_WEIGHT),
    kind("Cauliflower", &["Snowball", "Pusa Katki", "Purple"], 46, SINGLE),
    kind("Cabbage", &["Golden Acre", "Red", "Savoy", "Napa"], 40, SINGLE),
    kind("Carrots", &["Ooty", "Delhi Red", "Nantes", "Black"], 66, BY_WEIGHT),
    kind("Spinach", &["Palak", "Malabar", "All Green"], 26, IN_BUNCHES),
    kind("Fenugreek Leaves", &["Kasuri", "Methi", "Samudra"], 24, IN_BUNCHES),
    kind("Coriander", &["Desi", "Long-Stem", "Gujarati"], 16, IN_BUNCHES),
    kind("Amaranth", &["Red", "Green", "Thotakura"], 24, IN_BUNCHES),
    kind("Curry Leaves", &["Senkaambu", "Dharwad", "Regular"], 14, IN_BUNCHES),
    kind("Chillies", &["Guntur", "Byadgi", "Bhavnagari", "Jwala", "Bhut Jolokia", "Jalapeño"], 95, BY_WEIGHT),
    kind("Capsicum", &["Green", "Red", "Yellow", "Bird's-Eye"], 98, BY_WEIGHT),
    kind("Bottle Gourd", &["Lauki", "Round", "Arka Bahar"], 38, SINGLE),
    kind("Bitter Gourd", &["Karela", "White", "Preethi"], 68, BY_WEIGHT),
    kind("Ridge Gourd", &["Turai", "Arka Sumeet", "Jaipur Long"], 62, BY_WEIGHT),
    kind("Pumpkin", &["Ambili", "Kashi Harit", "Disco"], 44, BY_WEIGHT),
    kind("Drumsticks", &["PKM-1", "Jaffna", "Bhagya"], 110, BY_WEIGHT),
    kind("French Beans", &["Arka Komal", "Contender", "String"], 92, BY_WEIGHT),
    kind("Cluster Beans", &["Gavar", "Pusa Navbahar"], 84, BY_WEIGHT),
    kind("Green Peas", &["Arkel", "Matar", "Pahari"], 105, BY_WEIGHT),
    kind("Radishes", &["Pusa Chetki", "Red Globe", "Mooli"], 40, BY_WEIGHT),
    kind("Beetroot", &["Detroit Dark Red", "Crimson Globe"], 54, BY_WEIGHT),
    kind("Cucumbers", &["Kheera", "Dosakai", "Poona", "Mini"], 50, BY_WEIGHT),
    kind("Sweet Corn", &["Sugar 75", "Golden"], 60, IN_PUNNETS),
    kind("Mushrooms", &["Button", "Oyster", "Milky", "Shiitake"], 190, IN_PUNNETS),
    kind("Ginger", &["Maran", "Nadia", "Himachal"], 150, BY_WEIGHT),
    kind("Garlic", &["Ooty", "Yamuna Safed", "Single-Clove"], 210, BY_WEIGHT),
    kind("Yam", &["Gajendra", "Purple", "Elephant-Foot"], 64, BY_WEIGHT),
];
