//! Names of collections: parsed once, valid from then on. Which names a caller may use is decided upstairs.

use std::fmt;
use std::sync::Arc;

use crate::DatabaseError;

/// The longest name in bytes, as the back end allows it.
const LENGTH_MAX: usize = 120;

/// A name a collection can have: 1 to 120 bytes, without `$` and NUL, not beginning with `system.`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionName(Arc<str>);

impl CollectionName {
    /// Reads a name; [`DatabaseError::BadCollectionName`] says what is wrong with one that cannot be used.
    pub fn parse(name: &str) -> Result<CollectionName, DatabaseError> {
        match complaint(name) {
            None => Ok(CollectionName(name.into())),
            Some(reason) => Err(DatabaseError::BadCollectionName { name: name.to_owned(), reason }),
        }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn complaint(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > LENGTH_MAX {
        Some("it is longer than 120 bytes")
    } else if name.contains('$') {
        Some("it contains '$'")
    } else if name.contains('\0') {
        Some("it contains a NUL character")
    } else if name.starts_with("system.") {
        Some("names beginning with 'system.' are reserved")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_what_a_name_may_be() {
        check("todos", true);
        check("待办", true);
        check("a.b-c_d", true);
        check("systematic", true);
        check(&"x".repeat(120), true);
        check(&"x".repeat(121), false);
        check("", false);
        check("a$b", false);
        check("a\0b", false);
        check("system.users", false);
    }

    fn check(name: &str, allowed: bool) {
        assert_eq!(CollectionName::parse(name).is_ok(), allowed, "{name:?}");
    }
}
