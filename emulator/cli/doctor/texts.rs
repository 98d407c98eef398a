//! The words of the findings, in the language chosen: a message of `locales/doctor.*.ftl` for each id, with the cause and the cure
//! as its attributes.

use super::finding::Finding;
use crate::language::{self, Language};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::sync::LazyLock;

/// Read at the first text.
static TEXTS: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle(Language::chosen()));

/// A finding in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) what: String,
    /// A finding that is well needs none.
    pub(super) cause: Option<String>,
    pub(super) cure: Option<String>,
}

impl Words {
    pub(super) fn of(finding: &Finding) -> Words {
        words(&TEXTS, finding)
    }
}

/// The text `id` with `values` in their places.
pub(super) fn text(id: &str, values: &[(&'static str, String)]) -> String {
    find(&TEXTS, id, None, values).unwrap_or_else(|| id.to_owned())
}

fn words(texts: &FluentBundle<FluentResource>, finding: &Finding) -> Words {
    let id = finding.id.replace('.', "-");
    let part = |attribute| find(texts, &id, attribute, &finding.values);
    Words { what: part(None).unwrap_or_else(|| id.clone()), cause: part(Some("cause")), cure: part(Some("cure")) }
}

fn find(
    texts: &FluentBundle<FluentResource>,
    id: &str,
    attribute: Option<&str>,
    values: &[(&'static str, String)],
) -> Option<String> {
    let message = texts.get_message(id)?;
    let pattern = match attribute {
        None => message.value()?,
        Some(name) => message.get_attribute(name)?.value(),
    };
    let arguments: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Some(texts.format_pattern(pattern, Some(&arguments), &mut Vec::new()).into_owned())
}

fn bundle(language: Language) -> FluentBundle<FluentResource> {
    match language {
        Language::English => language::bundle("en", include_str!("../locales/doctor.en.ftl")),
        Language::Chinese => language::bundle("zh", include_str!("../locales/doctor.zh.ftl")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The names of the values of each part of a message: what it says, `cause`, `cure`.
    type Parts = BTreeMap<String, BTreeSet<String>>;

    #[test]
    fn both_languages_say_the_same_of_the_same_values() {
        assert_eq!(messages("doctor.en.ftl"), messages("doctor.zh.ftl"));
    }

    #[test]
    fn every_finding_has_its_words_and_every_fault_its_cure() {
        let messages = messages("doctor.en.ftl");
        let asked = asked_for();
        assert!(asked.len() > 40, "{asked:?}");
        for (severity, id) in &asked {
            let parts = messages.get(&id.replace('.', "-")).unwrap_or_else(|| panic!("{id} has no words"));
            let is_whole = ["cause", "cure"].iter().all(|part| parts.contains_key(*part));
            assert!(severity == "ok" || is_whole, "{id} has no cause or no cure");
            let family = format!("family-{}", id.split('.').next().unwrap());
            assert!(messages.contains_key(&family), "{family}");
        }
        let asked: BTreeSet<String> = asked.iter().map(|(_, id)| id.replace('.', "-")).collect();
        let is_other =
            |id: &&String| ["family-", "install-", "label-", "summary"].iter().any(|start| id.starts_with(start));
        let unused: Vec<&String> = messages.keys().filter(|id| !is_other(id) && !asked.contains(*id)).collect();
        assert_eq!(unused, Vec::<&String>::new());
    }

    #[test]
    fn values_stand_in_the_words_without_marks_around_them() {
        let finding = Finding::fault("engine.fails").with("error", "no such file");
        for (language, start) in [(Language::English, "the engine"), (Language::Chinese, "函数引擎")] {
            let words = words(&bundle(language), &finding);
            assert!(words.what.starts_with(start) && words.what.ends_with(": no such file"), "{words:?}");
        }
    }

    /// The messages of a file; asserts that every line of it is understood.
    fn messages(file: &str) -> BTreeMap<String, Parts> {
        let source = std::fs::read_to_string(folder().join("locales").join(file)).unwrap();
        FluentResource::try_new(source.clone()).map_err(|(_, errors)| errors).unwrap();
        let mut messages: BTreeMap<String, Parts> = BTreeMap::new();
        let (mut id, mut part) = (String::new(), String::new());
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =") {
                match name.trim().strip_prefix('.') {
                    Some(attribute) => part = attribute.to_owned(),
                    None => (id, part) = (name.to_owned(), String::new()),
                }
            }
            let values = messages.entry(id.clone()).or_default().entry(part.clone()).or_default();
            for value in
                line.split('$').skip(1).filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()))
            {
                values.insert(value.split(|other: char| !other.is_ascii_alphanumeric()).next().unwrap().to_owned());
            }
        }
        messages.remove("");
        messages
    }

    /// Severities and ids of the findings that the sources make.
    fn asked_for() -> BTreeSet<(String, String)> {
        let mut asked = BTreeSet::new();
        for entry in std::fs::read_dir(folder().join("doctor")).unwrap() {
            let path = entry.unwrap().path();
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            for severity in ["ok", "warning", "fault", "new"] {
                let mark = format!("Finding::{severity}(\"");
                asked.extend(
                    source
                        .split(&mark)
                        .skip(1)
                        .map(|rest| (severity.to_owned(), rest.split('"').next().unwrap().to_owned())),
                );
            }
        }
        asked
    }

    fn folder() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("emulator/cli")
    }
}
