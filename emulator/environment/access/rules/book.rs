//! All the rules of an environment in one document, the `rules.json` of fixtures:
//! `{"collections": {"todos": {"read": …}}, "files": {…}, "functions": {…}}`.

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use serde_json::Value as Json;

use super::check::{Kind, check};
use super::text::{Problem, Severity, Source};
use super::trial::RuleBook;
use super::{CollectionRules, FileRules, FunctionRules};

/// What rules are set for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Collection(String),
    Files,
    Functions,
}

impl Target {
    fn kind(&self) -> Kind {
        match self {
            Target::Collection(_) => Kind::Collection,
            Target::Files => Kind::Files,
            Target::Functions => Kind::Functions,
        }
    }
}

/// The rules that stand in `text`, each as a text of its own in which they have the lines and columns that they have
/// in `text`. What is in them is not looked at.
pub(crate) fn split(text: &str) -> Result<Vec<(Target, String)>, Vec<Problem>> {
    let source = Source::new(text);
    let object = source.object().map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let mut rules = Vec::new();
    for (key, member) in source.members(&object, &mut problems) {
        match (key, &member.value) {
            ("collections", Value::Object(collections)) => {
                let members = source.members(collections, &mut problems);
                let collections =
                    members.into_iter().map(|(name, member)| (Target::Collection(name.to_owned()), member));
                rules.extend(collections.map(|(target, member)| (target, source.kept_in_place(member))));
            }
            ("collections", _) => problems.push(source.problem(member, "the collections' rules are an object by name")),
            ("files", _) => rules.push((Target::Files, source.kept_in_place(member))),
            ("functions", _) => rules.push((Target::Functions, source.kept_in_place(member))),
            (other, _) => {
                let message = format!("`{other}` has no rules: there are `collections`, `files`, `functions`");
                problems.push(Problem::error(source.place(member.start()), message));
            }
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

/// The document of which [`split`] makes `rules`.
pub(crate) fn join(rules: &[(Target, &str)]) -> String {
    let line = |indent: &str, name: &str, text: &str| format!("{indent}{}: {}", Json::from(name), text.trim());
    let mut collections = Vec::new();
    let mut members = Vec::new();
    for (target, text) in rules {
        match target {
            Target::Collection(name) => collections.push(line("    ", name, text)),
            Target::Files => members.push(line("  ", "files", text)),
            Target::Functions => members.push(line("  ", "functions", text)),
        }
    }
    if !collections.is_empty() {
        members.insert(0, format!("  \"collections\": {{\n{}\n  }}", collections.join(",\n")));
    }
    if members.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n}}", members.join(",\n")) }
}

/// The problems of such a document, in the order they stand.
pub(crate) fn check_book(text: &str) -> Vec<Problem> {
    let mut problems = match split(text) {
        Ok(rules) => rules.iter().flat_map(|(target, text)| check(target.kind(), text)).collect(),
        Err(problems) => problems,
    };
    problems.sort_by_key(|problem: &Problem| (problem.place, problem.severity == Severity::Warning));
    problems
}

impl RuleBook {
    /// Reads such a document. Every mistake in it comes back with its place.
    pub(crate) fn parse(text: &str) -> Result<RuleBook, Vec<Problem>> {
        let mut book = RuleBook::default();
        for (target, text) in split(text)? {
            match target {
                Target::Collection(name) => drop(book.collections.insert(name, CollectionRules::parse(&text)?)),
                Target::Files => book.files = Some(FileRules::parse(&text)?),
                Target::Functions => book.functions = Some(FunctionRules::parse(&text)?),
            }
        }
        Ok(book)
    }
}

impl Source<'_> {
    fn problem(self, member: &ObjectProp<'_>, message: &str) -> Problem {
        Problem::error(self.place(member.value.start()), message)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rules_keep_their_places() {
        let text = "{\"collections\": {\n  \"a\": {\"read\": true}, \"b\": {\"read\":\n    \"doc.x = 1\"}},\n \"files\": {\"red\": 1}}";
        let rules = split(text).unwrap();
        let targets: Vec<Target> = rules.iter().map(|(target, _)| target.clone()).collect();
        assert_eq!(targets, [Target::Collection("a".into()), Target::Collection("b".into()), Target::Files]);
        assert_eq!(rules[0].1.trim(), "{\"read\": true}");
        let problems: Vec<String> = check_book(text).iter().map(Problem::to_string).collect();
        assert_eq!(
            problems,
            ["3:12: compare with `==`: rules set nothing", "4:12: `red` is no operation: there are `read`, `write`"]
        );
        assert!(RuleBook::parse(text).is_err());
    }

    #[test]
    fn what_is_split_is_joined() {
        let rules = [
            (Target::Collection("a \"b\"".into()), "{\"read\": true}"),
            (Target::Collection("c".into()), "\n  {} "),
            (Target::Functions, "{ /* none */ }"),
        ];
        let text = join(&rules);
        let again = split(&text).unwrap();
        let trimmed = |rules: &[(Target, &str)]| {
            rules.iter().map(|(target, text)| (target.clone(), text.trim().to_owned())).collect::<Vec<_>>()
        };
        let again: Vec<(Target, &str)> = again.iter().map(|(target, text)| (target.clone(), text.as_str())).collect();
        assert_eq!(trimmed(&again), trimmed(&rules));
        assert_eq!(join(&[]), "{}");
    }

    #[test]
    fn what_is_no_book() {
        for (text, expected) in [
            ("{\"rules\": {}}", "1:2: `rules` has no rules"),
            ("{\"collections\": []}", "1:17: the collections' rules"),
            ("[]", "1:1: the rules must be a JSON object"),
        ] {
            let problems = check_book(text);
            assert!(problems.iter().any(|problem| problem.to_string().starts_with(expected)), "{problems:?}");
        }
        assert!(check_book("{}").is_empty());
        assert!(RuleBook::parse("{}").is_ok());
    }
}
