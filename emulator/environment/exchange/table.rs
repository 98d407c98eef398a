//! Documents as a table of comma-separated values. The first row names the fields, where a dot leads to an inner field; what
//! looks like a number is one, and an empty cell is an empty text, as mongoimport has it (semantics DB-10.04, UNC-38).

use super::nesting;
use super::place::{Lines, Mistake, Place};
use document::{Bson, Document, FileForm, ValueRef, to_shell_text, write_file_value};

/// Reads `text` and hands each document on, with the line on which it begins.
pub(super) fn read(text: &str, each: &mut impl FnMut(usize, Document) -> Result<(), Mistake>) -> Result<(), Mistake> {
    let mut rows = Rows { text, offset: 0, lines: Lines::new(text) };
    let Some(header) = rows.next()? else {
        return Err(Mistake::new(Place::line(1), "the first row must name the fields, and there is none"));
    };
    let fields = fields(&header)?;
    while let Some(row) = rows.next()? {
        let line = row.first().map(|cell| cell.place.line).unwrap_or_default();
        check_width(&fields, &row)?;
        let mut document = Document::new();
        for ((name, segments), cell) in fields.iter().zip(row) {
            let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
            nesting::put(&mut document, name, &segments, typed(cell.text))
                .map_err(|reason| Mistake::new(cell.place, reason))?;
        }
        each(line, document)?;
    }
    Ok(())
}

/// Appends the row that names `fields`.
pub(super) fn write_header(fields: &[String], out: &mut String) {
    write_row(fields.iter().map(|field| field.as_str().into()), out);
}

/// Appends the row of `document`.
pub(super) fn write_document(document: &Document, fields: &[Vec<String>], out: &mut String) {
    write_row(fields.iter().map(|segments| field_of(document, segments).map(cell_of).unwrap_or_default()), out);
}

/// What becomes of a cell. As Go's ParseInt and ParseFloat, which mongoimport tries in turn.
fn typed(text: String) -> Bson {
    if let Ok(number) = text.parse::<i64>() {
        return i32::try_from(number).map_or(Bson::Int64(number), Bson::Int32);
    }
    let is_named = text.trim_start_matches(['+', '-']).starts_with(|first: char| first.is_ascii_alphabetic());
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() || is_named => Bson::Double(number),
        Ok(_) | Err(_) => Bson::String(text),
    }
}

struct Rows<'t> {
    text: &'t str,
    offset: usize,
    lines: Lines<'t>,
}

struct Cell {
    text: String,
    place: Place,
}

impl Rows<'_> {
    /// The next row that is no empty line.
    fn next(&mut self) -> Result<Option<Vec<Cell>>, Mistake> {
        while let Some(length) = self.line_end() {
            self.offset += length;
        }
        if self.offset == self.text.len() {
            return Ok(None);
        }
        let mut cells = vec![self.cell()?];
        while self.rest().starts_with(',') {
            self.offset += 1;
            cells.push(self.cell()?);
        }
        self.offset += self.line_end().unwrap_or_default();
        Ok(Some(cells))
    }

    /// Leaves the reader at a comma, at the end of a line or of the text.
    fn cell(&mut self) -> Result<Cell, Mistake> {
        self.offset += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let place = self.lines.place_at(self.offset);
        if self.rest().starts_with('"') {
            return Ok(Cell { text: self.quoted(place)?, place });
        }
        let length = self.rest().find([',', '\n', '\r']).unwrap_or(self.rest().len());
        let text = self.rest().get(..length).unwrap_or_default().to_owned();
        self.offset += length;
        Ok(Cell { text, place })
    }

    fn quoted(&mut self, place: Place) -> Result<String, Mistake> {
        let mut text = String::new();
        self.offset += 1;
        loop {
            let Some(length) = self.rest().find('"') else {
                return Err(Mistake::new(place, "the quote that begins here does not end"));
            };
            text.push_str(self.rest().get(..length).unwrap_or_default());
            self.offset += length + 1;
            if !self.rest().starts_with('"') {
                break;
            }
            text.push('"');
            self.offset += 1;
        }
        match self.rest().chars().next() {
            None | Some(',' | '\n' | '\r') => Ok(text),
            Some(_) => {
                let reason =
                    "after a closing quote comes a comma or the end of the line; a quote within is written twice";
                Err(Mistake::new(self.lines.place_at(self.offset), reason))
            }
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    /// How many bytes the end of the line has that stands here.
    fn line_end(&self) -> Option<usize> {
        ["\r\n", "\n", "\r"].iter().find(|end| self.rest().starts_with(**end)).map(|end| end.len())
    }
}

/// The fields that the first row names, each with its segments.
fn fields(header: &[Cell]) -> Result<Vec<(String, Vec<String>)>, Mistake> {
    let mut sample = Document::new();
    let mut fields = Vec::new();
    for cell in header {
        let mistake = |reason: String| Mistake::new(cell.place, reason);
        if cell.text.is_empty() {
            return Err(mistake("a field without a name in the first row".to_owned()));
        }
        let segments = nesting::segments(&cell.text).map_err(mistake)?;
        nesting::put(&mut sample, &cell.text, &segments, Bson::Null).map_err(mistake)?;
        fields.push((cell.text.clone(), segments.into_iter().map(str::to_owned).collect()));
    }
    Ok(fields)
}

fn check_width(fields: &[(String, Vec<String>)], row: &[Cell]) -> Result<(), Mistake> {
    let (named, found) = (fields.len(), row.len());
    match row.get(named).or(row.last()).filter(|_| named != found) {
        Some(cell) => {
            Err(Mistake::new(cell.place, format!("the row has {found} cells, the first row names {named} fields")))
        }
        None => Ok(()),
    }
}

pub(super) fn field_of<'d>(document: &'d Document, segments: &[String]) -> Option<&'d Bson> {
    let (first, rest) = segments.split_first()?;
    let value = document.get(first)?;
    match (rest, value) {
        ([], value) => Some(value),
        (rest, Bson::Document(inner)) => field_of(inner, rest),
        (_, _) => None,
    }
}

/// A value as mongoexport puts it into a cell: plain where it can be, else as JSON.
fn cell_of(value: &Bson) -> String {
    match value {
        Bson::Null | Bson::Undefined => String::new(),
        Bson::String(text) | Bson::Symbol(text) => text.clone(),
        Bson::ObjectId(id) => id.to_hex(),
        Bson::DateTime(_) => date_text(value),
        Bson::Boolean(_) | Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_) => {
            plain_number(value)
        }
        _ => json(value),
    }
}

fn plain_number(value: &Bson) -> String {
    match value {
        Bson::Int64(number) => number.to_string(),
        Bson::Double(number) => number.to_string(),
        Bson::Decimal128(number) => number.to_string(),
        other => to_shell_text(ValueRef::from(other)),
    }
}

/// `2018-08-31T17:30:00.882Z`; a date beyond such as JSON.
fn date_text(value: &Bson) -> String {
    let json = json(value);
    let words = json.strip_prefix("{\"$date\":\"").and_then(|rest| rest.strip_suffix("\"}")).map(str::to_owned);
    words.unwrap_or(json)
}

fn json(value: &Bson) -> String {
    let mut text = String::new();
    write_file_value(ValueRef::from(value), FileForm::Relaxed, &mut text);
    text
}

fn write_row(cells: impl Iterator<Item = String>, out: &mut String) {
    let row_start = out.len();
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.push(',');
        }
        push_cell(&cell, out);
    }
    if out.len() == row_start {
        out.push_str("\"\""); // an empty line would be no row
    }
    out.push('\n');
}

fn push_cell(cell: &str, out: &mut String) {
    if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with([' ', '\t']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use document::DateTime;
    use proptest::prelude::*;

    #[test]
    fn rows_become_documents() {
        check("a,b\n1,x\n", &[(2, r#"{"a":1,"b":"x"}"#)]);
        check(
            "a,b.c,b.d\r\n1,2,3\r\n\r\n4,5,6",
            &[(2, r#"{"a":1,"b":{"c":2,"d":3}}"#), (4, r#"{"a":4,"b":{"c":5,"d":6}}"#)],
        );
        check("\"a\",b\n\"x\ny\"\"\", \"z\"\n,\n", &[(2, r#"{"a":"x\ny\"","b":"z"}"#), (4, r#"{"a":"","b":""}"#)]);
        check("a\n", &[]);
    }

    #[test]
    fn what_looks_like_a_number_is_one() {
        let cells = "1,007,-5,+5,2147483648,1.5,1e3,.5,1e999,1 2,0x10,true,NaN,,\"12\"";
        let expected =
            r#"[1,7,-5,5,2147483648,1.5,1000.0,0.5,"1e999","1 2","0x10","true",{"$numberDouble":"NaN"},"",12]"#;
        let values: Vec<Bson> = cells.split(',').map(|cell| typed(cell.trim_matches('"').to_owned())).collect();
        assert_eq!(json(&Bson::Array(values)), expected);
    }

    #[test]
    fn mistakes_have_their_places() {
        refused("", "1: the first row must name");
        refused("a,,b\n1,2,3", "1:3: a field without a name");
        refused("a,b,a\n", "1:5: the key `a` is ambiguous");
        refused("a,a.b\n", "1:3: the key `a.b` is ambiguous");
        refused("a,b.\n", "1:3: the key `b.` begins");
        refused("a,b\n1,2\n1\n", "3:1: the row has 1 cells, the first row names 2");
        refused("a,b\n1,2,3\n", "2:5: the row has 3 cells, the first row names 2");
        refused("a,b\n1,\"x\n", "2:3: the quote that begins here does not end");
        refused("名,b\n云,\"x\"y\n", "2:6: after a closing quote");
    }

    #[test]
    fn documents_become_rows() {
        let text = r#"{"a":{"b":1,"c":[1,"x"]},"d":{"$date":882},"s":"x, \"y\"","n":null,"f":2.5,"t":true,"i":{"$oid":"000102030405060708090a0b"},
            "p":{"type":"Point","coordinates":[113.5,23.25]}}"#;
        let document = document::decode_text(text, DateTime::MIN).unwrap();
        let names = ["a.b", "a.c", "d", "s", "n", "missing", "f", "t", "i", "p"];
        let fields: Vec<Vec<String>> = names.iter().map(|name| name.split('.').map(str::to_owned).collect()).collect();
        let mut out = String::new();
        write_document(&document, &fields, &mut out);
        let expected = "1,\"[1,\"\"x\"\"]\",1970-01-01T00:00:00.882Z,\"x, \"\"y\"\"\",,,2.5,true,000102030405060708090a0b,\
                        \"{\"\"type\"\":\"\"Point\"\",\"\"coordinates\"\":[113.5,23.25]}\"\n";
        assert_eq!(out, expected);
    }

    proptest! {
        #[test]
        fn texts_come_back(cells in prop::collection::vec(prop::collection::vec("[a-c,\" \n\r\t云]{0,5}", 3), 0..4)) {
            let fields: Vec<Vec<String>> = ["x", "y", "z"].map(|name| vec![name.to_owned()]).to_vec();
            let documents: Vec<Document> = cells
                .iter()
                .map(|row| ["x", "y", "z"].into_iter().zip(row).map(|(name, cell)| (name.to_owned(), Bson::String(cell.clone()))).collect())
                .collect();
            let mut out = String::new();
            write_header(&["x".to_owned(), "y".to_owned(), "z".to_owned()], &mut out);
            documents.iter().for_each(|document| write_document(document, &fields, &mut out));
            let mut found = Vec::new();
            read(&out, &mut |_, document| { found.push(document); Ok(()) }).unwrap();
            prop_assert_eq!(found, documents);
        }
    }

    fn check(text: &str, expected: &[(usize, &str)]) {
        let mut found = Vec::new();
        read(text, &mut |line, document| {
            found.push((line, document));
            Ok(())
        })
        .unwrap();
        let of = |text: &str| document::decode_text(text, DateTime::MIN).unwrap();
        assert_eq!(found, expected.iter().map(|(line, text)| (*line, of(text))).collect::<Vec<_>>(), "{text}");
    }

    fn refused(text: &str, expected: &str) {
        let mistake = read(text, &mut |_, _| Ok(())).unwrap_err();
        assert!(mistake.to_string().starts_with(expected), "{mistake}");
    }
}
