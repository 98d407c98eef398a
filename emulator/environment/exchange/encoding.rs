//! Which characters the bytes of a file are. A mark at its beginning tells, else it is UTF-8 where it can be, else GB18030, as
//! spreadsheets on Chinese Windows write it. What is neither is a mistake with its place: nothing is ever replaced.

use super::place::{Mistake, Place};
use encoding_rs::{DecoderResult, Encoding, GB18030, UTF_8};

const CHUNK_BYTES: usize = 64 << 10;
/// The character that the mark is.
const MARK: char = '\u{feff}';

/// A file's text, and how it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// In small letters: `utf-8`, `gb18030`.
    pub(super) encoding: String,
}

/// The encoding that people call `label`; `None`: nobody does.
pub(super) fn encoding_of(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.trim().as_bytes())
}

/// Decodes `bytes`, from `given` if somebody said so.
pub(super) fn decode(bytes: Vec<u8>, given: Option<&'static Encoding>) -> Result<Decoded, Mistake> {
    let marked = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    match given.or(marked) {
        Some(encoding) => decode_as(bytes, encoding),
        None => guess(bytes),
    }
}

fn guess(bytes: Vec<u8>) -> Result<Decoded, Mistake> {
    let failed = match String::from_utf8(bytes) {
        Ok(text) => return Ok(named(text, UTF_8)),
        Err(error) => error,
    };
    let place = place_in_utf8(failed.as_bytes(), failed.utf8_error().valid_up_to());
    let bytes = failed.into_bytes();
    if is_damaged_utf8(&bytes) {
        return Err(Mistake::new(place, "a byte that is no UTF-8, as the rest of the file is: it is damaged here"));
    }
    decode_as(bytes, GB18030).map_err(|mistake| {
        let reason =
            format!("no UTF-8, and from line {} on no GB18030 either; say which encoding it is", mistake.place.line);
        Mistake::new(place, reason)
    })
}

fn decode_as(bytes: Vec<u8>, encoding: &'static Encoding) -> Result<Decoded, Mistake> {
    if encoding == UTF_8 {
        let text = String::from_utf8(bytes).map_err(|error| {
            let place = place_in_utf8(error.as_bytes(), error.utf8_error().valid_up_to());
            Mistake::new(place, "a byte that is no UTF-8")
        })?;
        return Ok(named(text, encoding));
    }
    Ok(named(decode_foreign(&bytes, encoding)?, encoding))
}

fn decode_foreign(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Mistake> {
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let mut rest = bytes;
    loop {
        text.reserve(CHUNK_BYTES);
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return Ok(text),
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(_, _) => {
                let name = encoding.name();
                let byte = bytes.len() - rest.len();
                return Err(Mistake::new(end_of(&text), format!("byte {byte} of the file is no {name}")));
            }
        }
    }
}

fn named(mut text: String, encoding: &'static Encoding) -> Decoded {
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Decoded { text, encoding: encoding.name().to_ascii_lowercase() }
}

/// Whether it was UTF-8 once: of what is not ASCII, more is UTF-8 than is not. In GB18030 that hardly happens.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut invalid) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        invalid += usize::from(!chunk.invalid().is_empty());
    }
    valid > invalid
}

fn place_in_utf8(bytes: &[u8], valid_up_to: usize) -> Place {
    let valid = bytes.get(..valid_up_to).unwrap_or_default();
    end_of(std::str::from_utf8(valid).unwrap_or_default().trim_start_matches(MARK))
}

/// The place behind `text`.
fn end_of(text: &str) -> Place {
    let line = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let last = text.rsplit('\n').next().unwrap_or_default();
    Place { line, column: Some(last.chars().count() + 1) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    const TEXT: &str = "姓名,城市\n张三,北京\n李四,上海😀\n";

    #[test]
    fn the_encoding_is_found() {
        check(TEXT.as_bytes().to_vec(), None, "utf-8");
        check([b"\xef\xbb\xbf", TEXT.as_bytes()].concat(), None, "utf-8");
        check(GB18030.encode(TEXT).0.into_owned(), None, "gb18030");
        check(GB18030.encode(TEXT).0.into_owned(), Some("gb18030"), "gb18030");
        let little: Vec<u8> = format!("{MARK}{TEXT}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        check(little.clone(), None, "utf-16le");
        check(little[2..].to_vec(), Some("utf-16le"), "utf-16le");
        assert!(encoding_of("klingon").is_none());
    }

    #[test]
    fn what_is_neither_is_refused_with_its_place() {
        refused(b"a\nb\xff\n", None, "2:2: no UTF-8, and from line 2 on no GB18030");
        refused(
            "a\n张三\u{1}李四".as_bytes().split_last().unwrap().1,
            None,
            "2:5: a byte that is no UTF-8, as the rest",
        );
        refused(b"a\n\xffb", Some("utf-8"), "2:1: a byte that is no UTF-8");
        refused(b"a\nb\x81", Some("gbk"), "2:2: byte 4 of the file is no GBK");
    }

    fn check(bytes: Vec<u8>, given: Option<&str>, encoding: &str) {
        let decoded = decode(bytes, given.map(|label| encoding_of(label).unwrap())).unwrap();
        assert_eq!((decoded.text.as_str(), decoded.encoding.as_str()), (TEXT, encoding));
    }

    fn refused(bytes: &[u8], given: Option<&str>, expected: &str) {
        let mistake = decode(bytes.to_vec(), given.map(|label| encoding_of(label).unwrap())).unwrap_err();
        assert!(mistake.to_string().starts_with(expected), "{mistake}");
    }
}
