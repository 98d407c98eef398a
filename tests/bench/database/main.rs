//! What the database does in a second and how long each request takes, at several sizes; beside PocketBase on the same work,
//! on the same machine, in the same run. `scripts/bench database` builds and calls it.
//!
//! Both are asked over plain keep-alive connections, by clients on one thread, with requests whose bytes are made beforehand,
//! so that the client weighs the same. Before anything is measured, both must give the same documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod documents;
mod emulator;
#[path = "../footprint.rs"]
mod footprint;
mod goals;
mod measure;
mod pocketbase;
#[path = "../server.rs"]
mod server;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use documents::{OPERATIONS, Operation, Question, SCAN_MATCHES};
use footprint::Footprint;
use measure::{Outcome, measure};
use server::{Http, Product, Server};

const SIZES: [u64; 3] = [10_000, 100_000, 1_000_000];
const CLIENTS: [usize; 2] = [1, 64];

/// Documents of one request while loading.
const LOAD_AT_ONCE: u64 = 1_000;

/// After this time no more requests are sent.
const ENOUGH: Duration = Duration::from_secs(5);
const ENOUGH_REWRITING: Duration = Duration::from_secs(60);

const REWRITES: u64 = 100_000;
const REST: Duration = Duration::from_secs(2);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let usage = "usage: bench-database EMULATOR POCKETBASE [DOCUMENTS ...]";
    let mut arguments = std::env::args_os().skip(1);
    let programs = [(); 2].map(|()| std::path::absolute(arguments.next().expect(usage)).unwrap());
    let mut sizes: Vec<u64> =
        arguments.map(|size| size.to_str().and_then(|size| size.parse().ok()).expect(usage)).collect();
    if sizes.is_empty() {
        sizes.extend(SIZES);
    }
    assert!(sizes.iter().all(|size| *size > SCAN_MATCHES), "at least {} documents", SCAN_MATCHES + 1);
    let mut rounds = Vec::new();
    for size in sizes {
        rounds.push(round(&programs, size).await);
    }
    let rewriting = rewrite(Product::Emulator, &programs[0]).await;
    rewrite(Product::Pocketbase, &programs[1]).await;
    goals::print(&rounds, &rewriting);
}

/// What was measured at one size.
struct Round {
    size: u64,
    rows: Vec<Row>,
}

struct Row {
    operation: Operation,
    clients: usize,
    emulator: Outcome,
    /// `None`: it has no such thing.
    pocketbase: Option<Outcome>,
}

/// What the emulator took up while one document was rewritten.
struct Rewriting {
    count: u64,
    /// When half of that was done.
    half: Footprint,
    /// When all was done, and a while later.
    rest: Footprint,
}

impl Round {
    fn row(&self, operation: Operation, clients: usize) -> &Row {
        self.rows.iter().find(|row| (row.operation, row.clients) == (operation, clients)).unwrap()
    }
}

impl Row {
    /// How many times PocketBase's requests.
    fn ratio(&self) -> Option<f64> {
        self.pocketbase.as_ref().map(|theirs| self.emulator.per_second / theirs.per_second)
    }
}

async fn round([emulator, pocketbase]: &[PathBuf; 2], size: u64) -> Round {
    println!("\n{size} documents");
    let ours = loaded(Product::Emulator, emulator, size).await;
    let theirs = loaded(Product::Pocketbase, pocketbase, size).await;
    println!(
        "{:<22}{:>8}{:>38}{:>38}{:>8}",
        "", "", "emulator: /s, p50 and p95 ms", "PocketBase: /s, p50 and p95 ms", "ratio"
    );
    let mut rows = Vec::new();
    for operation in OPERATIONS {
        agree(&ours, &theirs, operation, size).await;
        for clients in CLIENTS {
            let emulator = try_out(&ours, operation, clients, size).await.unwrap();
            let pocketbase = try_out(&theirs, operation, clients, size).await;
            rows.push(Row { operation, clients, emulator, pocketbase });
            rows.last().iter().for_each(|row| print_row(row));
        }
    }
    print_footprint("emulator after that", &Footprint::of(&ours));
    print_footprint("PocketBase after that", &Footprint::of(&theirs));
    Round { size, rows }
}

/// A server with that many documents.
async fn loaded(product: Product, program: &Path, size: u64) -> Server {
    let server = Server::start(product, program);
    let mut http = server.administrator().await;
    match product {
        Product::Emulator => emulator::prepare(&mut http).await,
        Product::Pocketbase => pocketbase::prepare(&mut http).await,
    }
    let begin = Instant::now();
    for first in (0..size).step_by(LOAD_AT_ONCE as usize) {
        load(product, &mut http, first..size.min(first + LOAD_AT_ONCE)).await;
    }
    let per_second = size as f64 / begin.elapsed().as_secs_f64();
    print_footprint(&format!("{product:?} loaded at {per_second:.0} documents a second"), &Footprint::of(&server));
    server
}

async fn load(product: Product, http: &mut Http, numbers: Range<u64>) {
    match product {
        Product::Emulator => emulator::load(http, numbers).await,
        Product::Pocketbase => pocketbase::load(http, numbers).await,
    }
}

fn ask(product: Product, question: Question) -> Option<Vec<u8>> {
    match product {
        Product::Emulator => Some(emulator::ask(question)),
        Product::Pocketbase => pocketbase::ask(question),
    }
}

/// Both must answer a question with the same documents in the same order.
async fn agree(ours: &Server, theirs: &Server, operation: Operation, size: u64) {
    if operation == Operation::Insert {
        return;
    }
    let question = || operation.question(0, size);
    let Some(request) = ask(Product::Pocketbase, question()) else { return };
    let expected = pocketbase::ids(&answer(theirs, &request).await);
    let found = emulator::ids(&answer(ours, &emulator::ask(question())).await);
    assert!(!expected.is_empty(), "{operation:?} finds nothing");
    assert_eq!(found, expected, "{operation:?}");
}

async fn answer(server: &Server, request: &[u8]) -> Value {
    serde_json::from_str(&server.connect().await.send(request).await.text()).unwrap()
}

/// `None`: the product has no such thing.
async fn try_out(server: &Server, operation: Operation, clients: usize, size: u64) -> Option<Outcome> {
    let (before, measured) = operation.turns(clients as u64);
    let first = clients as u64 * 1_000_000; // so that no other run asks the same
    let requests = |turns: Range<u64>| -> Option<Vec<Vec<u8>>> {
        turns.map(|turn| ask(server.product, operation.question(turn, size))).collect()
    };
    measure(server, requests(first..first + before)?, clients, ENOUGH).await;
    Some(measure(server, requests(first + before..first + before + measured)?, clients, ENOUGH).await)
}

/// One document is rewritten again and again.
async fn rewrite(product: Product, program: &Path) -> Rewriting {
    println!("\n{REWRITES} rewrites of one document by {} clients", CLIENTS[1]);
    let server = loaded(product, program, 1).await;
    let mut footprints = Vec::new();
    let mut count = 0;
    for turns in [0..REWRITES / 2, REWRITES / 2..REWRITES] {
        let requests = turns.map(|turn| ask(product, Question::rewrite(turn)).unwrap()).collect();
        let outcome = measure(&server, requests, CLIENTS[1], ENOUGH_REWRITING / 2).await;
        let footprint = Footprint::of(&server);
        print_footprint(&format!("{product:?}, half of them, {:.0} a second", outcome.per_second), &footprint);
        footprints.push(footprint);
        count += outcome.count;
    }
    tokio::time::sleep(REST).await;
    let rest = Footprint::of(&server);
    print_footprint(&format!("{product:?} {} seconds later", REST.as_secs()), &rest);
    Rewriting { count, half: footprints[0], rest }
}

fn print_row(row: &Row) {
    let figures = |outcome: &Outcome| {
        let Outcome { per_second, p50_ms, p95_ms, .. } = outcome;
        format!("{per_second:>14.1}{p50_ms:>12.3}{p95_ms:>12.3}")
    };
    let theirs = row.pocketbase.as_ref().map_or("has none".to_owned(), figures);
    let ratio = row.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!("{:<22}{:>8}{}{theirs:>38}{ratio:>8}", row.operation.name(), row.clients, figures(&row.emulator));
}

fn print_footprint(what: &str, footprint: &Footprint) {
    let Footprint { memory_bytes, disk_bytes } = footprint;
    println!("{what}: {:.1} MB of memory, {:.1} MB on disk", *memory_bytes as f64 / 1e6, *disk_bytes as f64 / 1e6);
}
