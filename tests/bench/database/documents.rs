//! The documents and what is asked about them: a document follows from its number alone, a question from its turn.

use std::ops::Range;

/// Documents are dated within 2^31 milliseconds from this day on: 24 days, all of January.
const FIRST_DAY_MS: u64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
const DATES_MS: u64 = 1 << 31;

const STATUSES: u64 = 10;
const OWNERS: u64 = 400; // of 10,000 documents each still has a page of 20

/// So that a document is about 300 bytes of JSON.
const TEXT_BYTES: usize = 180;
const WORDS: [&str; 16] = [
    "paper", "river", "signal", "copper", "window", "autumn", "ladder", "harbour", "pencil", "market", "violet",
    "engine", "orchard", "thunder", "basket", "mirror",
];

/// How many documents a scan finds.
pub(crate) const SCAN_MATCHES: u64 = 10;

/// One of many documents.
pub(crate) struct Sample {
    /// Letters and digits in no order; 15, as PocketBase wants them.
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) owner: String,
    /// Its number, which has no index.
    pub(crate) n: u64,
    pub(crate) at: Date,
    pub(crate) text: String,
}

/// Milliseconds since the first day.
#[derive(Clone, Copy)]
pub(crate) struct Date(u64);

/// What the products are asked, in the order in which it is measured: inserts come last, since they make the collection grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get,
    Equality,
    Range,
    Scan,
    Group,
    Insert,
}

pub(crate) const OPERATIONS: [Operation; 6] =
    [Operation::Get, Operation::Equality, Operation::Range, Operation::Scan, Operation::Group, Operation::Insert];

/// One request, before it takes the words of a product.
pub(crate) enum Question {
    /// The document of this number is created.
    Insert(u64),
    Get {
        id: String,
    },
    /// The first 20 of an owner; there is an index.
    OfOwner(String),
    /// The last 20 of a status from a date on, the latest first; there is an index of both.
    Latest {
        status: String,
        from: Date,
    },
    /// All that have one of these numbers, without an index.
    Numbered(Range<u64>),
    /// How many documents each status has, and the sum of their numbers.
    Totals,
    /// The document gets the text of another number.
    Rewrite {
        id: String,
        text: String,
    },
}

impl Sample {
    pub(crate) fn new(number: u64) -> Sample {
        Sample {
            id: id(number),
            status: status(mixed(number)),
            owner: owner(mixed(number) >> 8),
            n: number,
            at: Date(number.wrapping_mul(0x9E37_79B1) % DATES_MS), // odd, so that no two are the same
            text: text(number),
        }
    }
}

impl Date {
    pub(crate) fn since_1970_ms(self) -> u64 {
        FIRST_DAY_MS + self.0
    }

    /// As PocketBase writes it.
    pub(crate) fn text(self) -> String {
        let (seconds, ms) = (self.0 / 1_000, self.0 % 1_000);
        let (day, hour) = (seconds / 86_400 + 1, seconds / 3_600 % 24);
        format!("2026-01-{day:02} {hour:02}:{:02}:{:02}.{ms:03}Z", seconds / 60 % 60, seconds % 60)
    }
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Get => "get by id",
            Operation::Equality => "indexed equality",
            Operation::Range => "range + sort + limit",
            Operation::Scan => "unindexed scan",
            Operation::Group => "group",
            Operation::Insert => "single inserts",
        }
    }

    /// How often it is asked before it is measured, and then at most: less of what takes long, and of what makes the
    /// collection grow.
    pub(crate) fn turns(self, clients: u64) -> (u64, u64) {
        match self {
            Operation::Get | Operation::Equality | Operation::Range => (200, 2_000 + 500 * clients),
            Operation::Scan | Operation::Group => (1, 64),
            Operation::Insert => (200, 1_000 + 200 * clients),
        }
    }

    /// Of a collection that was loaded with `size` documents. The same turn asks the same.
    pub(crate) fn question(self, turn: u64, size: u64) -> Question {
        let chosen = mixed(turn);
        match self {
            Operation::Get => Question::Get { id: id(chosen % size) },
            Operation::Equality => Question::OfOwner(Sample::new(chosen % size).owner),
            Operation::Range => Question::Latest { status: status(chosen), from: Date(DATES_MS / 2) },
            Operation::Scan => {
                let first = chosen % (size - SCAN_MATCHES);
                Question::Numbered(first..first + SCAN_MATCHES)
            }
            Operation::Group => Question::Totals,
            Operation::Insert => Question::Insert(size + turn),
        }
    }
}

impl Question {
    /// The document of number 0 gets another text each turn.
    pub(crate) fn rewrite(turn: u64) -> Question {
        Question::Rewrite { id: id(0), text: text(turn) }
    }
}

fn status(choice: u64) -> String {
    format!("status-{}", choice % STATUSES)
}

fn owner(choice: u64) -> String {
    format!("owner-{:03}", choice % OWNERS)
}

fn id(number: u64) -> String {
    let mut rest = mixed(number);
    let digit = |_| {
        let digit = char::from_digit((rest % 36) as u32, 36).unwrap();
        rest /= 36;
        digit
    };
    (0..15).map(digit).collect()
}

fn text(number: u64) -> String {
    let mut text = String::new();
    for place in 0.. {
        if text.len() > TEXT_BYTES {
            break;
        }
        text.push_str(WORDS[(mixed(number.wrapping_mul(64) + place) % 16) as usize]);
        text.push(' ');
    }
    text
}

/// Another number for every number, in no order: SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
