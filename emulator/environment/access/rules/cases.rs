//! Cases as data: every page of `tests/cases/rules` is a `rules.test.json`, whose cases say besides how far they can be
//! trusted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use document::DateTime;
use serde_json::Value;

use super::trial::{Report, RuleBook, run};

/// How many cases there are at least.
const CASES_MIN: usize = 150;

#[test]
fn every_case_is_as_expected() {
    let mut failures = Vec::new();
    let mut count = 0;
    for (name, text) in pages() {
        let report = report(&name, &text);
        count += report.cases.len();
        let wrong = report.cases.into_iter().filter_map(|(case, wrong)| Some(format!("{name}: {case}: {}", wrong?)));
        failures.extend(wrong);
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= CASES_MIN, "{count}");
}

#[test]
fn every_case_has_a_name_and_a_source() {
    for (page, text) in pages() {
        let file: Value = serde_json::from_str(&text).unwrap();
        let mut names = BTreeSet::new();
        for case in file["cases"].as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            assert!(names.insert(name), "{page}: {name} stands twice");
            let provenance = case["provenance"].as_str().unwrap_or_default();
            assert!(["documented", "unverified"].contains(&provenance), "{page}: {name}: {provenance}");
            assert!(case["source"].is_string(), "{page}: {name}");
        }
    }
}

#[test]
fn the_documents_examples_are_covered() {
    let (name, text) = pages().into_iter().find(|(name, _)| name == "examples.json").unwrap();
    let gaps: Vec<String> = report(&name, &text).lines().into_iter().filter(|line| line.starts_with("never")).collect();
    assert_eq!(gaps, Vec::<String>::new());
}

fn report(name: &str, text: &str) -> Report {
    run(text, &RuleBook::default(), DateTime::from_millis(1_000_000)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn pages() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/cases/rules");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}
