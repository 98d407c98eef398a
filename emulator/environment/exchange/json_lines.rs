//! Documents as JSON, one after the other: a line for each, as the cloud's console wants and gives them (semantics DB-10.01), or
//! spread over several.

use super::nesting::nested;
use super::place::{Lines, Mistake, Place};
use document::{DateTime, DialectError, Document};

/// What an array at the top is answered with.
const NO_ARRAY: &str = "an array: the objects stand one after the other, a line for each, without brackets around them and \
                        commas between them; `jq -c '.[]' FILE` makes such lines of an array";

/// Reads `text` and hands each document on, with the line on which it begins.
pub(super) fn read(
    text: &str,
    now: DateTime,
    each: &mut impl FnMut(usize, Document) -> Result<(), Mistake>,
) -> Result<(), Mistake> {
    let mut lines = Lines::new(text);
    let mut offset = 0;
    while let Some(start) = next(text, offset) {
        let byte = text.as_bytes().get(start).copied().unwrap_or_default();
        if byte != b'{' {
            return Err(Mistake::new(
                lines.place_at(start),
                stranger(byte, start == next(text, 0).unwrap_or_default()),
            ));
        }
        let end = end_of_object(text, start);
        let line = lines.line_at(start);
        let piece = text.get(start..end).unwrap_or_default();
        let document =
            document::decode_strict_file_text(piece, now).map_err(|error| misplaced(lines, start, piece, error))?;
        each(line, nested(document).map_err(|reason| Mistake::new(Place::line(line), reason))?)?;
        offset = end;
    }
    Ok(())
}

/// Where the next thing stands that is no white space.
fn next(text: &str, offset: usize) -> Option<usize> {
    let rest = text.get(offset..)?;
    rest.find(|character: char| !matches!(character, ' ' | '\t' | '\r' | '\n')).map(|found| offset + found)
}

fn stranger(byte: u8, is_first: bool) -> String {
    match byte {
        b'[' if is_first => NO_ARRAY.to_owned(),
        b',' => "a comma between the objects: they stand one after the other, a line for each, without".to_owned(),
        b'}' | b']' => "a bracket that nothing opened".to_owned(),
        _ => "an object must stand here, which begins with `{`".to_owned(),
    }
}

/// Where the object ends that begins at `start`; where the text does, if the object never ends.
fn end_of_object(text: &str, start: usize) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (index, byte) in text.as_bytes().iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string && depth <= 1 => return index + 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The error, with its place in the whole text.
fn misplaced(mut lines: Lines<'_>, start: usize, piece: &str, error: DialectError) -> Mistake {
    let DialectError::Syntax(text) = &error else {
        return Mistake::new(Place::line(lines.line_at(start)), error.to_string());
    };
    match syntax_place(text) {
        Some((reason, _, _)) if reason.starts_with("EOF") => {
            Mistake::new(lines.place_at(start), "invalid JSON: the object that begins here does not end")
        }
        Some((reason, line, column)) => {
            Mistake::new(lines.place_at(start + offset_of(piece, line, column)), format!("invalid JSON: {reason}"))
        }
        None => Mistake::new(Place::line(lines.line_at(start)), error.to_string()),
    }
}

/// The parts of `expected value at line 1 column 5`.
fn syntax_place(text: &str) -> Option<(&str, usize, usize)> {
    let (reason, place) = text.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    Some((reason, line.parse().ok()?, column.parse().ok()?))
}

/// The byte of `piece` that serde_json calls `line` and `column`: it counts bytes, and calls a line's end column 0 of the next.
fn offset_of(piece: &str, line: usize, column: usize) -> usize {
    let line_start: usize = piece.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let mut offset = (line_start + column).saturating_sub(1).min(piece.len());
    while !piece.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use document::{Bson, FileForm, ValueRef, arbitrary};
    use proptest::prelude::*;

    #[test]
    fn documents_stand_one_after_the_other() {
        check("", &[]);
        check(" \n\n", &[]);
        check("{}\n{\"a\":1}", &[(1, "{}"), (2, "{\"a\":1}")]);
        check(
            "{\"a\":\"}\\\"\"} {\"a\":\n[1,\n2]}\r\n\r\n{\"b.c\":1}\r\n",
            &[(1, "{\"a\":\"}\\\"\"}"), (1, "{\"a\":[1,2]}"), (5, "{\"b\":{\"c\":1}}")],
        );
        check("{\"d\":{\"$date\":{\"$numberLong\":\"5\"}}}", &[(1, "{\"d\":{\"$date\":5}}")]);
    }

    #[test]
    fn mistakes_have_their_places() {
        refused("{}\n[1]", "2:1: an object must stand here");
        refused("\n [{}]", "2:2: an array: the objects stand one after the other");
        refused("{},\n{}", "1:3: a comma between the objects");
        refused("{}\n}", "2:1: a bracket that nothing opened");
        refused("{}\n  x", "2:3: an object must stand here");
        refused("{}\n{\"a\": 1\n{\"b\": 2}\n", "3:1: invalid JSON: expected `,` or `}`");
        refused("{}\n{\"名字\": tru}", "2:11: invalid JSON: expected ident");
        refused("{\"a\": 1,}", "1:9: invalid JSON: trailing comma");
        refused("{\"a\": 1]", "1:8: invalid JSON: expected `,` or `}`");
        refused("{}\n\n{\"a\": \"x", "3:1: invalid JSON: the object that begins here does not end");
        refused("{\"a\": \"x\n\"}", "1:9: invalid JSON: control character");
        refused("{'a': 1}", "1:2: invalid JSON: key must be a string");
        refused("{\"a\": 01}", "1:8: invalid JSON: invalid number");
        refused("{\"a\": \"\\ud800\"}", "1:14: invalid JSON: unexpected end of hex escape");
        refused("{}\n{\"a\": {\"b\": 1, \"b\": 2}}", "2: the key a.b stands twice");
        refused("{\"a\": 1, \"a\": 2}", "1: the key a stands twice");
        refused("{}\n{\"a\": {\"$date\": \"noon\"}}", "2: malformed $date at a: ");
        refused("{\"a\": {\"b\": 1}, \"a.b\": 2}", "1: the key `a.b` is ambiguous");
        refused("{\"a\\u0000\": 1}", "1: the key a\\0 contains a NUL");
        refused(&format!("{{\"a\":{}1{}}}", "[".repeat(120), "]".repeat(120)), "1: nested more than 100");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(documents in prop::collection::vec(arbitrary::document(), 0..5)) {
            for form in [FileForm::Canonical, FileForm::Relaxed] {
                let mut text = String::new();
                for document in &documents {
                    document::write_file_value(ValueRef::Document(document.into()), form, &mut text);
                    text.push('\n');
                }
                let bytes = |document: &Document| document.to_vec().unwrap();
                let expected: Vec<_> = documents.iter().enumerate().map(|(index, document)| (index + 1, bytes(document))).collect();
                let mut found = Vec::new();
                read(&text, DateTime::MIN, &mut |line, document| { found.push((line, bytes(&document))); Ok(()) }).unwrap();
                prop_assert_eq!(found, expected);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[{}\\[\\],:\"\\\\a1\n. ]{0,20}") {
            let _ = read(&text, DateTime::MIN, &mut |_, _| Ok(()));
        }
    }

    fn check(text: &str, expected: &[(usize, &str)]) {
        let mut found = Vec::new();
        read(text, DateTime::MIN, &mut |line, document| {
            found.push((line, Bson::Document(document)));
            Ok(())
        })
        .unwrap();
        let of = |text: &str| Bson::Document(document::decode_text(text, DateTime::MIN).unwrap());
        assert_eq!(found, expected.iter().map(|(line, text)| (*line, of(text))).collect::<Vec<_>>(), "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let mistake = read(text, DateTime::MIN, &mut |_, _| Ok(())).unwrap_err();
        assert!(mistake.to_string().starts_with(expected), "{mistake}");
    }
}
