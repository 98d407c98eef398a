//! `Range`, and lists of entity tags: parsed, and held against a size or a tag. Pure.

/// What a request wants of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Whole,
    /// From `first` to `last`, both included; `first <= last < size`.
    Part {
        first: u64,
        last: u64,
    },
    /// A range that holds no byte of the body.
    Nothing,
}

/// Reads `Range` for a body of `size` bytes. One range in bytes is honoured; anything else (several ranges, other units,
/// broken ones) is as if it had not been sent, as HTTP allows.
pub(super) fn parse(text: &str, size: u64) -> Wanted {
    let Some(bounds) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::Whole;
    };
    match (number(bounds.0), number(bounds.1)) {
        (Bound::Number(first), Bound::Number(last)) if first > last => Wanted::Whole,
        (Bound::Number(first), Bound::Number(last)) => part(first, last, size),
        (Bound::Number(first), Bound::Absent) => part(first, u64::MAX, size),
        (Bound::Absent, Bound::Number(0)) => Wanted::Nothing,
        (Bound::Absent, Bound::Number(_)) if size == 0 => Wanted::Whole,
        (Bound::Absent, Bound::Number(length)) => part(size.saturating_sub(length), u64::MAX, size),
        (Bound::Absent, Bound::Absent) | (Bound::Broken, _) | (_, Bound::Broken) => Wanted::Whole,
    }
}

/// Whether `If-None-Match` names `tag`: a list of tags, weak ones too, or `*`.
pub(super) fn names_tag(list: &str, tag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    list.trim() == "*" || list.split(',').any(|known| strong(known) == strong(tag))
}

enum Bound {
    Number(u64),
    Absent,
    Broken,
}

/// A number too large for us is beyond any body.
fn number(text: &str) -> Bound {
    let text = text.trim();
    match text {
        "" => Bound::Absent,
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => Bound::Number(text.parse().unwrap_or(u64::MAX)),
        _ => Bound::Broken,
    }
}

fn part(first: u64, last: u64, size: u64) -> Wanted {
    if first >= size { Wanted::Nothing } else { Wanted::Part { first, last: last.min(size - 1) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_body() {
        check("bytes=0-0", Wanted::Part { first: 0, last: 0 });
        check("bytes=2-5", Wanted::Part { first: 2, last: 5 });
        check("bytes=2-", Wanted::Part { first: 2, last: 9 });
        check("bytes=2-99", Wanted::Part { first: 2, last: 9 });
        check("bytes=-3", Wanted::Part { first: 7, last: 9 });
        check("bytes=-99", Wanted::Part { first: 0, last: 9 });
        check("bytes=9-9", Wanted::Part { first: 9, last: 9 });
        check("bytes=0-99999999999999999999999", Wanted::Part { first: 0, last: 9 });
    }

    #[test]
    fn ranges_past_the_end_hold_nothing() {
        check("bytes=10-", Wanted::Nothing);
        check("bytes=10-20", Wanted::Nothing);
        check("bytes=99999999999999999999999-", Wanted::Nothing);
        check("bytes=-0", Wanted::Nothing);
        assert_eq!(parse("bytes=0-", 0), Wanted::Nothing);
        assert_eq!(parse("bytes=-1", 0), Wanted::Whole);
    }

    #[test]
    fn other_ranges_are_not_there() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=1-b",
            "bytes=0-1,3-4",
            "items=0-1",
            "bytes=+1-2",
            "bytes=--1",
        ] {
            check(text, Wanted::Whole);
        }
    }

    #[test]
    fn tags_are_found_in_lists() {
        for (list, expected) in
            [("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false), ("", false)]
        {
            assert_eq!(names_tag(list, "\"a\""), expected, "{list}");
        }
    }

    fn check(text: &str, expected: Wanted) {
        assert_eq!(parse(text, 10), expected, "{text}");
    }
}
