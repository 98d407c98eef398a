//! `rules check`: what is wrong with rules, and what in them is hardly meant.

use super::rule::Rule;
use super::text::{Place, Problem, Severity};
use super::{CollectionRules, FileRules, FunctionRules};

/// What rules are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Collection,
    Files,
    Functions,
}

/// The problems of a rules document, in the order they stand. Without an error among them, the rules can be taken.
pub(crate) fn check(kind: Kind, text: &str) -> Vec<Problem> {
    let mut problems = match kind {
        Kind::Collection => CollectionRules::parse(text).map(|rules| warnings(&rules.all())),
        Kind::Files => FileRules::parse(text).map(|FileRules { read, write }| warnings(&[&read, &write])),
        Kind::Functions => FunctionRules::parse(text).map(|rules| function_warnings(&rules)),
    }
    .unwrap_or_else(|errors| errors);
    problems.sort_by_key(|problem| (problem.place, problem.severity == Severity::Warning));
    problems.dedup();
    problems
}

fn warnings(rules: &[&Rule]) -> Vec<Problem> {
    rules.iter().flat_map(|rule| plain_templates(rule)).collect()
}

fn plain_templates(rule: &Rule) -> Vec<Problem> {
    let warn = |place: Place| {
        Problem::warning(place, "`${` stands in a plain text, where it means nothing: write the text in backquotes")
    };
    rule.plain_templates().into_iter().map(warn).collect()
}

fn function_warnings(rules: &FunctionRules) -> Vec<Problem> {
    let all = rules.rules.values().chain([&rules.others]);
    let beyond = all.flat_map(|rule| rule.conditions()).filter(|(_, condition)| {
        let condition: String = condition.chars().filter(|character| !character.is_whitespace()).collect();
        !matches!(condition.as_str(), "true" | "false" | "auth!=null" | "auth!==null")
    });
    let warn = |(place, condition): (Place, String)| {
        let message =
            format!("the cloud promises only true, false and `auth != null` for functions, not `{condition}`");
        Problem::warning(place, message)
    };
    beyond.map(warn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rules_have_no_problems() {
        expect(Kind::Collection, r#"{"read": true, "write": "doc._openid == auth.openid"}"#, &[]);
        expect(Kind::Collection, "{ // who reads\n  \"read\": \"true\", /* all */\n  \"write\": false,\n}", &[]);
        expect(Kind::Collection, "{}", &[]);
        expect(Kind::Files, r#"{"read": "resource.openid != null", "write": "auth != null"}"#, &[]);
        expect(Kind::Functions, r#"{"*": {"invoke": "auth != null"}, "f": {"invoke": false}}"#, &[]);
    }

    #[test]
    fn places() {
        expect(Kind::Collection, "{\n  \"read\": \"doc.a = 1\"\n}", &["2:18: compare with `==`: rules set nothing"]);
        expect(Kind::Collection, "{\"read\": 1}", &["1:10: a rule is true, false or an expression in quotes"]);
        expect(
            Kind::Collection,
            "{\"list\": true}",
            &["1:2: `list` is no operation: there are `create`, `delete`, `read`, `update`, `write`"],
        );
        expect(Kind::Collection, "{\"read\": true, \"read\": false}", &["1:16: `read` stands here twice"]);
        expect(Kind::Collection, "[]", &["1:1: the rules must be a JSON object, as in {\"read\": true}"]);
        expect(Kind::Collection, "", &["1:1: the rules must be a JSON object, as in {\"read\": true}"]);
        expect(
            Kind::Collection,
            "{\"read\": \"doc.a ==\",\n \"write\": \"doc.b > 1 -\"}",
            &["1:19: a value is missing here", "2:22: the rule language has no `-`: rules do not reckon"],
        );
        expect(
            Kind::Collection,
            r#"{"read": "\n\u4e2d", "write": "x"}"#,
            &[
                "1:13: there is no `中` here: there are `auth`, `doc`, `get`, `now`",
                "1:32: there is no `x` here: there are `auth`, `doc`, `get`, `now`, `request`",
            ],
        );
    }

    #[test]
    fn things_the_language_has_not() {
        for (expression, message) in [
            ("doc.a ? 1 : 2", "no `? :`"),
            ("doc.tags.includes('x')", "no functions but get()"),
            ("doc.a * 2 > 1", "no `*`"),
            ("now - doc.time > 5", "no `-`"),
            ("doc.a / 2", "no closing /"),
            ("id == 1", "there is no `id` here"),
            ("request.data.a == 1", "there is no `request` here"),
            ("get(`database.user.${id}`).isManager", "there is no `id` here"),
            ("doc.a == {}", "no objects"),
            ("doc.a == 'x", "no closing '"),
            ("doc.a == `x${1`", "no closing `"),
            ("doc.a == `x${1", "no closing }"),
            ("(doc.a == 1", "`)` is missing"),
            ("doc.a in [1 2]", "`,` is missing"),
            ("doc.a == 1 doc.b == 2", "`doc` is not expected"),
            ("doc.a == 12ab", "`12ab` is no number"),
            ("/(/.test(doc.a)", "Regular expression is invalid"),
            ("/a/.exec(doc.a)", "asked by .test(value)"),
            ("doc.a & doc.b", "write `&&`"),
            ("resource.openid == auth.openid", "there is no `resource` here"),
            (
                "get('database.a.1').x == get('database.a.2').x && get('database.a.3').x == get('database.a.4').x",
                "call get() 3 times",
            ),
            ("get(get(get('database.a.1').x).y).z", "nested 2 deep"),
            ("", "a value is missing here"),
        ] {
            let rules = format!("{{\"read\": {}}}", serde_json::Value::from(expression));
            let problems = check(Kind::Collection, &rules);
            assert_eq!(problems.len(), 1, "{expression}: {problems:?}");
            assert!(problems.iter().all(|problem| problem.message.contains(message)), "{expression}: {problems:?}");
        }
    }

    #[test]
    fn limits() {
        let rules = |expression: String| format!("{{\"read\": {}}}", serde_json::Value::from(expression));
        expect(Kind::Collection, &rules("中".repeat(1_025)), &["1:11: the expression has more than 1024 characters"]);
        assert_eq!(check(Kind::Collection, &rules(format!("doc.a == '{}'", "中".repeat(1_013)))), []);
        for deep in ["!".repeat(1_000), "(".repeat(1_000), "[".repeat(1_000), "`${".repeat(300), "get(".repeat(250)] {
            assert!(!check(Kind::Collection, &rules(deep)).is_empty());
        }
        assert_eq!(check(Kind::Collection, &rules(format!("doc{} == 1", ".a".repeat(500)))), []);
        assert_eq!(check(Kind::Collection, &rules(["doc.a"; 120].join("&&"))), []);
    }

    #[test]
    fn warnings_of_what_is_hardly_meant() {
        expect(
            Kind::Collection,
            r#"{"read": "auth.openid in get('database.admins.${auth.openid}').ids"}"#,
            &["1:30: warning: `${` stands in a plain text, where it means nothing: write the text in backquotes"],
        );
        expect(
            Kind::Functions,
            r#"{"*": {"invoke": "auth.openid == 'x'"}}"#,
            &[
                "1:19: warning: the cloud promises only true, false and `auth != null` for functions, not `auth.openid == 'x'`",
            ],
        );
    }

    fn expect(kind: Kind, text: &str, expected: &[&str]) {
        let found: Vec<String> = check(kind, text).iter().map(Problem::to_string).collect();
        assert_eq!(found, expected, "{text}");
    }
}
