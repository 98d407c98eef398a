//! Values in the error texts of stages: `{a: 1, b: "x"}`, `MISSING`. (`document::to_shell_text` prints what was sent: `{ a: 1 }`.)

use document::{Bson, ValueRef};

use super::expressions::show;

/// The value as it stands in "but resulting value was: …".
pub(super) fn of_value(value: Option<&Bson>) -> String {
    value.map_or_else(|| "MISSING".to_owned(), |value| show(value.into()))
}

/// The name of the value's type, `missing` where there is none.
pub(super) fn type_name(value: Option<&Bson>) -> &'static str {
    value.map_or("missing", |value| ValueRef::from(value).type_name())
}
