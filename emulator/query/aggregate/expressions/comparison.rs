//! Comparison operators: the order of all values, across types, with what is missing below null.

use std::cmp::Ordering;

use super::node::Arguments;
use super::value::{self, Outcome};

pub(super) fn cmp(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok((order(arguments) as i32).into())
}

pub(super) fn eq(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_eq().into())
}

pub(super) fn gt(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_gt().into())
}

pub(super) fn gte(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_ge().into())
}

pub(super) fn lt(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_lt().into())
}

pub(super) fn lte(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_le().into())
}

pub(super) fn ne(arguments: Arguments<'_>) -> Outcome<'_> {
    Ok(order(arguments).is_ne().into())
}

fn order(arguments: Arguments<'_>) -> Ordering {
    let [left, right] = arguments.take();
    value::compare(&left, &right)
}
