//! Why a rule refuses, as data and in words: which of its conditions did not hold and with which values, and what the
//! query would have to say besides.

use std::fmt;

use document::{Bson, Document, to_shell_text};

use super::facts::{Fact, Test};
use super::request::Request;
use super::text::Place;

/// A refusal. [`fmt::Display`] is for whoever asked; [`Refusal::details`], with what `get()` read, for the developer
/// alone.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The rule's key: `read`, `update` …
    pub(crate) operation: &'static str,
    /// The rule's expression as it is written.
    pub(crate) rule: String,
    /// The conditions that did not hold.
    pub(crate) failed: Vec<Failed>,
    /// Which alternative of the query's `$or` is outside the rule, counted from 1, and of how many; `None` without
    /// alternatives.
    pub(crate) alternative: Option<(usize, usize)>,
    /// What `where` must say, be it besides or in place of what it says; `{openid}` for the caller's id. `None` where
    /// no condition would help.
    pub(crate) add: Option<Document>,
    /// Whether values of documents that `get()` read stand in `add`.
    pub(crate) add_looked_up: bool,
    /// Fields that `where` must give one value each, so that `get()` can be called.
    pub(crate) pin: Vec<String>,
    /// The query, where it is a document operation's: nothing but an `_id` (semantics DB-7.27).
    pub(crate) document_id: Option<Bson>,
    /// A limit that kept the query from being looked at.
    pub(crate) limit: Option<&'static str>,
}

/// A condition that did not hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failed {
    /// As it is written.
    pub(crate) condition: String,
    /// Where it stands in the rules document.
    pub(crate) place: Place,
    pub(crate) reason: Reason,
    /// What it compares.
    pub(crate) operands: Vec<Operand>,
}

/// What a condition was, in place of what the rule needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    False,
    /// Under a `!`.
    True,
    /// It cannot be told, which counts as false (DB-7.31): says why.
    Fault(String),
    /// The query does not imply it: what it says of the fields.
    Unproved(Vec<String>),
}

/// One side of a condition, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operand {
    pub(crate) expression: String,
    pub(crate) value: String,
    /// Whether the value comes from a document that `get()` read, which the caller may not be allowed to read.
    pub(crate) looked_up: bool,
}

impl Refusal {
    /// The refusal in lines, with every value.
    pub(crate) fn details(&self) -> Vec<String> {
        let mut lines = vec![format!("the rule `{}` refuses: {}", self.operation, self.rule)];
        for failed in &self.failed {
            lines.push(format!("  {}: {}", failed.place, failed.sentence(true)));
        }
        lines.extend(self.cure().map(|cure| format!("  {cure}")));
        lines
    }

    /// What to write instead.
    fn cure(&self) -> Option<String> {
        if let Some(limit) = self.limit {
            return Some(limit.to_owned());
        }
        let add = self.add.as_ref();
        if !self.pin.is_empty() {
            let more = add.map(|add| format!(", and say {}", where_text(add))).unwrap_or_default();
            return Some(format!("where() must give one value for `{}`{more}", self.pin.join("`, `")));
        }
        match &self.document_id {
            None => Some(format!("where() must say {}", where_text(add?))),
            Some(id) => {
                let both = [("_id".to_owned(), id.clone())].into_iter().chain(add?.clone()).collect();
                Some(format!("doc() asks by `_id` alone: write where({}) instead", where_text(&both)))
            }
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the rule `{}` refuses", self.operation)?;
        if let Some((which, of)) = self.alternative {
            write!(formatter, " alternative {which} of {of} of the query")?;
        }
        for (index, failed) in self.failed.iter().enumerate() {
            write!(formatter, "{} {}", if index == 0 { ":" } else { ";" }, failed.sentence(false))?;
        }
        self.cure().filter(|_| !self.add_looked_up).map_or(Ok(()), |cure| write!(formatter, "; {cure}"))
    }
}

impl Failed {
    fn sentence(&self, with_lookups: bool) -> String {
        let condition = &self.condition;
        let outcome = match &self.reason {
            Reason::False => format!("`{condition}` is false"),
            Reason::True => format!("`{condition}` is true"),
            Reason::Fault(reason) => format!("`{condition}` cannot be told, so it is false: {reason}"),
            Reason::Unproved(said) if said.is_empty() => {
                format!("`{condition}` does not follow from the query, which says nothing of it")
            }
            Reason::Unproved(said) => {
                format!("`{condition}` does not follow from the query, which says {}", said.join(", "))
            }
        };
        let shown = |operand: &&Operand| with_lookups || !operand.looked_up;
        let values = self
            .operands
            .iter()
            .filter(shown)
            .map(|Operand { expression, value, .. }| format!("{expression} is {value}"));
        let values: Vec<String> = values.collect();
        if values.is_empty() { outcome } else { format!("{outcome} ({})", values.join(", ")) }
    }
}

/// `{openid}` in place of the caller's own id, as it may stand in a query (semantics DB-7.09).
pub(super) fn with_template(request: &Request<'_>, document: Document) -> Document {
    let Some(id) = request.identity.and_then(|identity| identity.template_value()) else { return document };
    document.into_iter().map(|(name, value)| (name, templated(id, value))).collect()
}

fn templated(id: &str, value: Bson) -> Bson {
    match value {
        Bson::String(text) if text == id => Bson::String("{openid}".to_owned()),
        Bson::Array(values) => Bson::Array(values.into_iter().map(|value| templated(id, value)).collect()),
        Bson::Document(document) => {
            Bson::Document(document.into_iter().map(|(name, value)| (name, templated(id, value))).collect())
        }
        other => other,
    }
}

/// What a fact says, for people.
pub(super) fn fact_text(fact: &Fact<'_>) -> String {
    let path = fact.path;
    let list = |values: &[Bson]| values.iter().map(value_text).collect::<Vec<_>>().join(", ");
    match fact.test {
        Test::OneOf([only]) => format!("{path} is {}", value_text(only)),
        Test::OneOf(values) => format!("{path} is one of {}", list(values)),
        Test::NoneOf(values) => format!("{path} is not {}", list(values)),
        Test::Bound(comparison, bound) => {
            format!("{path} is {} {}", comparison.query_operator().trim_start_matches('$'), value_text(bound))
        }
        Test::Has(values) => format!("{path} has {}", list(values)),
    }
}

pub(super) fn value_text(value: &Bson) -> String {
    to_shell_text(value.into())
}

/// A query as an application writes it: `{age: _.gt(10)}`.
fn where_text(query: &Document) -> String {
    let fields = query.iter().map(|(path, condition)| match condition {
        Bson::Array(parts) if path == "$and" => {
            let parts = parts.iter().filter_map(Bson::as_document).map(where_text);
            format!("$and: [{}]", parts.collect::<Vec<_>>().join(", "))
        }
        condition => format!("{}: {}", key_text(path), condition_text(condition)),
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}

fn key_text(path: &str) -> String {
    let plain = path.chars().all(|character| character.is_alphanumeric() || character == '_');
    if plain { path.to_owned() } else { format!("'{path}'") }
}

fn condition_text(condition: &Bson) -> String {
    match condition {
        Bson::String(text) if !text.contains(['\'', '\\', '\n']) => format!("'{text}'"),
        Bson::Document(operators) => match operators.iter().next() {
            Some((operator, argument)) if operator.starts_with('$') => {
                let command = if operator == "$ne" { "neq" } else { operator.trim_start_matches('$') };
                format!("_.{command}({})", condition_text(argument))
            }
            _ => value_text(condition),
        },
        other => value_text(other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use document::{DateTime, decode_text};

    use super::super::request::{Identity, Library, Subject};
    use super::super::{CollectionRules, Operation, Request};
    use super::*;

    const RULES: &str = r#"{"read": "doc.price <= get(`database.shop.${doc.shop}`).limit && doc.open",
 "write": "auth.openid == get(`database.shop.${doc.shop}`).owner"}"#;

    #[test]
    fn words() {
        let refusal = refuse(Operation::Read, r#"{"price": {"$lt": 5}}"#);
        assert_eq!(
            refusal.to_string(),
            "the rule `read` refuses: `doc.price <= get(`database.shop.${doc.shop}`).limit` does not follow from the query, \
             which says price is lt 5; `doc.open` does not follow from the query, which says nothing of it; \
             where() must give one value for `shop`, and say {open: true}"
        );
        let refusal = refuse(Operation::Read, r#"{"shop": "s", "price": 5, "open": false}"#);
        assert_eq!(
            refusal.to_string(),
            "the rule `read` refuses: `doc.open` is false (doc.open is false); where() must say {open: true}"
        );
    }

    #[test]
    fn what_was_looked_up_is_for_the_developer_alone() {
        let refusal = refuse(Operation::Delete, r#"{"shop": "s"}"#);
        assert_eq!(
            refusal.to_string(),
            "the rule `write` refuses: `auth.openid == get(`database.shop.${doc.shop}`).owner` is false \
             (auth.openid is \"me\")"
        );
        assert_eq!(
            refusal.details(),
            [
                "the rule `write` refuses: auth.openid == get(`database.shop.${doc.shop}`).owner",
                "  2:12: `auth.openid == get(`database.shop.${doc.shop}`).owner` is false (auth.openid is \"me\", \
                 get(`database.shop.${doc.shop}`).owner is \"bob\")"
            ]
        );
        let refusal = refuse(Operation::Read, r#"{"shop": "s", "open": true}"#);
        assert!(!refusal.to_string().contains("77") && refusal.add_looked_up, "{refusal}");
        assert!(refusal.details().iter().any(|line| line.contains("{price: _.lte(77)}")), "{:?}", refusal.details());
    }

    fn refuse(operation: Operation, query: &str) -> Refusal {
        let read = |text: &str| decode_text(text, DateTime::from_millis(0)).unwrap();
        let identity = Identity { openid: Some("me".to_owned()), ..Identity::default() };
        let request = Request::new(Some(&identity), DateTime::from_millis(0));
        let rules = CollectionRules::parse(RULES).unwrap();
        let shop = read(r#"{"_id": "s", "owner": "bob", "limit": 77}"#);
        let find = |_: &super::super::Reference| Some(shop.clone());
        let query = read(query);
        let verdict = rules.rule(operation).settle(Subject::Query(&query), &request, &mut Library::default(), find);
        *verdict.unwrap_err()
    }
}
