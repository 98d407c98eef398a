//! How long it takes to fork, to go back to a snapshot and to empty an environment, as a test kit asks for it, at several sizes;
//! and what thousands of forks leave behind. `scripts/bench forks` builds and calls it. No other product of the kind has forks,
//! so there is no peer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod footprint;
#[allow(dead_code, reason = "the peer has no forks")]
mod server;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use footprint::Footprint;
use server::{Http, Product, Server};

const SIZES: [u64; 2] = [10_000, 1_000_000];
const LOAD_AT_ONCE: u64 = 1_000;
/// How often each thing is done.
const TIMES: usize = 200;
/// How many forks are made and dropped, so many of them side by side.
const CHURN: usize = 10_000;
const SIDE_BY_SIDE: usize = 100;
const REST: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = PathBuf::from(arguments.next().expect("usage: bench-forks EMULATOR [DOCUMENTS ...]"));
    let program = std::path::absolute(program).unwrap();
    let mut sizes: Vec<u64> = arguments.map(|size| size.parse().unwrap()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    for size in sizes {
        println!("{size} documents, an index");
        let server = Server::start(Product::Emulator, &program);
        let mut http = server.administrator().await;
        load(&mut http, size).await;
        whole(&mut http).await;
        churn(&server, &mut http).await;
    }
}

async fn load(http: &mut Http, size: u64) {
    http.post("/_emulator/create", &json!({ "collection": "c" })).await;
    http.post("/_emulator/indexes/create", &json!({ "collection": "c", "keys": { "owner": 1 } })).await;
    for batch in 0..size / LOAD_AT_ONCE {
        let numbers = batch * LOAD_AT_ONCE..(batch + 1) * LOAD_AT_ONCE;
        insert(http, "cloud1", numbers.map(document).collect()).await;
    }
}

fn document(number: u64) -> String {
    json!({ "_id": number.to_string(), "owner": format!("o{}", number % 1_000), "text": "x".repeat(150) }).to_string()
}

async fn insert(http: &mut Http, environment: &str, documents: Vec<String>) {
    let params = json!({ "collectionName": "c", "data": documents });
    let body = json!({ "env": environment, "action": "database.insertDocument", "params": params });
    http.post("/_emulator/action", &body).await;
}

/// What a kit does for each test.
async fn whole(http: &mut Http) {
    let fork = |answer: Value| answer["env"].as_str().unwrap().to_owned();
    let (mut forks, mut drops, mut restores, mut resets) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..TIMES {
        let (environment, forked) = timed(http.post("/_emulator/fork", &json!({}))).await;
        let environment = fork(environment);
        http.post("/_emulator/snapshot", &json!({ "env": environment, "name": "start" })).await;
        insert(http, &environment, vec![document(u64::MAX - number as u64)]).await;
        let back = json!({ "env": environment, "name": "start" });
        restores.push(timed(http.post("/_emulator/restore", &back)).await.1);
        resets.push(timed(http.post("/_emulator/reset", &json!({ "env": environment }))).await.1);
        drops.push(timed(http.post("/_emulator/drop", &json!({ "env": environment }))).await.1);
        forks.push(forked);
    }
    for (name, times) in [("fork", forks), ("restore", restores), ("reset (empty)", resets), ("drop", drops)] {
        print(name, times);
    }
}

async fn timed(work: impl Future<Output = Value>) -> (Value, f64) {
    let begun = Instant::now();
    let answer = work.await;
    (answer, begun.elapsed().as_secs_f64() * 1e3)
}

fn print(name: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let percentile = |percent| times[(times.len() - 1) * percent / 100];
    println!(
        "  {name:<14} p50 {:.2} ms, p95 {:.2} ms, worst {:.2} ms",
        percentile(50),
        percentile(95),
        percentile(100)
    );
}

/// Makes and drops thousands of forks, each with a write of its own.
async fn churn(server: &Server, http: &mut Http) {
    tokio::time::sleep(REST).await;
    let before = Footprint::of(server);
    let begun = Instant::now();
    for _ in 0..CHURN / SIDE_BY_SIDE {
        let mut forks = Vec::new();
        for _ in 0..SIDE_BY_SIDE {
            let environment = http.post("/_emulator/fork", &json!({})).await["env"].clone();
            insert(http, environment.as_str().unwrap(), vec![document(u64::MAX)]).await;
            forks.push(environment);
        }
        for environment in forks {
            http.post("/_emulator/drop", &json!({ "env": environment })).await;
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    tokio::time::sleep(REST).await;
    let after = Footprint::of(server);
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "  {CHURN} forks with a write each, made and dropped in {elapsed:.1} s: memory {:.1} -> {:.1} MB, disk {:.1} -> {:.1} MB",
        megabytes(before.memory_bytes),
        megabytes(after.memory_bytes),
        megabytes(before.disk_bytes),
        megabytes(after.disk_bytes)
    );
}
