//! The table of operators: the name, and how its arguments are read and used. What each means stands in its family's file.

use document::Bson;

use super::node::{Function, Node};
use super::parse::Parser;
use super::{
    accumulators, arithmetic, array, boolean, comparison, conditional, convert, date, object, regex, set, string,
    variables,
};
use crate::QueryError;

/// A row of the table.
pub(super) struct Operator {
    pub(super) name: &'static str,
    /// Whether MongoDB 4.0 lacks it.
    pub(super) is_newer: bool,
    pub(super) shape: Shape,
}

/// How an operator takes its arguments.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// By place, in an array; a single one also without.
    Positional { least: usize, most: usize, function: Function },
    /// In its own way.
    Form(ParseForm),
}

pub(super) type ParseForm = fn(&mut Parser, &'static str, &Bson) -> Result<Node, QueryError>;

/// The operator of that name, with its `$`.
pub(super) fn find(name: &str) -> Option<&'static Operator> {
    let index = OPERATORS.binary_search_by_key(&name, |operator| operator.name).ok()?;
    OPERATORS.get(index)
}

pub(super) fn unknown(name: &str) -> QueryError {
    QueryError::bad_query(format!("Unrecognized expression '{name}'"))
}

const fn fixed(name: &'static str, count: usize, function: Function) -> Operator {
    ranged(name, count, count, function)
}

const fn ranged(name: &'static str, least: usize, most: usize, function: Function) -> Operator {
    Operator { name, is_newer: false, shape: Shape::Positional { least, most, function } }
}

const fn variadic(name: &'static str, function: Function) -> Operator {
    ranged(name, 0, usize::MAX, function)
}

const fn form(name: &'static str, parse: ParseForm) -> Operator {
    Operator { name, is_newer: false, shape: Shape::Form(parse) }
}

const fn newer(operator: Operator) -> Operator {
    Operator { is_newer: true, ..operator }
}

const OPERATORS: &[Operator] = &[
    fixed("$abs", 1, arithmetic::abs),
    variadic("$add", arithmetic::add),
    fixed("$allElementsTrue", 1, set::all_elements_true),
    form("$and", boolean::parse_and),
    fixed("$anyElementTrue", 1, set::any_element_true),
    fixed("$arrayElemAt", 2, array::array_elem_at),
    fixed("$arrayToObject", 1, array::array_to_object),
    variadic("$avg", accumulators::avg),
    fixed("$ceil", 1, arithmetic::ceil),
    fixed("$cmp", 2, comparison::cmp),
    variadic("$concat", string::concat),
    variadic("$concatArrays", array::concat_arrays),
    form("$cond", conditional::parse_cond),
    form("$const", object::parse_literal),
    form("$convert", convert::parse_convert),
    form("$dateFromParts", date::parse_date_from_parts),
    form("$dateFromString", date::parse_date_from_string),
    form("$dateToParts", date::parse_date_to_parts),
    form("$dateToString", date::parse_date_to_string),
    form("$dayOfMonth", date::parse_part),
    form("$dayOfWeek", date::parse_part),
    form("$dayOfYear", date::parse_part),
    fixed("$divide", 2, arithmetic::divide),
    fixed("$eq", 2, comparison::eq),
    fixed("$exp", 1, arithmetic::exp),
    form("$filter", array::parse_filter),
    newer(fixed("$first", 1, array::first)),
    fixed("$floor", 1, arithmetic::floor),
    newer(form("$getField", object::parse_get_field)),
    fixed("$gt", 2, comparison::gt),
    fixed("$gte", 2, comparison::gte),
    form("$hour", date::parse_part),
    form("$ifNull", conditional::parse_if_null),
    fixed("$in", 2, array::r#in),
    ranged("$indexOfArray", 2, 4, array::index_of_array),
    ranged("$indexOfBytes", 2, 4, string::index_of_bytes),
    ranged("$indexOfCP", 2, 4, string::index_of_cp),
    fixed("$isArray", 1, array::is_array),
    newer(fixed("$isNumber", 1, convert::is_number)),
    form("$isoDayOfWeek", date::parse_part),
    form("$isoWeek", date::parse_part),
    form("$isoWeekYear", date::parse_part),
    newer(fixed("$last", 1, array::last)),
    form("$let", variables::parse_let),
    form("$literal", object::parse_literal),
    fixed("$ln", 1, arithmetic::ln),
    fixed("$log", 2, arithmetic::log),
    fixed("$log10", 1, arithmetic::log10),
    fixed("$lt", 2, comparison::lt),
    fixed("$lte", 2, comparison::lte),
    form("$ltrim", string::parse_trim),
    form("$map", array::parse_map),
    variadic("$max", accumulators::max),
    variadic("$mergeObjects", object::merge_objects),
    form("$meta", object::parse_meta),
    form("$millisecond", date::parse_part),
    variadic("$min", accumulators::min),
    form("$minute", date::parse_part),
    fixed("$mod", 2, arithmetic::r#mod),
    form("$month", date::parse_part),
    variadic("$multiply", arithmetic::multiply),
    fixed("$ne", 2, comparison::ne),
    fixed("$not", 1, boolean::not),
    fixed("$objectToArray", 1, array::object_to_array),
    form("$or", boolean::parse_or),
    fixed("$pow", 2, arithmetic::pow),
    ranged("$range", 2, 3, array::range),
    form("$reduce", array::parse_reduce),
    newer(form("$regexFind", regex::parse)),
    newer(form("$regexFindAll", regex::parse)),
    newer(form("$regexMatch", regex::parse)),
    newer(form("$replaceAll", string::parse_replace)),
    newer(form("$replaceOne", string::parse_replace)),
    fixed("$reverseArray", 1, array::reverse_array),
    newer(ranged("$round", 1, 2, arithmetic::round)),
    form("$rtrim", string::parse_trim),
    form("$second", date::parse_part),
    fixed("$setDifference", 2, set::set_difference),
    variadic("$setEquals", set::set_equals),
    newer(form("$setField", object::parse_set_field)),
    variadic("$setIntersection", set::set_intersection),
    fixed("$setIsSubset", 2, set::set_is_subset),
    variadic("$setUnion", set::set_union),
    fixed("$size", 1, array::size),
    ranged("$slice", 2, 3, array::slice),
    fixed("$split", 2, string::split),
    fixed("$sqrt", 1, arithmetic::sqrt),
    variadic("$stdDevPop", accumulators::std_dev_pop),
    variadic("$stdDevSamp", accumulators::std_dev_samp),
    fixed("$strLenBytes", 1, string::str_len_bytes),
    fixed("$strLenCP", 1, string::str_len_cp),
    fixed("$strcasecmp", 2, string::strcasecmp),
    fixed("$substr", 3, string::substr_bytes),
    fixed("$substrBytes", 3, string::substr_bytes),
    fixed("$substrCP", 3, string::substr_cp),
    fixed("$subtract", 2, arithmetic::subtract),
    variadic("$sum", accumulators::sum),
    form("$switch", conditional::parse_switch),
    form("$toBool", convert::parse_shorthand),
    form("$toDate", convert::parse_shorthand),
    form("$toDecimal", convert::parse_shorthand),
    form("$toDouble", convert::parse_shorthand),
    form("$toInt", convert::parse_shorthand),
    form("$toLong", convert::parse_shorthand),
    fixed("$toLower", 1, string::to_lower),
    form("$toObjectId", convert::parse_shorthand),
    form("$toString", convert::parse_shorthand),
    fixed("$toUpper", 1, string::to_upper),
    form("$trim", string::parse_trim),
    form("$trunc", arithmetic::parse_trunc),
    fixed("$type", 1, convert::r#type),
    newer(form("$unsetField", object::parse_unset_field)),
    form("$week", date::parse_part),
    form("$year", date::parse_part),
    form("$zip", array::parse_zip),
];

/// Every name in the table.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|operator| operator.name)
}

#[cfg(test)]
mod tests {
    use super::OPERATORS;

    #[test]
    fn the_table_is_sorted() {
        assert!(OPERATORS.is_sorted_by_key(|operator| operator.name));
    }
}
