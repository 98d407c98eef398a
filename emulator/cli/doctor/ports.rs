//! Ports: whether a start finds one, and who holds those that are taken.

use super::commands;
use super::data_folder::Occupant;
use super::finding::{Finding, Severity};
use super::hello::{Hello, hello};
use super::place::Place;
use crate::port::PORTS_DEFAULT;
use std::io::ErrorKind;
use std::net::TcpListener;

/// The process on a port, where this user may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    name: String,
    pid: u32,
}

/// Who is on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Nobody,
    Emulator(Hello, Option<Process>),
    Program(Option<Process>),
    /// The system lets nobody listen here.
    Closed(String),
}

/// Looks at the port that a start insists on, or at all it would try.
pub(super) async fn check(place: &Place, occupant: &Occupant) -> Vec<Finding> {
    // Port 0 lets the system choose.
    if place.port == Some(0) {
        return Vec::new();
    }
    let ports: Vec<u16> = place.port.map_or_else(|| PORTS_DEFAULT.collect(), |port| vec![port]);
    let mut seen = Vec::new();
    for port in ports {
        seen.push((port, look(port).await));
    }
    let appid = place.project.as_ref().ok().map(|project| project.appid.as_str());
    judge(&seen, place.port.is_some(), &|port, hello| occupant.is_on(port) || Some(hello.appid.as_str()) == appid)
}

async fn look(port: u16) -> Seen {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Seen::Nobody,
        Err(error) if error.kind() == ErrorKind::AddrInUse => match hello(port).await {
            Some(hello) => Seen::Emulator(hello, process_on(port)),
            None => Seen::Program(process_on(port)),
        },
        Err(error) => Seen::Closed(error.to_string()),
    }
}

fn process_on(port: u16) -> Option<Process> {
    let process = listeners::get_process_by_port(port, listeners::Protocol::TCP).ok()?;
    Some(Process { name: process.name, pid: process.pid })
}

/// What the ports' holders mean for a start; `is_asked`: it insists on the one that was looked at.
fn judge(seen: &[(u16, Seen)], is_asked: bool, is_own: &dyn Fn(u16, &Hello) -> bool) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        seen.iter().filter_map(|(port, seen)| judge_one(*port, seen, is_asked, is_own)).collect();
    let (Some((first, _)), Some((last, _))) = (seen.first(), seen.last()) else { return findings };
    let is_taken = |(_, seen): &(u16, Seen)| *seen != Seen::Nobody;
    let runs = findings.iter().any(|finding| finding.id == "ports.own");
    if findings.is_empty() {
        findings.push(Finding::ok("ports.free").with("ports", span(*first, *last)));
    } else if seen.iter().all(is_taken) && !is_asked && !runs {
        let all = Finding::fault("ports.all").with("first", first).with("last", last);
        findings.push(all.with("other", last.saturating_add(1)));
    }
    findings
}

fn judge_one(port: u16, seen: &Seen, is_asked: bool, is_own: &dyn Fn(u16, &Hello) -> bool) -> Option<Finding> {
    let severity = if is_asked { Severity::Fault } else { Severity::Warning };
    let finding = match seen {
        Seen::Nobody => return None,
        Seen::Emulator(hello, process) if is_own(port, hello) => of_process(Finding::ok("ports.own"), port, process),
        Seen::Emulator(hello, process) => {
            // Each mini program finds its own emulator, so that several may run side by side.
            let severity = if is_asked { Severity::Fault } else { Severity::Ok };
            of_process(Finding::new("ports.stranger", severity), port, process).with("appid", &hello.appid)
        }
        Seen::Program(process @ Some(_)) => of_process(Finding::new("ports.taken", severity), port, process),
        Seen::Program(None) => of_process(Finding::new("ports.taken-unseen", severity), port, &None),
        Seen::Closed(error) => Finding::new("ports.closed", severity).with("error", error).with("command", reserved()),
    };
    Some(finding.with("port", port).with("next", port.saturating_add(1)))
}

fn of_process(finding: Finding, port: u16, process: &Option<Process>) -> Finding {
    match process {
        Some(Process { name, pid }) => {
            finding.with("process", name).with("pid", pid).with("command", commands::end_process(*pid))
        }
        None => finding.with("process", "?").with("pid", "?").with("command", commands::who_listens(port)),
    }
}

/// Tells which ports the system keeps for itself.
fn reserved() -> &'static str {
    if cfg!(windows) { "netsh interface ipv4 show excludedportrange protocol=tcp" } else { "ip addr show lo" }
}

fn span(first: u16, last: u16) -> String {
    if first == last { first.to_string() } else { format!("{first}–{last}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_taken_port_matters_when_there_is_no_other() {
        let program = || Seen::Program(Some(Process { name: "python3".into(), pid: 12 }));
        let emulator = |appid: &str| {
            Seen::Emulator(serde_json::from_value(serde_json::json!({"emulator": true, "appid": appid})).unwrap(), None)
        };
        check(&[Seen::Nobody, Seen::Nobody], false, &["ok ports.free"]);
        check(&[program(), Seen::Nobody], false, &["warning ports.taken"]);
        check(&[Seen::Program(None), Seen::Nobody], false, &["warning ports.taken-unseen"]);
        check(&[program()], true, &["fault ports.taken"]);
        check(&[program(), program()], false, &["warning ports.taken", "warning ports.taken", "fault ports.all"]);
        check(&[emulator("own"), Seen::Nobody], false, &["ok ports.own"]);
        check(&[program(), emulator("own")], false, &["warning ports.taken", "ok ports.own"]);
        check(&[emulator("other"), Seen::Nobody], false, &["ok ports.stranger"]);
        check(&[emulator("other")], true, &["fault ports.stranger"]);
        check(&[Seen::Closed("denied".into()), Seen::Nobody], false, &["warning ports.closed"]);
    }

    fn check(seen: &[Seen], is_asked: bool, expected: &[&str]) {
        let seen: Vec<(u16, Seen)> = (7357..).zip(seen.iter().cloned()).collect();
        let findings = judge(&seen, is_asked, &|_, hello| hello.appid == "own");
        let found: Vec<String> = findings.iter().map(|one| format!("{} {}", one.severity.name(), one.id)).collect();
        assert_eq!(found, expected);
    }
}
