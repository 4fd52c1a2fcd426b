//! What the demo shop sells.

/// A product: variants are value, SKU, price in cents, units at the default location.
pub(super) struct DemoProduct {
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    pub(super) option: &'static str,
    pub(super) variants: &'static [(&'static str, &'static str, i64, i64)],
    /// Units of the first variant at the outlet.
    pub(super) outlet: i64,
}

const fn simple(
    title: &'static str,
    description: &'static str,
    variants: &'static [(&'static str, &'static str, i64, i64)],
) -> DemoProduct {
    DemoProduct {
        title,
        description,
        option: "",
        variants,
        outlet: 0,
    }
}

const fn sized(
    title: &'static str,
    description: &'static str,
    option: &'static str,
    variants: &'static [(&'static str, &'static str, i64, i64)],
    outlet: i64,
) -> DemoProduct {
    DemoProduct {
        title,
        description,
        option,
        variants,
        outlet,
    }
}

/// The catalogue. Only add at the end: the ids of what follows would change.
pub(super) const PRODUCTS: &[DemoProduct] = &[
    simple(
        "Gift card",
        "A card over ten euros. There are plenty.",
        &[("", "GIFT-10", 1000, 5_000_000)],
    ),
    simple(
        "Signed poster",
        "The last one. Really.",
        &[("", "POSTER-SIGNED", 4900, 1)],
    ),
    sized(
        "T-Shirt",
        "Organic cotton, made to last.",
        "size",
        &[
            ("S", "TEE-S", 1990, 40),
            ("M", "TEE-M", 1990, 60),
            ("L", "TEE-L", 1990, 60),
            ("XL", "TEE-XL", 2190, 25),
        ],
        15,
    ),
    sized(
        "Hoodie",
        "Heavy fleece with a lined hood.",
        "size",
        &[
            ("S", "HOOD-S", 5490, 20),
            ("M", "HOOD-M", 5490, 30),
            ("L", "HOOD-L", 5490, 30),
            ("XL", "HOOD-XL", 5690, 12),
        ],
        5,
    ),
    sized(
        "Sneaker Volta",
        "Low and light, for the city.",
        "size",
        &[
            ("39", "VOLTA-39", 8990, 8),
            ("40", "VOLTA-40", 8990, 10),
            ("41", "VOLTA-41", 8990, 10),
            ("42", "VOLTA-42", 8990, 12),
            ("43", "VOLTA-43", 8990, 9),
        ],
        3,
    ),
    sized(
        "Coffee, Sidama",
        "Washed, roasted light. Peach and jasmine.",
        "weight",
        &[
            ("250 g", "COF-SID-250", 1150, 120),
            ("1 kg", "COF-SID-1000", 3900, 45),
        ],
        20,
    ),
    sized(
        "Coffee, Huila",
        "Roasted for espresso. Cocoa and orange.",
        "weight",
        &[
            ("250 g", "COF-HUI-250", 1090, 120),
            ("1 kg", "COF-HUI-1000", 3700, 45),
        ],
        20,
    ),
    simple(
        "Pour-over dripper",
        "Ceramic, for one to two cups.",
        &[("", "DRIP-01", 2400, 35)],
    ),
    simple(
        "Paper filters",
        "A hundred, unbleached.",
        &[("", "FILTER-100", 650, 300)],
    ),
    simple(
        "Hand grinder",
        "Steel burrs, forty clicks.",
        &[("", "GRIND-H", 11900, 14)],
    ),
    sized(
        "Kettle",
        "Gooseneck, 0.9 litres.",
        "colour",
        &[
            ("Black", "KETTLE-BLK", 6900, 18),
            ("Steel", "KETTLE-STL", 6900, 16),
        ],
        4,
    ),
    sized(
        "Mug",
        "Stoneware, thrown by hand.",
        "colour",
        &[
            ("Sand", "MUG-SND", 1800, 50),
            ("Slate", "MUG-SLT", 1800, 50),
            ("Moss", "MUG-MSS", 1800, 30),
        ],
        10,
    ),
    simple(
        "Notebook",
        "Dotted, 192 pages, lies flat.",
        &[("", "NOTE-A5", 1450, 200)],
    ),
    sized(
        "Fountain pen",
        "Turned aluminium.",
        "nib",
        &[
            ("EF", "PEN-EF", 6200, 12),
            ("F", "PEN-F", 6200, 18),
            ("M", "PEN-M", 6200, 18),
            ("B", "PEN-B", 6200, 7),
        ],
        2,
    ),
    sized(
        "Ink, 50 ml",
        "Waterproof when dry.",
        "colour",
        &[
            ("Midnight", "INK-MID", 1290, 60),
            ("Forest", "INK-FOR", 1290, 40),
            ("Rust", "INK-RST", 1290, 40),
        ],
        0,
    ),
    sized(
        "Desk lamp",
        "Dimmable, warm to cold.",
        "colour",
        &[
            ("White", "LAMP-WHT", 7900, 15),
            ("Black", "LAMP-BLK", 7900, 15),
        ],
        5,
    ),
    sized(
        "Backpack",
        "Waxed canvas, 18 litres.",
        "colour",
        &[
            ("Olive", "PACK-OLV", 12900, 11),
            ("Navy", "PACK-NVY", 12900, 9),
        ],
        2,
    ),
    sized(
        "Wool socks",
        "Merino, two pairs.",
        "size",
        &[
            ("36-39", "SOCK-36", 2200, 80),
            ("40-43", "SOCK-40", 2200, 90),
            ("44-47", "SOCK-44", 2200, 40),
        ],
        25,
    ),
    sized(
        "Beanie",
        "Ribbed lambswool.",
        "colour",
        &[
            ("Grey", "BEAN-GRY", 2900, 33),
            ("Red", "BEAN-RED", 2900, 21),
        ],
        6,
    ),
    simple(
        "Umbrella",
        "Ash handle, eight ribs.",
        &[("", "UMBR-01", 5900, 22)],
    ),
    sized(
        "Yoga mat",
        "Natural rubber, 4 mm.",
        "colour",
        &[("Sea", "MAT-SEA", 6400, 17), ("Clay", "MAT-CLY", 6400, 13)],
        0,
    ),
    simple(
        "Water bottle",
        "Steel, keeps cold for a day.",
        &[("", "BOTTLE-750", 3400, 75)],
    ),
    sized(
        "Headphones",
        "Closed, wired, repairable.",
        "colour",
        &[
            ("Black", "HEAD-BLK", 14900, 10),
            ("Cream", "HEAD-CRM", 14900, 6),
        ],
        2,
    ),
    simple(
        "USB-C cable",
        "Two metres, braided.",
        &[("", "USBC-2M", 1590, 400)],
    ),
    sized(
        "Vinyl, Night Trains",
        "180 g, gatefold.",
        "edition",
        &[
            ("Black", "VINYL-NT-B", 2790, 70),
            ("Signed", "VINYL-NT-S", 4990, 3),
        ],
        0,
    ),
    simple(
        "Puzzle, 1000 pieces",
        "A map of an island that does not exist.",
        &[("", "PUZZLE-1000", 2690, 28)],
    ),
    sized(
        "Candle",
        "Soy wax, forty hours.",
        "scent",
        &[
            ("Cedar", "CNDL-CED", 2400, 44),
            ("Fig", "CNDL-FIG", 2400, 44),
            ("Smoke", "CNDL-SMK", 2400, 19),
        ],
        8,
    ),
    sized(
        "Chef's knife",
        "Carbon steel, 20 cm.",
        "handle",
        &[
            ("Oak", "KNIFE-OAK", 13900, 8),
            ("Walnut", "KNIFE-WAL", 14900, 5),
        ],
        1,
    ),
    simple(
        "Cast-iron pan",
        "26 cm, seasoned.",
        &[("", "PAN-26", 5900, 26)],
    ),
    simple(
        "Apron",
        "Linen, with a towel loop.",
        &[("", "APRON-01", 3900, 31)],
    ),
];
