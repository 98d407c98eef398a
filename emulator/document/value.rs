//! One borrowed view over decoded and raw values, so that comparing, matching and printing exist once.
//! Order is in `order.rs`, numbers are compared in `number.rs`.

use bson::raw::{CString, RawArrayIter, RawIter, cstr};
use bson::spec::BinarySubtype;
use bson::{
    Binary, Bson, DateTime, Decimal128, Document, JavaScriptCodeWithScope, RawArray, RawBsonRef, RawDocument,
    RawDocumentBuf, Regex, Timestamp, oid::ObjectId,
};

use crate::number::Number;

/// A borrowed value: one variant per BSON type.
///
/// The deprecated DBPointer has none: no dialect decodes it and `check_limits` refuses it, so it is in no stored document.
/// Should one be handed in all the same, it is seen as [`ValueRef::Undefined`].
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// 64-bit floating point.
    Double(f64),
    /// UTF-8 text, NUL allowed.
    String(&'a str),
    /// An embedded document.
    Document(DocumentRef<'a>),
    /// An array.
    Array(ArrayRef<'a>),
    /// Bytes.
    Binary {
        /// What the bytes are said to be.
        subtype: BinarySubtype,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Deprecated by BSON, ordered as null.
    Undefined,
    /// A 12-byte object id.
    ObjectId(ObjectId),
    /// `true` or `false`.
    Boolean(bool),
    /// Milliseconds since 1970, UTC.
    DateTime(DateTime),
    /// `null`.
    Null,
    /// A regular expression as a value.
    RegularExpression {
        /// The expression's text.
        pattern: &'a str,
        /// Letters such as `i` and `m`.
        options: &'a str,
    },
    /// The text of a program.
    JavaScriptCode(&'a str),
    /// Deprecated by BSON, ordered as a string.
    Symbol(&'a str),
    /// The text of a program, and its variables.
    JavaScriptCodeWithScope {
        /// The program's text.
        code: &'a str,
        /// The program's variables.
        scope: DocumentRef<'a>,
    },
    /// 32-bit integer.
    Int32(i32),
    /// BSON's own timestamp: seconds and a counter.
    Timestamp(Timestamp),
    /// 64-bit integer.
    Int64(i64),
    /// 128-bit decimal floating point.
    Decimal128(Decimal128),
    /// Below every other value.
    MinKey,
    /// Above every other value.
    MaxKey,
}

/// A borrowed document, decoded or as bytes.
#[derive(Clone, Copy, Debug)]
pub enum DocumentRef<'a> {
    /// A document in memory.
    Decoded(&'a Document),
    /// A document as BSON bytes. They were validated on the way in: whatever follows a malformed element is not seen.
    Raw(&'a RawDocument),
}

/// A borrowed array, decoded or as bytes.
#[derive(Clone, Copy, Debug)]
pub enum ArrayRef<'a> {
    /// An array in memory.
    Decoded(&'a [Bson]),
    /// An array as BSON bytes, validated on the way in as those of [`DocumentRef::Raw`].
    Raw(&'a RawArray),
}

impl<'a> From<&'a Bson> for ValueRef<'a> {
    fn from(value: &'a Bson) -> Self {
        match value {
            Bson::Double(number) => ValueRef::Double(*number),
            Bson::String(text) => ValueRef::String(text),
            Bson::Array(array) => ValueRef::Array(ArrayRef::Decoded(array)),
            Bson::Document(document) => ValueRef::Document(DocumentRef::Decoded(document)),
            Bson::Boolean(flag) => ValueRef::Boolean(*flag),
            Bson::Null => ValueRef::Null,
            Bson::RegularExpression(regex) => {
                ValueRef::RegularExpression { pattern: regex.pattern.as_str(), options: regex.options.as_str() }
            }
            Bson::JavaScriptCode(code) => ValueRef::JavaScriptCode(code),
            Bson::JavaScriptCodeWithScope(program) => {
                ValueRef::JavaScriptCodeWithScope { code: &program.code, scope: DocumentRef::Decoded(&program.scope) }
            }
            Bson::Int32(number) => ValueRef::Int32(*number),
            Bson::Int64(number) => ValueRef::Int64(*number),
            Bson::Timestamp(timestamp) => ValueRef::Timestamp(*timestamp),
            Bson::Binary(binary) => ValueRef::Binary { subtype: binary.subtype, bytes: &binary.bytes },
            Bson::ObjectId(id) => ValueRef::ObjectId(*id),
            Bson::DateTime(date) => ValueRef::DateTime(*date),
            Bson::Symbol(text) => ValueRef::Symbol(text),
            Bson::Decimal128(number) => ValueRef::Decimal128(*number),
            Bson::Undefined | Bson::DbPointer(_) => ValueRef::Undefined,
            Bson::MaxKey => ValueRef::MaxKey,
            Bson::MinKey => ValueRef::MinKey,
        }
    }
}

impl<'a> From<RawBsonRef<'a>> for ValueRef<'a> {
    fn from(value: RawBsonRef<'a>) -> Self {
        match value {
            RawBsonRef::Double(number) => ValueRef::Double(number),
            RawBsonRef::String(text) => ValueRef::String(text),
            RawBsonRef::Array(array) => ValueRef::Array(ArrayRef::Raw(array)),
            RawBsonRef::Document(document) => ValueRef::Document(DocumentRef::Raw(document)),
            RawBsonRef::Boolean(flag) => ValueRef::Boolean(flag),
            RawBsonRef::Null => ValueRef::Null,
            RawBsonRef::RegularExpression(regex) => {
                ValueRef::RegularExpression { pattern: regex.pattern.as_str(), options: regex.options.as_str() }
            }
            RawBsonRef::JavaScriptCode(code) => ValueRef::JavaScriptCode(code),
            RawBsonRef::JavaScriptCodeWithScope(program) => {
                ValueRef::JavaScriptCodeWithScope { code: program.code, scope: DocumentRef::Raw(program.scope) }
            }
            RawBsonRef::Int32(number) => ValueRef::Int32(number),
            RawBsonRef::Int64(number) => ValueRef::Int64(number),
            RawBsonRef::Timestamp(timestamp) => ValueRef::Timestamp(timestamp),
            RawBsonRef::Binary(binary) => ValueRef::Binary { subtype: binary.subtype, bytes: binary.bytes },
            RawBsonRef::ObjectId(id) => ValueRef::ObjectId(id),
            RawBsonRef::DateTime(date) => ValueRef::DateTime(date),
            RawBsonRef::Symbol(text) => ValueRef::Symbol(text),
            RawBsonRef::Decimal128(number) => ValueRef::Decimal128(number),
            RawBsonRef::Undefined | RawBsonRef::DbPointer(_) => ValueRef::Undefined,
            RawBsonRef::MaxKey => ValueRef::MaxKey,
            RawBsonRef::MinKey => ValueRef::MinKey,
        }
    }
}

impl<'a> From<&'a Document> for ValueRef<'a> {
    fn from(document: &'a Document) -> Self {
        ValueRef::Document(DocumentRef::Decoded(document))
    }
}

impl<'a> From<DocumentRef<'a>> for ValueRef<'a> {
    fn from(document: DocumentRef<'a>) -> Self {
        ValueRef::Document(document)
    }
}

impl<'a> From<ArrayRef<'a>> for ValueRef<'a> {
    fn from(array: ArrayRef<'a>) -> Self {
        ValueRef::Array(array)
    }
}

impl<'a> From<&'a Document> for DocumentRef<'a> {
    fn from(document: &'a Document) -> Self {
        DocumentRef::Decoded(document)
    }
}

impl<'a> From<&'a RawDocument> for DocumentRef<'a> {
    fn from(document: &'a RawDocument) -> Self {
        DocumentRef::Raw(document)
    }
}

impl<'a> From<&'a RawDocumentBuf> for DocumentRef<'a> {
    fn from(document: &'a RawDocumentBuf) -> Self {
        DocumentRef::Raw(document)
    }
}

impl<'a> From<&'a [Bson]> for ArrayRef<'a> {
    fn from(array: &'a [Bson]) -> Self {
        ArrayRef::Decoded(array)
    }
}

impl<'a> From<&'a RawArray> for ArrayRef<'a> {
    fn from(array: &'a RawArray) -> Self {
        ArrayRef::Raw(array)
    }
}

impl ValueRef<'_> {
    /// The value, owned.
    pub fn to_bson(self) -> Bson {
        match self {
            ValueRef::Double(number) => Bson::Double(number),
            ValueRef::String(text) => Bson::String(text.to_owned()),
            ValueRef::Document(document) => Bson::Document(document.to_document()),
            ValueRef::Array(array) => Bson::Array(array.to_vec()),
            ValueRef::Binary { subtype, bytes } => Bson::Binary(Binary { subtype, bytes: bytes.to_vec() }),
            ValueRef::Undefined => Bson::Undefined,
            ValueRef::ObjectId(id) => Bson::ObjectId(id),
            ValueRef::Boolean(flag) => Bson::Boolean(flag),
            ValueRef::DateTime(date) => Bson::DateTime(date),
            ValueRef::Null => Bson::Null,
            ValueRef::RegularExpression { pattern, options } => {
                Bson::RegularExpression(Regex { pattern: c_string(pattern), options: c_string(options) })
            }
            ValueRef::JavaScriptCode(code) => Bson::JavaScriptCode(code.to_owned()),
            ValueRef::Symbol(text) => Bson::Symbol(text.to_owned()),
            ValueRef::JavaScriptCodeWithScope { code, scope } => {
                Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
                    code: code.to_owned(),
                    scope: scope.to_document(),
                })
            }
            ValueRef::Int32(number) => Bson::Int32(number),
            ValueRef::Timestamp(timestamp) => Bson::Timestamp(timestamp),
            ValueRef::Int64(number) => Bson::Int64(number),
            ValueRef::Decimal128(number) => Bson::Decimal128(number),
            ValueRef::MinKey => Bson::MinKey,
            ValueRef::MaxKey => Bson::MaxKey,
        }
    }

    /// The type's name as MongoDB's `$type` and its error texts spell it.
    pub fn type_name(self) -> &'static str {
        match self {
            ValueRef::Double(_) => "double",
            ValueRef::String(_) => "string",
            ValueRef::Document(_) => "object",
            ValueRef::Array(_) => "array",
            ValueRef::Binary { .. } => "binData",
            ValueRef::Undefined => "undefined",
            ValueRef::ObjectId(_) => "objectId",
            ValueRef::Boolean(_) => "bool",
            ValueRef::DateTime(_) => "date",
            ValueRef::Null => "null",
            ValueRef::RegularExpression { .. } => "regex",
            ValueRef::JavaScriptCode(_) => "javascript",
            ValueRef::Symbol(_) => "symbol",
            ValueRef::JavaScriptCodeWithScope { .. } => "javascriptWithScope",
            ValueRef::Int32(_) => "int",
            ValueRef::Timestamp(_) => "timestamp",
            ValueRef::Int64(_) => "long",
            ValueRef::Decimal128(_) => "decimal",
            ValueRef::MinKey => "minKey",
            ValueRef::MaxKey => "maxKey",
        }
    }

    /// The value as a number; `None` for every other type, dates and booleans among them.
    pub fn as_number(self) -> Option<Number> {
        match self {
            ValueRef::Int32(number) => Some(Number::Int32(number)),
            ValueRef::Int64(number) => Some(Number::Int64(number)),
            ValueRef::Double(number) => Some(Number::Double(number)),
            ValueRef::Decimal128(number) => Some(Number::Decimal128(number)),
            _ => None,
        }
    }

    /// The rank of the value's type in the order of semantics DB-2.23. Types that compare with each other share one:
    /// all numbers, strings with symbols, null with undefined (and with a missing field, which callers take for null).
    ///
    /// Index keys hold these numbers, so they never change; the steps of ten leave room. None is 0 or 255.
    pub fn type_order(self) -> u8 {
        match self {
            ValueRef::MinKey => 10,
            ValueRef::Null | ValueRef::Undefined => 20,
            ValueRef::Int32(_) | ValueRef::Int64(_) | ValueRef::Double(_) | ValueRef::Decimal128(_) => 30,
            ValueRef::String(_) | ValueRef::Symbol(_) => 40,
            ValueRef::Document(_) => 50,
            ValueRef::Array(_) => 60,
            ValueRef::Binary { .. } => 70,
            ValueRef::ObjectId(_) => 80,
            ValueRef::Boolean(_) => 90,
            ValueRef::DateTime(_) => 100,
            ValueRef::Timestamp(_) => 110,
            ValueRef::RegularExpression { .. } => 120,
            ValueRef::JavaScriptCode(_) => 130,
            ValueRef::JavaScriptCodeWithScope { .. } => 140,
            ValueRef::MaxKey => 150,
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The text of a string; `None` for every other type.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            ValueRef::String(text) => Some(text),
            _ => None,
        }
    }

    /// The embedded document; `None` for every other type.
    pub fn as_document(self) -> Option<DocumentRef<'a>> {
        match self {
            ValueRef::Document(document) => Some(document),
            _ => None,
        }
    }

    /// The array; `None` for every other type.
    pub fn as_array(self) -> Option<ArrayRef<'a>> {
        match self {
            ValueRef::Array(array) => Some(array),
            _ => None,
        }
    }
}

impl<'a> DocumentRef<'a> {
    /// The value of the field named `key`; a dot in `key` is part of the name.
    pub fn get(self, key: &str) -> Option<ValueRef<'a>> {
        match self {
            DocumentRef::Decoded(document) => document.get(key).map(ValueRef::from),
            DocumentRef::Raw(document) => document.get(key).ok().flatten().map(ValueRef::from),
        }
    }

    /// The fields in stored order.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> {
        match self {
            DocumentRef::Decoded(document) => Fields::Decoded(document.iter()),
            DocumentRef::Raw(document) => Fields::Raw(document.iter_elements()),
        }
    }

    /// The document, owned and decoded.
    pub fn to_document(self) -> Document {
        match self {
            DocumentRef::Decoded(document) => document.clone(),
            DocumentRef::Raw(_) => self.iter().map(|(key, value)| (key.to_owned(), value.to_bson())).collect(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(self) -> bool {
        match self {
            DocumentRef::Decoded(document) => document.is_empty(),
            DocumentRef::Raw(document) => document.is_empty(),
        }
    }
}

impl<'a> ArrayRef<'a> {
    /// The element at `index`, counted from 0. Takes time in proportion to `index` over raw bytes.
    pub fn get(self, index: usize) -> Option<ValueRef<'a>> {
        match self {
            ArrayRef::Decoded(array) => array.get(index).map(ValueRef::from),
            ArrayRef::Raw(_) => self.iter().nth(index),
        }
    }

    /// The elements in order.
    pub fn iter(self) -> impl Iterator<Item = ValueRef<'a>> {
        match self {
            ArrayRef::Decoded(array) => Elements::Decoded(array.iter()),
            ArrayRef::Raw(array) => Elements::Raw(array.into_iter()),
        }
    }

    /// How many elements there are. Walks the array over raw bytes.
    pub fn len(self) -> usize {
        match self {
            ArrayRef::Decoded(array) => array.len(),
            ArrayRef::Raw(_) => self.iter().count(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(self) -> bool {
        match self {
            ArrayRef::Decoded(array) => array.is_empty(),
            ArrayRef::Raw(array) => array.is_empty(),
        }
    }

    /// The elements, owned and decoded.
    pub fn to_vec(self) -> Vec<Bson> {
        match self {
            ArrayRef::Decoded(array) => array.to_vec(),
            ArrayRef::Raw(_) => self.iter().map(ValueRef::to_bson).collect(),
        }
    }
}

/// The fields of a document; ends at the first malformed one.
enum Fields<'a> {
    Decoded(bson::document::Iter<'a>),
    Raw(RawIter<'a>),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Fields::Decoded(fields) => fields.next().map(|(key, value)| (key.as_str(), ValueRef::from(value))),
            Fields::Raw(fields) => {
                let field = fields.next()?.ok()?;
                Some((field.key().as_str(), ValueRef::from(field.value().ok()?)))
            }
        }
    }
}

/// The elements of an array; ends at the first malformed one.
enum Elements<'a> {
    Decoded(std::slice::Iter<'a, Bson>),
    Raw(RawArrayIter<'a>),
}

impl<'a> Iterator for Elements<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Elements::Decoded(elements) => elements.next().map(ValueRef::from),
            Elements::Raw(elements) => elements.next()?.ok().map(ValueRef::from),
        }
    }
}

/// `text` as a regular expression holds it. Every text a [`ValueRef`] can show here came from such a string.
fn c_string(text: &str) -> CString {
    CString::try_from(text.to_owned()).unwrap_or_else(|_| CString::from(cstr!("")))
}
