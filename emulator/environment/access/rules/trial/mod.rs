//! `rules test`: cases of who may do what, asked of rules, and which of the rules' conditions they tried.
//!
//! A file `rules.test.json` is one object:
//! ```json
//! {
//!   "rules": {"collections": {"todos": {"read": "doc._openid == auth.openid"}}, "files": {}, "functions": {}},
//!   "documents": {"room": [{"_id": "r1", "members": ["alice"]}]},
//!   "cases": [
//!     {"name": "one's own", "collection": "todos", "operation": "read", "auth": {"openid": "alice"},
//!      "query": {"_openid": "{openid}"}, "expect": "allow"},
//!     {"name": "everything", "collection": "todos", "operation": "read", "auth": {"openid": "alice"},
//!      "query": {}, "expect": "deny", "add": {"_openid": "{openid}"}, "because": "does not follow"}
//!   ]
//! }
//! ```
//! Here `rules` stand in place of the environment's own; `documents` are what `get()` finds. A case names a
//! `collection` with a `query` or a `document`, a `file`, or a `function`; `auth` is absent for whoever has not signed
//! in; `data` is
//! `request.data`, `now` the time in milliseconds. Of a refusal may be said `add` (what it says `where` must say, null for
//! nothing), `pin` (the fields it wants a value of) and `because` (a part of its text).

mod case;

use std::collections::BTreeMap;

use document::DateTime;

use super::{CollectionRules, FileRules, FunctionRules, Place, Problem};
use case::{File, Rules, Shelf};

/// All the rules of an environment. What is not in it has none.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleBook {
    pub(crate) collections: BTreeMap<String, CollectionRules>,
    pub(crate) files: Option<FileRules>,
    pub(crate) functions: Option<FunctionRules>,
}

/// What came of a file of cases.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// Each case's name, and what is wrong with it, where something is.
    pub(crate) cases: Vec<(String, Option<String>)>,
    pub(crate) coverage: Vec<Coverage>,
}

/// How often a condition was true and false. Where the query of a case does not imply it, it was false.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Coverage {
    /// `collection todos, read`.
    pub(crate) rule: String,
    pub(crate) place: Place,
    pub(crate) condition: String,
    pub(crate) held: usize,
    pub(crate) failed: usize,
}

/// Runs the cases of `text`, a `rules.test.json`, on its own rules or else on those of `book`. Fails where the text is
/// no such file, or its rules are none.
pub(crate) fn run(text: &str, book: &RuleBook, now: DateTime) -> Result<Report, String> {
    let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let own = file.rules.map(RuleBook::read).transpose()?;
    let book = own.as_ref().unwrap_or(book);
    let shelf = Shelf::read(&file.documents, now)?;
    let mut report = Report { cases: Vec::new(), coverage: book.coverage() };
    for case in &file.cases {
        let wrong = case.run(book, &shelf, now, &mut report.coverage).err();
        report.cases.push((case.name.clone(), wrong));
    }
    Ok(report)
}

impl Report {
    /// How many cases went as expected.
    pub(crate) fn passed(&self) -> usize {
        self.cases.iter().filter(|(_, wrong)| wrong.is_none()).count()
    }

    /// The report as it is printed: what failed, what no case tried, the sum.
    pub(crate) fn lines(&self) -> Vec<String> {
        let failed = self.cases.iter().filter_map(|(name, wrong)| Some(format!("failed: {name}: {}", wrong.as_ref()?)));
        let untried = self.coverage.iter().filter_map(Coverage::gap);
        let sum = format!("{} of {} cases passed", self.passed(), self.cases.len());
        let tried = self.coverage.iter().filter(|coverage| coverage.gap().is_none()).count();
        let covered = format!("{tried} of {} conditions were both true and false", self.coverage.len());
        failed.chain(untried).chain([sum, covered]).collect()
    }
}

impl Coverage {
    fn gap(&self) -> Option<String> {
        let missing = match (self.held, self.failed) {
            (0, 0) => "tried",
            (0, _) => "true",
            (_, 0) => "false",
            _ => return None,
        };
        let Coverage { rule, place, condition, .. } = self;
        Some(format!("never {missing}: {rule}, {place}: {condition}"))
    }
}

impl RuleBook {
    fn read(rules: Rules) -> Result<RuleBook, String> {
        let named = |what: &str, problems: Vec<Problem>| {
            let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
            format!("the rules of {what}: {}", problems.join("; "))
        };
        let mut collections = BTreeMap::new();
        for (name, rules) in rules.collections {
            let rules = CollectionRules::parse(&rules.to_string()).map_err(|problems| named(&name, problems))?;
            collections.insert(name, rules);
        }
        let files = rules.files.map(|rules| FileRules::parse(&rules.to_string()));
        let functions = rules.functions.map(|rules| FunctionRules::parse(&rules.to_string()));
        Ok(RuleBook {
            collections,
            files: files.transpose().map_err(|problems| named("files", problems))?,
            functions: functions.transpose().map_err(|problems| named("functions", problems))?,
        })
    }

    /// Every condition of every rule, untried.
    fn coverage(&self) -> Vec<Coverage> {
        let collections = self
            .collections
            .iter()
            .flat_map(|(name, rules)| rules.all().map(|rule| (format!("collection {name}, {}", rule.operation), rule)));
        let files = self
            .files
            .iter()
            .flat_map(|files| [&files.read, &files.write].map(|rule| (format!("files, {}", rule.operation), rule)));
        let functions = self.functions.iter().flat_map(|functions| {
            let others = [("*", &functions.others)];
            let named = functions.rules.iter().map(|(name, rule)| (name.as_str(), rule));
            others.into_iter().chain(named).map(|(name, rule)| (format!("function {name}, invoke"), rule))
        });
        let mut all: Vec<Coverage> = Vec::new();
        for (label, rule) in collections.chain(files).chain(functions) {
            let known = all.iter().any(|coverage| coverage.rule == label);
            if !known && !rule.is_constant() {
                all.extend(rule.conditions().into_iter().map(|(place, condition)| Coverage {
                    rule: label.clone(),
                    place,
                    condition,
                    held: 0,
                    failed: 0,
                }));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TEXT: &str = r#"{
        "rules": {"collections": {"todos": {"read": "doc._openid == auth.openid || doc.public", "write": false}}},
        "cases": [
            {"name": "own", "collection": "todos", "operation": "read", "auth": {"openid": "a"}, "query": {"_openid": "{openid}"}, "expect": "allow"},
            {"name": "all", "collection": "todos", "operation": "read", "auth": {"openid": "a"}, "query": {}, "expect": "deny", "add": {"_openid": "{openid}"}},
            {"name": "wrong", "collection": "todos", "operation": "update", "query": {}, "expect": "allow"}
        ]
    }"#;

    #[test]
    fn a_report() {
        let report = run(TEXT, &RuleBook::default(), DateTime::from_millis(0)).unwrap();
        let lines = report.lines();
        assert_eq!(report.passed(), 2);
        assert!(
            lines[0].starts_with("failed: wrong: denied, and should have been allowed: the rule `write` refuses"),
            "{lines:?}"
        );
        assert_eq!(
            lines[1..],
            [
                "never true: collection todos, read, 1:40: doc.public",
                "2 of 3 cases passed",
                "1 of 2 conditions were both true and false"
            ]
        );
    }

    #[test]
    fn files_that_are_none() {
        let fails = |text: &str| run(text, &RuleBook::default(), DateTime::from_millis(0)).unwrap_err();
        assert!(fails("{").contains("EOF"));
        assert!(
            fails(r#"{"rules": {"collections": {"a": {"read": "x"}}}, "cases": []}"#)
                .contains("the rules of a: 1:10: there is no `x`")
        );
        let report = run(
            r#"{"cases": [{"name": "n", "collection": "c", "operation": "read", "query": {}, "expect": "deny"}]}"#,
            &RuleBook::default(),
            DateTime::from_millis(0),
        )
        .unwrap();
        assert_eq!(report.lines()[0], "failed: n: there are no rules for the collection c");
    }
}
