//! How findings are shown: aligned, with their symbols, for people; as JSON, for programs.

use super::finding::{Finding, Severity};
use super::texts::{self, Words};
use crate::output::say;
use serde_json::{Value, json};
use std::io::IsTerminal;

/// Puts the terminal back to its own colour.
const PLAIN: &str = "\u{1b}[0m";

/// For people.
pub(super) fn text(findings: &[Finding]) {
    let is_coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    say(lines(findings, is_coloured).join("\n"));
}

/// For programs.
pub(super) fn json(findings: &[Finding]) {
    let findings: Vec<Value> = findings.iter().map(to_json).collect();
    say(format_args!("{:#}", json!({ "findings": findings })));
}

fn to_json(finding: &Finding) -> Value {
    let Words { what, cause, cure } = Words::of(finding);
    json!({ "id": finding.id, "severity": finding.severity.name(), "what": what, "cause": cause, "cure": cure })
}

fn lines(findings: &[Finding], is_coloured: bool) -> Vec<String> {
    let label = |finding: &Finding| texts::text(&format!("family-{}", finding.family()), &[]);
    let wide = findings.iter().map(|finding| columns(&label(finding))).max().unwrap_or_default();
    let mut lines: Vec<String> =
        findings.iter().flat_map(|finding| lines_of(finding, &padded(&label(finding), wide), is_coloured)).collect();
    lines.extend([String::new(), summary(findings)]);
    lines
}

/// The finding's line, and under it why and what to do.
fn lines_of(finding: &Finding, label: &str, is_coloured: bool) -> Vec<String> {
    let Words { what, cause, cure } = Words::of(finding);
    let indent = " ".repeat(columns(label) + 4);
    let mut lines = vec![format!("{} {label}  {}", symbol(finding.severity, is_coloured), hanging(&what, &indent))];
    for (id, part) in [("label-cause", cause), ("label-cure", cure)] {
        let Some(part) = part else { continue };
        let name = texts::text(id, &[]);
        let further = format!("{indent}{}", " ".repeat(columns(&name)));
        lines.push(format!("{indent}{name}{}", hanging(&part, &further)));
    }
    lines
}

fn symbol(severity: Severity, is_coloured: bool) -> String {
    let (symbol, colour) = match severity {
        Severity::Ok => ("✓", "\u{1b}[32m"),
        Severity::Warning => ("!", "\u{1b}[33m"),
        Severity::Fault => ("✗", "\u{1b}[31m"),
    };
    if is_coloured { format!("{colour}{symbol}{PLAIN}") } else { symbol.to_owned() }
}

/// `text` with its further lines under its first.
fn hanging(text: &str, indent: &str) -> String {
    text.lines().collect::<Vec<_>>().join(&format!("\n{indent}"))
}

fn summary(findings: &[Finding]) -> String {
    let number = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (faults, warnings) = (number(Severity::Fault), number(Severity::Warning));
    let values = [("faults", faults.to_string()), ("warnings", warnings.to_string())];
    let id = if faults + warnings == 0 { "summary-well" } else { "summary" };
    texts::text(id, &values)
}

fn padded(label: &str, wide: usize) -> String {
    format!("{label}{}", " ".repeat(wide.saturating_sub(columns(label))))
}

/// The columns that one of our own labels takes: two for a Chinese character.
fn columns(label: &str) -> usize {
    label.chars().map(|character| if character.is_ascii() { 1 } else { 2 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_aligned_by_columns() {
        assert_eq!(columns("端口"), 4);
        assert_eq!(padded("端口", 6), "端口  ");
        assert_eq!(padded("ports", 6), "ports ");
    }

    #[test]
    fn lines_hang_under_their_first() {
        assert_eq!(hanging("a\nb", "  "), "a\n  b");
        assert_eq!(symbol(Severity::Ok, false), "✓");
        assert_eq!(symbol(Severity::Fault, true), "\u{1b}[31m✗\u{1b}[0m");
    }
}
