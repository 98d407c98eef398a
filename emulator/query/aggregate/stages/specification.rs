//! What `$project` and `$addFields` may be told: no path twice, none within another, one operator in an object.

use std::collections::BTreeSet;
use std::ops::Bound;

use document::{Bson, Document, to_shell_text};

use crate::aggregate::fields::Path;
use crate::{QueryError, QueryErrorKind};

/// The first mistake in a specification, as far as it has nothing to do with what the fields are given.
pub(super) fn check(specification: &Document) -> Result<(), QueryError> {
    if specification.is_empty() {
        return Err(QueryError::bad_query("specification must have at least one field"));
    }
    let mut check = Check { whole: specification, seen: BTreeSet::new() };
    specification.iter().try_for_each(|(name, value)| check.field(name.clone(), value))
}

/// The error, with the stage it is about in front. What is not supported needs none.
pub(super) fn invalid(stage: &str, error: QueryError) -> QueryError {
    if error.kind == QueryErrorKind::Unsupported {
        return error;
    }
    QueryError { message: format!("Invalid {stage} :: caused by :: {}", error.message), ..error }
}

struct Check<'a> {
    whole: &'a Document,
    seen: BTreeSet<String>,
}

impl Check<'_> {
    fn field(&mut self, path: String, value: &Bson) -> Result<(), QueryError> {
        Path::parse(&path)?;
        match value {
            Bson::Document(below) => self.object(path, below),
            _ => self.path(path),
        }
    }

    fn object(&mut self, path: String, below: &Document) -> Result<(), QueryError> {
        if below.is_empty() {
            return Err(QueryError::bad_query(format!(
                "an empty object is not a valid value. Found empty object at path {path}"
            )));
        }
        for (name, value) in below {
            if name.starts_with('$') {
                if below.len() != 1 {
                    return Err(one_operator(&path, below));
                }
                return self.path(path);
            }
            if name.contains('.') {
                let whole = to_shell_text(self.whole.into());
                return Err(QueryError::bad_query(format!(
                    "cannot use dotted field name '{name}' in a sub object: {whole}"
                )));
            }
            self.field(format!("{path}.{name}"), value)?;
        }
        Ok(())
    }

    fn path(&mut self, path: String) -> Result<(), QueryError> {
        let prefixes = path.match_indices('.').filter_map(|(end, _)| path.get(..end)).chain([path.as_str()]);
        let above = prefixes.filter_map(|prefix| self.seen.get(prefix)).next();
        let from = format!("{path}.");
        let below = self.seen.range::<String, _>((Bound::Included(&from), Bound::Unbounded)).next();
        if let Some(other) = above.or(below.filter(|other| other.starts_with(&from))) {
            let whole = to_shell_text(self.whole.into());
            return Err(QueryError::bad_query(format!(
                "specification contains two conflicting paths. Cannot specify both '{path}' and '{other}': {whole}"
            )));
        }
        self.seen.insert(path);
        Ok(())
    }
}

fn one_operator(path: &str, below: &Document) -> QueryError {
    QueryError::bad_query(format!(
        "an expression specification must contain exactly one field, the name of the expression. Found {} fields in {}, \
         while parsing object at path {path}",
        below.len(),
        to_shell_text(below.into())
    ))
}
