//! Masks in place of what must not leave the house. The same value under the same key always gets the same mask, in imports and
//! exports alike, so that what belonged together still does; and the mask is of the value's kind, so that programs still run.
//! Numbers and digits are permuted, not hashed: two never become one.

mod digits;
mod geo;
mod text;

use document::{Bson, DateTime, Document, ValueRef, encode_key};
use hmac::{Hmac, Mac};
use sha2::Sha256;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// How far a date is moved at most, to either side.
const DAYS_MOVED_MAX: u64 = 180;

/// Which fields are masked, and the key.
#[derive(Clone)]
pub(super) struct Mask {
    hashes: Hashes,
    /// Each as its segments.
    paths: Vec<Vec<String>>,
}

/// Numbers that look random and are always the same for the same bytes.
#[derive(Clone)]
struct Hashes(Hmac<Sha256>);

impl Mask {
    /// Masks the fields at `paths`, such as `phone` and `owner.phone`, which lead through arrays; or says which is no path.
    pub(super) fn new(paths: &[String], key: &[u8]) -> Result<Mask, String> {
        let paths = paths.iter().map(|path| {
            let segments: Vec<String> = path.split('.').map(str::to_owned).collect();
            let is_path = segments.iter().all(|segment| !segment.is_empty());
            if is_path {
                Ok(segments)
            } else {
                Err(format!("`{path}` is no field to anonymise: `phone` is, or `owner.phone`"))
            }
        });
        // An HMAC takes keys of any length.
        let mac = Hmac::new_from_slice(key).map_err(|error| error.to_string())?;
        Ok(Mask { hashes: Hashes(mac), paths: paths.collect::<Result<_, _>>()? })
    }

    /// Whether nothing is masked.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Masks a document of `collection`. A path may begin with the collection's name.
    pub(super) fn document(&self, collection: &str, document: &mut Document) {
        for path in &self.paths {
            self.field(document, path);
            match path.split_first() {
                Some((first, rest)) if first == collection && !rest.is_empty() => self.field(document, rest),
                Some(_) | None => {}
            }
        }
    }

    /// Whether one of the fields that are masked everywhere is called so.
    pub(super) fn covers(&self, names: &[&str]) -> bool {
        self.paths.iter().any(|path| matches!(path.as_slice(), [name] if names.contains(&name.as_str())))
    }

    /// The mask of a text.
    pub(super) fn text(&self, text: &str) -> String {
        text::masked(&self.hashes, text)
    }

    fn field(&self, document: &mut Document, path: &[String]) {
        let Some((first, rest)) = path.split_first() else { return };
        let Some(value) = document.get_mut(first) else { return };
        if rest.is_empty() { self.value(value) } else { self.inner_field(value, rest) }
    }

    fn inner_field(&self, value: &mut Bson, path: &[String]) {
        match value {
            Bson::Document(inner) => self.field(inner, path),
            Bson::Array(array) => array.iter_mut().for_each(|element| self.inner_field(element, path)),
            _ => {}
        }
    }

    fn value(&self, value: &mut Bson) {
        match value {
            Bson::String(text) | Bson::Symbol(text) | Bson::JavaScriptCode(text) => *text = self.text(text),
            Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => {
                digits::mask_number(&self.hashes, value)
            }
            Bson::DateTime(date) => *date = self.date(*date),
            Bson::ObjectId(id) => {
                let hash = self.hashes.of("object id", &id.bytes());
                *id = document::ObjectId::from_bytes(*hash.first_chunk().unwrap_or(&[0; 12]));
            }
            Bson::Binary(binary) => self.bytes(&mut binary.bytes),
            Bson::Document(document) if geo::is_geometry(document) => geo::turn(&self.hashes, document),
            Bson::Document(document) => document.iter_mut().for_each(|(_, value)| self.value(value)),
            Bson::Array(array) => array.iter_mut().for_each(|value| self.value(value)),
            Bson::JavaScriptCodeWithScope(program) => program.code = self.text(&program.code),
            Bson::Boolean(_)
            | Bson::Null
            | Bson::Undefined
            | Bson::RegularExpression(_)
            | Bson::Timestamp(_)
            | Bson::MinKey
            | Bson::MaxKey
            | Bson::DbPointer(_) => {}
        }
    }

    fn date(&self, date: DateTime) -> DateTime {
        let range = DAYS_MOVED_MAX * DAY_MS;
        let moved = self.hashes.number("date", &date.timestamp_millis().to_be_bytes()) % (2 * range + 1);
        let by = i64::try_from(moved).unwrap_or_default() - i64::try_from(range).unwrap_or_default();
        DateTime::from_millis(date.timestamp_millis().saturating_add(by))
    }

    fn bytes(&self, bytes: &mut [u8]) {
        let seed = self.hashes.of("bytes", bytes);
        for (index, chunk) in bytes.chunks_mut(seed.len()).enumerate() {
            let stream = self.hashes.of("bytes of", &[&seed[..], &index.to_be_bytes()].concat());
            chunk.iter_mut().zip(stream).for_each(|(byte, random)| *byte = random);
        }
    }
}

impl Hashes {
    fn of(&self, kind: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    fn number(&self, kind: &str, bytes: &[u8]) -> u64 {
        u64::from_be_bytes(*self.of(kind, bytes).first_chunk().unwrap_or(&[0; 8]))
    }

    fn of_value(&self, kind: &str, value: ValueRef<'_>) -> [u8; 32] {
        let mut key = Vec::new();
        encode_key(value, &mut key);
        self.of(kind, &key)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use document::arbitrary;
    use proptest::prelude::*;

    fn mask(paths: &[&str], key: &str) -> Mask {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        Mask::new(&paths, key.as_bytes()).unwrap()
    }

    fn read(text: &str) -> Document {
        document::decode_text(text, DateTime::MIN).unwrap()
    }

    fn masked(paths: &[&str], text: &str) -> Document {
        let mut document = read(text);
        mask(paths, "key").document("users", &mut document);
        document
    }

    #[test]
    fn paths_lead_through_arrays_and_may_name_the_collection() {
        let text = r#"{"a": "x", "b": [{"a": "x", "c": "x"}, [{"a": "x"}], 5], "d": {"a": "x"}}"#;
        let token = mask(&[], "key").text("x");
        let expect = |paths: &[&str], expected: &str| {
            assert_eq!(masked(paths, text), read(&expected.replace('#', &token)), "{paths:?}");
        };
        expect(&["a"], r##"{"a": "#", "b": [{"a": "x", "c": "x"}, [{"a": "x"}], 5], "d": {"a": "x"}}"##);
        expect(&["b.a", "d"], r##"{"a": "x", "b": [{"a": "#", "c": "x"}, [{"a": "#"}], 5], "d": {"a": "#"}}"##);
        expect(
            &["users.a", "other.a", "z"],
            r##"{"a": "#", "b": [{"a": "x", "c": "x"}, [{"a": "x"}], 5], "d": {"a": "x"}}"##,
        );
        assert!(Mask::new(&["a..b".to_owned()], b"").is_err());
    }

    #[test]
    fn kinds_stay() {
        let text = r#"{"v": [true, null, 5, {"$numberLong": "5"}, 5.5, {"$date": 5000}, {"$oid": "000102030405060708090a0b"}, "x",
            {"$numberDecimal": "12.50"}, {"a": ["y"]}, {"$binary": {"base64": "AAAA", "subType": "00"}}]}"#;
        let (before, after) = (read(text), masked(&["v"], text));
        let types = |document: &Document| -> Vec<&str> {
            document.get_array("v").unwrap().iter().map(|value| ValueRef::from(value).type_name()).collect()
        };
        assert_eq!(types(&before), types(&after));
        for (index, (before, after)) in
            before.get_array("v").unwrap().iter().zip(after.get_array("v").unwrap()).enumerate()
        {
            assert_eq!(before == after, index < 2, "{before} {after}");
        }
    }

    #[test]
    fn another_key_gives_other_masks() {
        assert_eq!(mask(&[], "key").text("张三"), mask(&["x"], "key").text("张三"));
        assert_ne!(mask(&[], "key").text("张三"), mask(&[], "other").text("张三"));
    }

    proptest! {
        #[test]
        fn masks_are_always_the_same_and_can_be_stored(document in arbitrary::document()) {
            let paths = ["a", "b", "c", "aa", "名字"];
            let (mut first, mut second) = (document.clone(), document);
            mask(&paths, "key").document("x", &mut first);
            mask(&paths, "key").document("x", &mut second);
            prop_assert_eq!(first.to_vec().unwrap(), second.to_vec().unwrap());
            prop_assert!(document::check_limits(&first).is_ok());
        }
    }
}
