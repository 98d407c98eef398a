//! Regular expression operators of newer engines: `$regexMatch`, `$regexFind`, `$regexFindAll`.

use document::{Bson, Document, ValueRef};

use super::node::{Arguments, Node};
use super::parse::{Parser, member, object_of};
use super::value::{Outcome, Value};
use crate::QueryError;
use crate::filter::{Captures, Regex};

pub(super) fn parse(parser: &mut Parser, operator: &'static str, argument: &Bson) -> Result<Node, QueryError> {
    let object = object_of(argument, &format!("{operator} expects an object of named arguments but found: {{type}}"))?;
    let names = ["input", "regex", "options"];
    let arguments = parser.named(object, &names, &format!("{operator} found an unknown argument: "))?;
    member(object, "input", &format!("{operator} requires 'input' parameter"))?;
    member(object, "regex", &format!("{operator} requires 'regex' parameter"))?;
    Ok(Node::Call(operator, search, arguments))
}

fn search(arguments: Arguments<'_>) -> Outcome<'_> {
    let operator = arguments.operator;
    let [input, pattern, options] = arguments.take();
    if input.text().is_none() && !input.is_nullish() {
        return error(format!("{operator} needs 'input' to be of type string"));
    }
    let found = match (compile(operator, &pattern, &options)?, input.text()) {
        (Some(regex), Some(text)) => regex.captures(text, if operator == "$regexFindAll" { usize::MAX } else { 1 })?,
        _ => Vec::new(),
    };
    let text = input.text().unwrap_or_default();
    Ok(match operator {
        "$regexMatch" => (!found.is_empty()).into(),
        "$regexFind" => found.first().map_or(Value::NULL, |captures| finding(text, captures).into()),
        _ => found.iter().map(|captures| finding(text, captures)).collect::<Vec<_>>().into(),
    })
}

/// `None` where pattern or options are null: such an expression finds nothing.
fn compile(operator: &str, pattern: &Value<'_>, options: &Value<'_>) -> Result<Option<Regex>, QueryError> {
    let options_text = match options.text() {
        text if text.is_some() || options.is_nullish() => text,
        _ => return error(format!("{operator} needs 'options' to be of type string")),
    };
    match pattern.view() {
        None | Some(ValueRef::Null | ValueRef::Undefined) => Ok(None),
        Some(ValueRef::String(text)) => Regex::new(text, options_text.unwrap_or_default()).map(Some),
        Some(ValueRef::RegularExpression { options: own, .. }) if !own.is_empty() && options_text.is_some() => {
            error(format!("{operator}: found regex option(s) specified in both 'regex' and 'option' fields"))
        }
        Some(ValueRef::RegularExpression { pattern, options }) => {
            Regex::new(pattern, options_text.unwrap_or(options)).map(Some)
        }
        Some(_) => error(format!("{operator} needs 'regex' to be of type string or regex")),
    }
}

/// What was found, where in code points, and the groups.
fn finding(text: &str, captures: &Captures) -> Bson {
    let part = |range: &std::ops::Range<usize>| text.get(range.clone()).unwrap_or_default();
    let before = text.get(..captures.whole.start).unwrap_or_default();
    let groups = captures.groups.iter().map(|group| group.as_ref().map_or(Bson::Null, |range| part(range).into()));
    Bson::Document(Document::from_iter([
        ("match".to_owned(), part(&captures.whole).into()),
        ("idx".to_owned(), i32::try_from(before.chars().count()).unwrap_or(i32::MAX).into()),
        ("captures".to_owned(), Bson::Array(groups.collect())),
    ]))
}

fn error<T>(text: String) -> Result<T, QueryError> {
    Err(QueryError::bad_query(text))
}
