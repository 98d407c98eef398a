//! Masks in place of what must not leave the house. The same value under the same key always gets the same mask, in imports and
//! exports alike, so that what belonged together still does; and the mask is of the value's kind, so that programs still run.
//! Numbers and digits are permuted, not hashed: two never become one. No number but 0 becomes 0, and 0 stays.
//!
//! ## Gaps
//! - The keys of documents stay, and so do regular expressions, timestamps, DBPointers, booleans, and the heights of places.
//! - Of doubles that need more than 15 digits, two may be rounded to one.

mod digits;
mod geo;
mod text;

use document::{Bson, DateTime, Document, ValueRef, encode_key};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// What a field is called that says whose something is. Masked under one name, it is masked under both, for accounts, files and
/// documents know it by either.
const OPENIDS: [&str; 2] = ["_openid", "openid"];
const DAY_MS: u64 = 24 * 3600 * 1000;
/// How far a date is moved at most, to either side.
const DAYS_MOVED_MAX: u64 = 180;

/// Which fields are masked, and the key.
#[derive(Clone)]
pub(super) struct Mask {
    hashes: Hashes,
    /// Each as its segments. Of [`OPENIDS`] there are both or neither.
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
        let mut mask = Mask { hashes: Hashes::keyed(key)?, paths: paths.collect::<Result<_, _>>()? };
        if OPENIDS.iter().any(|name| mask.covers(name)) {
            mask.paths.extend(OPENIDS.map(|name| vec![name.to_owned()]));
        }
        Ok(mask)
    }

    /// Whether nothing is masked.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Masks a document of `collection`. A path may begin with the collection's name.
    pub(super) fn document(&self, collection: &str, document: &mut Document) {
        self.paths_in(collection).into_iter().for_each(|path| self.field(document, path));
    }

    /// Whether the field of that name is masked everywhere.
    pub(super) fn covers(&self, name: &str) -> bool {
        self.paths.iter().any(|path| matches!(path.as_slice(), [only] if only == name))
    }

    /// The mask of a text.
    pub(super) fn text(&self, text: &str) -> String {
        text::masked(&self.hashes, text)
    }

    /// What is masked in documents of `collection`. No path is there twice or lies under another: nothing is masked twice.
    fn paths_in(&self, collection: &str) -> Vec<&[String]> {
        let inner = self.paths.iter().filter_map(|path| match path.split_first() {
            Some((first, rest)) if first == collection && !rest.is_empty() => Some(rest),
            Some(_) | None => None,
        });
        let mut paths: Vec<&[String]> = self.paths.iter().map(Vec::as_slice).chain(inner).collect();
        // What lies under a path follows it.
        paths.sort_unstable();
        paths.dedup_by(|path, kept| path.starts_with(kept));
        paths
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
            Bson::Document(document) if geo::is_geometry(document) => {
                geo::turn(&self.hashes, document);
                self.beside_places(document);
            }
            Bson::Document(document) => self.values(document),
            Bson::Array(array) => array.iter_mut().for_each(|value| self.value(value)),
            Bson::JavaScriptCodeWithScope(program) => {
                program.code = self.text(&program.code);
                self.values(&mut program.scope);
            }
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

    fn values(&self, document: &mut Document) {
        document.iter_mut().for_each(|(_, value)| self.value(value));
    }

    /// Masks what a geometry holds that makes it no geometry, such as an address.
    fn beside_places(&self, geometry: &mut Document) {
        for (key, value) in geometry.iter_mut() {
            match (key.as_str(), value) {
                ("type" | "coordinates", _) => {}
                ("geometries", Bson::Array(inner)) => {
                    inner.iter_mut().filter_map(Bson::as_document_mut).for_each(|inner| self.beside_places(inner));
                }
                (_, value) => self.value(value),
            }
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
    fn keyed(key: &[u8]) -> Result<Hashes, String> {
        // An HMAC takes keys of any length.
        Hmac::new_from_slice(key).map(Hashes).map_err(|error| error.to_string())
    }

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

    pub(super) fn hashes() -> Hashes {
        Hashes::keyed(b"key").unwrap()
    }

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
    fn nothing_is_masked_twice() {
        let text = r#"{"a": "x", "b": {"a": "x"}, "users": {"a": "x"}}"#;
        let token = mask(&[], "key").text("x");
        let expect = |paths: &[&str], expected: &str| {
            assert_eq!(masked(paths, text), read(&expected.replace('#', &token)), "{paths:?}");
        };
        expect(&["a", "a"], r##"{"a": "#", "b": {"a": "x"}, "users": {"a": "x"}}"##);
        expect(&["a", "users.a"], r##"{"a": "#", "b": {"a": "x"}, "users": {"a": "#"}}"##);
        expect(&["b.a", "b", "users.b.a"], r##"{"a": "x", "b": {"a": "#"}, "users": {"a": "x"}}"##);
        expect(&["users.users", "users.users.a"], r##"{"a": "x", "b": {"a": "x"}, "users": {"a": "#"}}"##);
    }

    #[test]
    fn an_openid_is_masked_under_both_its_names() {
        let text = r#"{"_openid": "x", "openid": "x", "a": {"openid": "x"}}"#;
        let expected = r##"{"_openid": "#", "openid": "#", "a": {"openid": "x"}}"##;
        let expected = read(&expected.replace('#', &mask(&[], "key").text("x")));
        for paths in [&["openid"][..], &["_openid"], &["openid", "_openid", "users.openid"]] {
            assert_eq!(masked(paths, text), expected, "{paths:?}");
            assert!(OPENIDS.iter().all(|name| mask(paths, "key").covers(name)), "{paths:?}");
        }
        assert!(!mask(&["a.openid", "phone"], "key").covers("openid"));
    }

    #[test]
    fn what_a_geometry_holds_besides_is_masked() {
        let text = r#"{"v": {"type": "GeometryCollection", "name": "x", "geometries": [
            {"type": "Point", "coordinates": [113.1, 23.1], "address": ["x"], "geometries": []}]}}"#;
        let token = mask(&[], "key").text("x");
        let after = masked(&["v"], text);
        let outer = after.get_document("v").unwrap();
        assert_eq!(outer.get_str("type").unwrap(), "GeometryCollection");
        assert_eq!(outer.get_str("name").unwrap(), token);
        let inner = outer.get_array("geometries").unwrap()[0].as_document().unwrap();
        assert_eq!(inner.get_str("type").unwrap(), "Point");
        assert_eq!(inner.get_array("address").unwrap().as_slice(), &[Bson::String(token)]);
        let east = inner.get_array("coordinates").unwrap()[0].as_f64().unwrap();
        assert!((-180.0..=180.0).contains(&east) && east != 113.1, "{east}");
    }

    #[test]
    fn the_scope_of_a_program_is_masked() {
        let after = masked(&["v"], r#"{"v": {"$code": "f()", "$scope": {"a": ["x"]}}}"#);
        let Some(Bson::JavaScriptCodeWithScope(program)) = after.get("v") else { panic!("{after}") };
        assert_eq!(program.code, mask(&[], "key").text("f()"));
        let expected = Bson::String(mask(&[], "key").text("x"));
        assert_eq!(program.scope.get_array("a").unwrap().as_slice(), &[expected]);
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
