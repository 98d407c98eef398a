//! What the figures come to: a line for each goal, met or missed.

use crate::documents::Operation;
use crate::measure::Outcome;
use crate::{CLIENTS, Rewriting, Round};

/// How much a log file may vary in size from one moment to another.
const DISK_SLACK: f64 = 1.5;

pub(crate) fn print(rounds: &[Round], rewriting: &Rewriting) {
    println!("\nGoals");
    for (operation, clients, goal) in [
        (Operation::Get, CLIENTS[1], 3.0),
        (Operation::Equality, CLIENTS[1], 3.0),
        (Operation::Range, CLIENTS[1], 3.0),
        (Operation::Insert, CLIENTS[0], 1.0),
        (Operation::Insert, CLIENTS[1], 5.0),
    ] {
        beside_pocketbase(rounds, operation, clients, goal);
    }
    for operation in [Operation::Get, Operation::Equality, Operation::Range, Operation::Insert] {
        growth(rounds, operation);
    }
    scanned(rounds);
    collected(rewriting);
}

/// The worst of all sizes counts.
fn beside_pocketbase(rounds: &[Round], operation: Operation, clients: usize, goal: f64) {
    let ratios: Vec<f64> = rounds.iter().filter_map(|round| round.row(operation, clients).ratio()).collect();
    let all: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let worst = ratios.into_iter().fold(f64::INFINITY, f64::min);
    let name = operation.name();
    verdict(worst >= goal, &format!("{name}, {clients} clients: {} times PocketBase (goal {goal})", all.join(", ")));
}

/// A request may take as much longer as the logarithm of the size grew.
fn growth(rounds: &[Round], operation: Operation) {
    let (Some(first), Some(last)) = (rounds.first(), rounds.last()) else { return };
    if first.size == last.size {
        return;
    }
    let time = |round: &Round| 1.0 / round.row(operation, CLIENTS[0]).emulator.per_second;
    let grew = time(last) / time(first);
    let goal = (last.size as f64).ln() / (first.size as f64).ln();
    let (name, from, to) = (operation.name(), first.size, last.size);
    verdict(
        grew <= goal,
        &format!("{name}, 1 client: takes {grew:.2} times as long at {to} as at {from} documents (goal {goal:.2})"),
    );
}

fn scanned(rounds: &[Round]) {
    let scanned = |round: &Round, clients| documents_scanned(round.size, &round.row(Operation::Scan, clients).emulator);
    for clients in CLIENTS {
        let all: Vec<f64> = rounds.iter().map(|round| scanned(round, clients)).collect();
        let texts: Vec<String> = all.iter().map(|millions| format!("{millions:.2}")).collect();
        let worst = all.into_iter().fold(f64::INFINITY, f64::min);
        verdict(
            worst >= 1.0,
            &format!("unindexed scan, {clients} clients: {} million documents a second (goal 1)", texts.join(", ")),
        );
    }
}

/// In millions a second.
fn documents_scanned(size: u64, outcome: &Outcome) -> f64 {
    outcome.per_second * size as f64 / 1e6
}

/// The files hold no more after all rewrites than after half of them.
fn collected(rewriting: &Rewriting) {
    let (half, rest) = (rewriting.half.disk_bytes as f64 / 1e6, rewriting.rest.disk_bytes as f64 / 1e6);
    let count = rewriting.count;
    verdict(
        rest <= half * DISK_SLACK,
        &format!("{count} rewrites: {half:.1} MB on disk after half of them, {rest:.1} MB at last (goal: bounded)"),
    );
}

fn verdict(is_met: bool, what: &str) {
    println!("{} {what}", if is_met { "met   " } else { "MISSED" });
}
