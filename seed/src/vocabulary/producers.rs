//! Fifty names in forty places: two thousand producers.

/// What a producer is called.
#[rustfmt::skip]
pub(crate) const NAMES: [&str; 50] = [
    "Green Valley", "Sunrise", "Mango Grove", "Blue Hill", "Silver Brook", "Banyan Tree", "Red Soil", "Golden Harvest",
    "Monsoon", "Lotus Pond", "Peepal", "Morning Dew", "River Bend", "Two Wells", "Neem Tree", "Kisan", "Annapurna",
    "Dharti", "Prakriti", "Hariyali", "Gokul", "Vrindavan", "Nandini", "Kamdhenu", "Krishna", "Godavari", "Narmada",
    "Kaveri", "Sahyadri", "Malabar", "Konkan", "Deccan", "Shivalik", "Aravalli", "Nilgiri", "Patil", "Deshmukh",
    "Reddy", "Gowda", "Chauhan", "Yadav", "Pillai", "Naidu", "Sharma", "Kulkarni", "Singh", "Joshi", "Mehta", "Iyer",
    "D'Souza",
];

/// What a producer runs.
#[rustfmt::skip]
pub(crate) const FARMS: [&str; 12] = [
    "Farm", "Farms", "Organics", "Homestead", "Fields", "Naturals", "Estate", "Agro", "Smallholders", "Co-operative",
    "Family Farm", "Growers",
];

/// Where a producer lives.
#[rustfmt::skip]
pub(crate) const PLACES: [&str; 40] = [
    "Nashik", "Ratnagiri", "Pune", "Satara", "Kolhapur", "Sangli", "Nagpur", "Mahabaleshwar", "Anand", "Junagadh",
    "Rajkot", "Karnal", "Hisar", "Ludhiana", "Amritsar", "Shimla", "Kullu", "Dehradun", "Nainital", "Sonipat",
    "Indore", "Ujjain", "Mysuru", "Kodagu", "Hassan", "Tumakuru", "Coimbatore", "Erode", "Ooty", "Kodaikanal",
    "Munnar", "Thrissur", "Wayanad", "Guntur", "Nellore", "Araku", "Darjeeling", "Siliguri", "Shillong", "Malda",
];
