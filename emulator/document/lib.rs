//! Values of the document database: one view over decoded and raw BSON, their order, paths into them, index keys
//! and the JSON dialects that SDKs speak. Pure: no clock, no randomness, no I/O. Filters and updates live in `query`.

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod dialect;
pub mod key;
#[cfg(test)]
mod laws;
pub mod limits;
pub mod number;
pub mod order;
pub mod path;
pub mod shell;
pub mod value;

pub use bson::{Binary, Bson, DateTime, Document, RawArray, RawDocument, RawDocumentBuf, Timestamp, oid::ObjectId};

pub use dialect::{
    Dialect, DialectError, Encoded, FileForm, decode, decode_document, decode_file_text, decode_strict_file_text,
    decode_text, decode_value_text, encode_text, encode_value, write_file_value, write_value,
};
pub use key::{encode_key, encode_key_descending};
pub use limits::check_limits;
pub use number::Number;
pub use order::{compare, equal};
pub use path::{FieldPath, PathError};
pub use shell::{to_shell_field, to_shell_text};
pub use value::{ArrayRef, DocumentRef, ValueRef};
