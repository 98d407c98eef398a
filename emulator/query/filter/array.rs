//! Array Query Operators: `$all $elemMatch $size` (semantics DB-2.28, DB-2.29).

use document::{ArrayRef, Bson, Document, ValueRef};

use super::predicate::{self, Operand, Predicate, is_operators};
use super::{Node, comparison, evaluation, every, logical};
use crate::QueryError;

/// What `$elemMatch` asks of a single element.
#[derive(Debug, Clone)]
pub(crate) enum ElementCondition {
    /// The element is a document (or an array, seen as one) that matches a query.
    Query(Node),
    /// The element itself meets operators.
    Operators(Vec<Predicate>),
}

impl ElementCondition {
    /// Reads an `$elemMatch`: operators such as `$gt` ask the element itself, all else is a query.
    pub(crate) fn parse(path: &str, condition: &Bson) -> Result<ElementCondition, QueryError> {
        match condition {
            Bson::Document(condition) => ElementCondition::parse_document(path, condition),
            // `{"$regex": …}` came through the dialects as the expression it stands for.
            Bson::RegularExpression(_) => {
                Ok(ElementCondition::Operators(vec![evaluation::parse_regex_value(condition)?]))
            }
            _ => Err(QueryError::bad_query("$elemMatch needs an Object")),
        }
    }

    fn parse_document(path: &str, condition: &Document) -> Result<ElementCondition, QueryError> {
        let first = condition.keys().next().map_or("", String::as_str);
        let logical = matches!(first, "$and" | "$nor" | "$or" | "$where");
        if is_operators(condition) && !logical {
            return predicate::parse_operators(path, condition).map(ElementCondition::Operators);
        }
        logical::parse_conjunction(condition, None).map(ElementCondition::Query)
    }

    /// Whether `value` is an array of which an element meets the condition. Sets `position` to that element's index.
    pub(super) fn matches(
        &self,
        value: Option<ValueRef<'_>>,
        position: &mut Option<usize>,
    ) -> Result<bool, QueryError> {
        let Some(ValueRef::Array(array)) = value else { return Ok(false) };
        let found = self.find(array)?.map(|(index, _)| index);
        if found.is_some() {
            *position = found;
        }
        Ok(found.is_some())
    }

    /// The first element that meets the condition, and its index.
    pub(crate) fn find<'a>(&self, array: ArrayRef<'a>) -> Result<Option<(usize, ValueRef<'a>)>, QueryError> {
        for (index, element) in array.iter().enumerate() {
            if self.accepts(element)? {
                return Ok(Some((index, element)));
            }
        }
        Ok(None)
    }

    fn accepts(&self, element: ValueRef<'_>) -> Result<bool, QueryError> {
        match (self, element) {
            (ElementCondition::Query(node), ValueRef::Document(_) | ValueRef::Array(_)) => {
                node.matches(element, &mut None)
            }
            (ElementCondition::Query(_), _) => Ok(false),
            (ElementCondition::Operators(predicates), element) => {
                every(predicates, |predicate| predicate.matches_value(Some(element), &mut None))
            }
        }
    }
}

pub(super) fn parse_elem_match(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    elem_match(operand.path, operand.argument)
}

fn elem_match(path: &str, condition: &Bson) -> Result<Predicate, QueryError> {
    Ok(Predicate::Element(Box::new(ElementCondition::parse(path, condition)?)))
}

/// `$all` is an "and" of equalities, expressions or `$elemMatch`es; of nothing, it never holds.
pub(super) fn parse_all(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    let Bson::Array(items) = operand.argument else { return Err(QueryError::bad_query("$all needs an array")) };
    if items.is_empty() {
        return Ok(Predicate::Never);
    }
    let of_elements = items.first().and_then(elem_match_item).is_some();
    items
        .iter()
        .map(|item| parse_all_item(operand.path, item, of_elements))
        .collect::<Result<_, _>>()
        .map(Predicate::All)
}

fn parse_all_item(path: &str, item: &Bson, of_elements: bool) -> Result<Predicate, QueryError> {
    match (item, elem_match_item(item)) {
        (_, Some(condition)) if of_elements => elem_match(path, condition),
        _ if of_elements => Err(QueryError::bad_query("$all/$elemMatch has to be consistent")),
        (Bson::RegularExpression(_), _) => evaluation::parse_regex_value(item),
        (Bson::Document(document), _) if is_operators(document) => {
            Err(QueryError::bad_query("no $ expressions in $all"))
        }
        _ => comparison::equality(item),
    }
}

/// What stands behind `$elemMatch`, where `item` is one.
fn elem_match_item(item: &Bson) -> Option<&Bson> {
    item.as_document()?.iter().next().filter(|(key, _)| *key == "$elemMatch").map(|(_, condition)| condition)
}

pub(super) fn parse_size(operand: &Operand<'_>) -> Result<Predicate, QueryError> {
    let Some(number) = ValueRef::from(operand.argument).as_number() else {
        return Err(QueryError::bad_query("$size needs a number"));
    };
    let Some(size) = number.as_i64() else { return Err(QueryError::bad_query("$size must be a whole number")) };
    match usize::try_from(size) {
        Ok(size) => Ok(Predicate::Size(size)),
        Err(_) => Err(QueryError::bad_query("$size may not be negative")),
    }
}
