//! Files of security rules, looked at without a cloud: what `emulator rules check` and `emulator rules test` say.

use crate::access::{self, Kind, Problem, RuleBook, Severity};
use crate::clock::Clock;

/// What the rules in a file are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesOf {
    /// Everything that a `rules.json` names.
    Environment,
    /// One collection, as the cloud's console has them.
    Collection,
    /// The files.
    Files,
    /// The functions.
    Functions,
}

/// What is to be said of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedRules {
    /// `line:column: what is wrong`, in the order they stand.
    pub problems: Vec<String>,
    /// Whether the rules can be set all the same.
    pub usable: bool,
}

/// What came of a file of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedRules {
    /// The cases that failed, the conditions that no case tried, the sums.
    pub lines: Vec<String>,
    /// Whether every case went as expected.
    pub passed: bool,
}

/// Reads `text` as rules.
pub fn check_rules(text: &str, of: RulesOf) -> CheckedRules {
    let problems = match of {
        RulesOf::Environment => access::check_book(text),
        RulesOf::Collection => access::check(Kind::Collection, text),
        RulesOf::Files => access::check(Kind::Files, text),
        RulesOf::Functions => access::check(Kind::Functions, text),
    };
    CheckedRules {
        usable: problems.iter().all(|problem| problem.severity == Severity::Warning),
        problems: problems.iter().map(Problem::to_string).collect(),
    }
}

/// Runs the cases of `cases`, a `rules.test.json`, on its own rules or else on those of `rules`, a `rules.json`. Fails where
/// either is not what it should be.
pub fn test_rules(rules: Option<&str>, cases: &str) -> Result<TestedRules, String> {
    let book = rules.map(RuleBook::parse).transpose().map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
        format!("the rules cannot be used: {}", problems.join("; "))
    })?;
    let report = access::run(cases, &book.unwrap_or_default(), Clock::default().now())?;
    Ok(TestedRules { lines: report.lines(), passed: report.passed() == report.cases.len() })
}
