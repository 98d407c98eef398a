//! File ids, `cloud://ENV.BUCKET/path`: how a stored file is named outside its environment (semantics ST-01,
//! protocol §3). Whether such a file exists is the catalogue's to say.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::StorageError;
use crate::path::FilePath;

const SCHEME: &str = "cloud://";

/// What a cloud's environment id consists of stays as it is; in the name of a local one anything else is escaped, so
/// that the first `.` and the first `/` of a file id are always the ones that divide it.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A file id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileId {
    /// The environment that holds the file.
    pub environment: String,
    /// The storage bucket named in the id, such as `7465-test-wx0123456789abcdef`. Opaque, and not part of the file's
    /// identity: environment and path are.
    pub bucket: String,
    /// The path within the environment.
    pub path: FilePath,
}

impl FileId {
    /// Reads `cloud://ENV.BUCKET/path`. The path follows as it is, never percent-encoded.
    pub fn parse(text: &str) -> Result<FileId, StorageError> {
        let bad = || StorageError::BadFileId(format!("expected cloud://ENV.BUCKET/path, got {text:?}"));
        let (authority, path) = text.strip_prefix(SCHEME).and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
        let (environment, bucket) = authority.split_once('.').ok_or_else(bad)?;
        if environment.is_empty() || bucket.is_empty() {
            return Err(bad());
        }
        let environment = percent_decode_str(environment).decode_utf8().map_err(|_| bad())?.into_owned();
        Ok(FileId { environment, bucket: bucket.to_owned(), path: FilePath::parse(path)? })
    }

    /// The id of the file at `path` of `environment`, for a mini program `appid`.
    pub fn format(environment: &str, appid: &str, path: &FilePath) -> String {
        let escaped = utf8_percent_encode(environment, ESCAPED);
        format!("{SCHEME}{escaped}.{}/{path}", bucket(environment, appid))
    }
}

/// `<hex of the first two characters of ENV>-ENV-APPID`.
fn bucket(environment: &str, appid: &str) -> String {
    let first_two: String = environment.chars().take(2).collect();
    let hex: String = first_two.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}-{}-{}", utf8_percent_encode(environment, ESCAPED), utf8_percent_encode(appid, ESCAPED))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(environment: &str, appid: &str, path: &str, id: &str) {
        let path = FilePath::parse(path).unwrap();
        assert_eq!(FileId::format(environment, appid, &path), id);
        let parsed = FileId::parse(id).unwrap();
        assert_eq!((parsed.environment.as_str(), parsed.path), (environment, path));
    }

    #[test]
    fn st_01_ids_name_environment_bucket_and_path() {
        check("codenav-abc", "1256524210", "a.txt", "cloud://codenav-abc.636f-codenav-abc-1256524210/a.txt");
        check("test", "wx01", "dir/中 文.txt", "cloud://test.7465-test-wx01/dir/中 文.txt");
        check("e", "wx01", "..", "cloud://e.65-e-wx01/..");
        check("a/b.c", "wx01", "d.e", "cloud://a%2Fb%2Ec.612f-a%2Fb%2Ec-wx01/d.e");
        check("env", "wx01", "100%/%2e?x", "cloud://env.656e-env-wx01/100%/%2e?x");
    }

    #[test]
    fn the_bucket_is_opaque() {
        let id = FileId::parse("cloud://test.7465-test-other.thing/a").unwrap();
        assert_eq!((id.environment.as_str(), id.bucket.as_str()), ("test", "7465-test-other.thing"));
    }

    #[track_caller]
    fn check_refused(text: &str) {
        assert!(matches!(FileId::parse(text), Err(StorageError::BadFileId(_))), "{text:?}");
    }

    #[test]
    fn other_texts_are_refused() {
        check_refused("");
        check_refused("a.txt");
        check_refused("https://test.7465-test-wx01/a.txt");
        check_refused("cloud://");
        check_refused("cloud://test/a.txt");
        check_refused("cloud://test.7465-test-wx01");
        check_refused("cloud://.7465-test-wx01/a");
        check_refused("cloud://test./a");
        check_refused("cloud://%ff.7465-test-wx01/a");
    }

    #[test]
    fn a_path_that_breaks_a_rule_is_refused_as_a_path() {
        assert!(matches!(FileId::parse("cloud://test.b/"), Err(StorageError::BadPath(_))));
        assert!(matches!(FileId::parse("cloud://test.b//a"), Err(StorageError::BadPath(_))));
    }

    proptest! {
        #[test]
        fn every_id_is_read_back(environment in ".{1,20}", appid in "[a-z0-9.]{0,20}", path in "[^/\\p{Cc}]{1,60}(/[^/\\p{Cc}]{1,60}){0,2}") {
            let path = FilePath::parse(&path).unwrap();
            let parsed = FileId::parse(&FileId::format(&environment, &appid, &path)).unwrap();
            prop_assert_eq!((parsed.environment, parsed.path), (environment, path));
        }
    }
}
