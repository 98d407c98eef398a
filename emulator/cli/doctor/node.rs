//! Node and npm: functions run without them, but `npm install` and most tests do not.

use super::finding::Finding;
use crate::program;
use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// The oldest Node that the official SDKs of today name.
const MAJOR_MIN: u32 = 18;
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks for both.
pub(super) async fn check() -> Vec<Finding> {
    let (node, npm) = tokio::join!(version("node"), version("npm"));
    judge(node.as_deref(), npm.as_deref())
}

fn judge(node: Option<&str>, npm: Option<&str>) -> Vec<Finding> {
    let Some(node) = node else { return vec![Finding::warning("node.missing").with("minimum", MAJOR_MIN)] };
    let mut findings = Vec::new();
    if major(node).is_some_and(|major| major < MAJOR_MIN) {
        findings.push(Finding::warning("node.old").with("version", node).with("minimum", MAJOR_MIN));
    }
    match npm {
        None => findings.push(Finding::warning("node.npm-missing")),
        Some(npm) if findings.is_empty() => {
            findings.push(Finding::ok("node.there").with("version", node).with("npm", npm));
        }
        Some(_) => {}
    }
    findings
}

/// What `name --version` prints; `None` where there is no such program, or one that does not run.
async fn version(name: &str) -> Option<String> {
    let mut command = Command::new(program::find(OsStr::new(name)));
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_node_or_none_warns() {
        check(Some("v20.11.1"), Some("10.2.4"), &["node.there"]);
        check(Some("v18.0.0"), Some("9"), &["node.there"]);
        check(Some("v16.20.2"), Some("8.19.4"), &["node.old"]);
        check(Some("v16.20.2"), None, &["node.old", "node.npm-missing"]);
        check(Some("v20.11.1"), None, &["node.npm-missing"]);
        check(None, None, &["node.missing"]);
    }

    fn check(node: Option<&str>, npm: Option<&str>, expected: &[&str]) {
        let ids: Vec<&str> = judge(node, npm).iter().map(|finding| finding.id).collect();
        assert_eq!(ids, expected, "{node:?} {npm:?}");
    }
}
