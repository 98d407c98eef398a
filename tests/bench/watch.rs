//! How long it takes from a write to the last watcher's event, and what watchers of other documents cost a write; beside
//! PocketBase's realtime on the same machine in the same run. `scripts/bench watch` builds and calls it.
//!
//! Both sides' watchers are plain sockets whose bytes are searched for the number just written, so that the client weighs the
//! same. PocketBase's subscribe with the filter of our query, and in another round to the whole collection without any
//! condition, which is its cheapest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

mod server;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use server::{Http, Product, Server};

/// Watchers of one query.
const CROWDS: [usize; 4] = [1, 50, 200, 2_000];
const WATCHERS_UNRELATED: usize = 2_000;

/// Writes that are measured, and before them writes that are not.
const WRITES_TO_CROWD: u64 = 100;
const WRITES_UNRELATED: u64 = 1_500;
const WRITES_BEFORE: u64 = 10;

/// What PocketBase's watchers of one query subscribe to: the filter `room = "a"`, and everything.
const SUBSCRIPTIONS: [(&str, &str); 2] = [
    ("PocketBase, the same query", "c/*?options=%7B%22query%22%3A%7B%22filter%22%3A%22room%3D'a'%22%7D%7D"),
    ("PocketBase, no condition", "c/*"),
];

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

const RECORD: &str = "record000000001"; // PocketBase wants 15 characters

#[tokio::main]
async fn main() {
    let mut programs = std::env::args_os().skip(1).map(|program| std::path::absolute(program).unwrap());
    let usage = "usage: bench-watch EMULATOR [POCKETBASE]";
    let emulator = programs.next().expect(usage);
    let pocketbase = programs.next();
    println!("write → last watcher's event, milliseconds (p50 / p95 of {WRITES_TO_CROWD} writes)");
    for watchers in CROWDS {
        let what = format!("{watchers:>5} watchers of one query");
        let ours = crowd(&Room::emulator(&emulator).await, watchers).await;
        print_times(&format!("{what}: emulator"), &ours);
        for (name, subscription) in pocketbase.iter().flat_map(|_| SUBSCRIPTIONS) {
            let room = Room::pocketbase(pocketbase.as_ref().unwrap(), subscription).await;
            let theirs = crowd(&room, watchers).await;
            print_times(&format!("{:>width$}  {name}", "", width = what.len()), &theirs);
            print_ratio(&format!("{:>width$}  ratio", "", width = what.len()), &ours, &theirs);
        }
    }
    println!(
        "a write with {WATCHERS_UNRELATED} watchers of other documents, and without (p50 / p95 of {WRITES_UNRELATED} writes, in turns)"
    );
    let (with, without) = unrelated(Room::emulator(&emulator).await, Room::emulator(&emulator).await).await;
    print_cost("emulator", &with, &without);
    if let Some(program) = &pocketbase {
        let (with, without) = unrelated(Room::pocketbase(program, "").await, Room::pocketbase(program, "").await).await;
        print_cost("PocketBase", &with, &without);
    }
}

/// Times of many writes, in milliseconds, sorted.
struct Times {
    sorted: Vec<f64>,
    /// What the server's process worked in all, for each write and watcher, in microseconds; where that can be told.
    work: Option<f64>,
}

impl Times {
    fn new(mut times: Vec<f64>) -> Times {
        times.sort_by(f64::total_cmp);
        Times { sorted: times, work: None }
    }

    fn percentile(&self, percent: usize) -> f64 {
        self.sorted[(self.sorted.len() - 1) * percent / 100]
    }
}

fn print_times(what: &str, times: &Times) {
    print!("{what} {:.2} / {:.2}", times.percentile(50), times.percentile(95));
    times.work.iter().for_each(|work| print!(", {work:.1} µs of a processor for each event"));
    println!();
}

fn print_ratio(what: &str, ours: &Times, theirs: &Times) {
    let of = |percent| ours.percentile(percent) / theirs.percentile(percent);
    print!("{what} {:.2} / {:.2}", of(50), of(95));
    ours.work.zip(theirs.work).iter().for_each(|(ours, theirs)| print!(", {:.2} of the processor", ours / theirs));
    println!();
}

fn print_cost(name: &str, with: &Times, without: &Times) {
    println!(
        "{name:>10}: {:.3} / {:.3} with, {:.3} / {:.3} without: {:+.1} % / {:+.1} %",
        with.percentile(50),
        with.percentile(95),
        without.percentile(50),
        without.percentile(95),
        (with.percentile(50) / without.percentile(50) - 1.0) * 100.0,
        (with.percentile(95) / without.percentile(95) - 1.0) * 100.0,
    );
}

/// Writes one after the other, each when every watcher has seen the one before.
async fn crowd(room: &Room, watchers: usize) -> Times {
    let (seen, mut sightings) = mpsc::unbounded_channel();
    let _watching = room.watch(watchers, |_| RECORD.to_owned(), Some(seen)).await;
    let mut writer = room.writer().await;
    let mut times = Vec::new();
    let mut worked = None;
    for number in 0..WRITES_BEFORE + WRITES_TO_CROWD {
        if number == WRITES_BEFORE {
            worked = room.worked();
        }
        let begin = Instant::now();
        let writing = tokio::spawn(async move {
            writer.write(number).await;
            writer
        });
        let mut last = begin;
        for _ in 0..watchers {
            last = tokio::time::timeout(PATIENCE, sightings.recv()).await.expect("a watcher saw nothing").unwrap();
        }
        writer = writing.await.unwrap();
        if number >= WRITES_BEFORE {
            times.push((last - begin).as_secs_f64() * 1e3);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let work = worked.and_then(|before| Some(room.worked()? - before));
    let events = (WRITES_TO_CROWD * watchers as u64) as f64;
    Times { work: work.map(|work| work.as_secs_f64() * 1e6 / events), ..Times::new(times) }
}

/// Writes to both in turns; the first has watchers, of other documents.
async fn unrelated(watched: Room, alone: Room) -> (Times, Times) {
    let _watching = watched.watch(WATCHERS_UNRELATED, |number| format!("other{number:010}"), None).await;
    let mut writers = [watched.writer().await, alone.writer().await];
    let mut times = [Vec::new(), Vec::new()];
    for number in 0..WRITES_BEFORE + WRITES_UNRELATED {
        for (writer, times) in writers.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            writer.write(number).await;
            if number >= WRITES_BEFORE {
                times.push(begin.elapsed().as_secs_f64() * 1e3);
            }
        }
    }
    let [with, without] = times;
    (Times::new(with), Times::new(without))
}

/// A server with one record, and how its watchers join.
struct Room {
    server: Server,
    door: Door,
}

enum Door {
    Emulator {
        token: String,
    },
    Pocketbase {
        /// Of watchers of one query.
        subscription: &'static str,
    },
}

impl Room {
    async fn emulator(program: &Path) -> Room {
        let server = Server::start(Product::Emulator, program);
        let mut http = server.administrator().await;
        http.post("/admin", &json!({"action": "database.addCollection", "collectionName": "c"})).await;
        let data = [json!({"_id": RECORD, "n": 0, "room": "a"}).to_string()];
        http.post("/admin", &json!({"action": "database.insertDocument", "collectionName": "c", "data": data})).await;
        let signed_in = http.post("/web", &json!({"action": "emulator.signIn"})).await;
        let token = signed_in["data"]["access_token"].as_str().unwrap().to_owned();
        http.post("/_emulator/mode", &json!({"collection": "c", "mode": "READONLY"})).await;
        Room { server, door: Door::Emulator { token } }
    }

    async fn pocketbase(program: &Path, subscription: &'static str) -> Room {
        let server = Server::start(Product::Pocketbase, program);
        let mut http = server.administrator().await;
        let fields = json!([{"name": "n", "type": "number"}, {"name": "room", "type": "text"}]);
        let rules = json!({"name": "c", "type": "base", "fields": fields, "listRule": "", "viewRule": "",
            "createRule": "", "updateRule": "", "deleteRule": ""});
        http.post("/api/collections", &rules).await;
        http.post("/api/collections/c/records", &json!({"id": RECORD, "n": 0, "room": "a"})).await;
        Room { server, door: Door::Pocketbase { subscription } }
    }

    /// How long its process has worked, on all processors; on Linux only.
    fn worked(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.server.process())).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10)) // a hundredth of a second each
    }

    async fn writer(&self) -> Writer {
        Writer { product: self.server.product, http: self.server.connect().await }
    }

    /// Watchers, each of a record; each tells when it has seen the next number.
    async fn watch(
        &self,
        count: usize,
        record: impl Fn(usize) -> String,
        seen: Option<mpsc::UnboundedSender<Instant>>,
    ) -> Audience {
        let mut joining = JoinSet::new();
        let turns = Arc::new(Semaphore::new(50));
        for number in 0..count {
            let (port, record, turns) = (self.server.port, record(number), turns.clone());
            let is_crowd = seen.is_some();
            let (token, subscription) = match &self.door {
                Door::Emulator { token } => (Some(token.clone()), String::new()),
                Door::Pocketbase { subscription } if is_crowd => (None, (*subscription).to_owned()),
                Door::Pocketbase { .. } => (None, format!("c/{record}")),
            };
            joining.spawn(async move {
                let _turn = turns.acquire().await.unwrap();
                match token {
                    Some(token) => join_emulator(port, &token, &record, is_crowd).await,
                    None => join_pocketbase(port, &subscription).await,
                }
            });
        }
        let streams = joining.join_all().await.into_iter().map(|stream| stream.into_std().unwrap());
        Audience::new(streams.collect(), seen)
    }
}

/// All watchers, on one thread, so that they take little from the server.
struct Audience {
    _over: tokio::sync::oneshot::Sender<()>,
}

impl Audience {
    fn new(streams: Vec<std::net::TcpStream>, seen: Option<mpsc::UnboundedSender<Instant>>) -> Audience {
        let (over, end) = tokio::sync::oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let mut watching = JoinSet::new();
                for stream in streams {
                    watching.spawn(look(TcpStream::from_std(stream).unwrap(), seen.clone()));
                }
                // Dropped at the end.
                let _ = end.await;
            });
        });
        Audience { _over: over }
    }
}

/// One that writes, over one connection.
struct Writer {
    product: Product,
    http: Http,
}

impl Writer {
    /// Every number is another text of one length.
    async fn write(&mut self, number: u64) {
        let n = marked(number);
        let (status, _) = match self.product {
            Product::Emulator => {
                let body = json!({"action": "database.modifyDocument", "collectionName": "c", "merge": true,
                    "query": json!({"_id": RECORD}).to_string(), "data": json!({"$set": {"n": n}}).to_string()});
                self.http.exchange("POST", "/admin", &body.to_string()).await
            }
            Product::Pocketbase => {
                let path = format!("/api/collections/c/records/{RECORD}");
                self.http.exchange("PATCH", &path, &json!({ "n": n }).to_string()).await
            }
        };
        assert_eq!(status, 200);
    }
}

/// A number that stands in no other bytes that are sent.
fn marked(number: u64) -> u64 {
    7_777_000_000 + number
}

/// Reads what comes and tells of every number, in order.
async fn look(mut stream: TcpStream, seen: Option<mpsc::UnboundedSender<Instant>>) {
    let mut number = 0;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 8 << 10];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let Some(seen) = &seen else { continue };
        bytes.extend_from_slice(&buffer[..length]);
        if String::from_utf8_lossy(&bytes).contains(&marked(number).to_string()) {
            // The next number is written only when all have seen this one.
            seen.send(Instant::now()).unwrap();
            number += 1;
            bytes.clear();
        }
    }
}

async fn join_emulator(port: u16, token: &str, record: &str, is_crowd: bool) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}/ws"), stream).await.unwrap();
    let login =
        json!({"requestId": "1", "msgType": "LOGIN", "msgData": {"envId": ""}, "exMsgData": {"signStr": token}});
    let query = if is_crowd { json!({"room": "a"}) } else { json!({ "_id": record }) };
    let init = json!({"watchId": "w", "requestId": "2", "msgType": "INIT_WATCH",
        "msgData": {"envId": "", "collName": "c", "query": query.to_string()}});
    for (frame, answer) in [(login, "LOGIN_RES"), (init, "INIT_EVENT")] {
        socket.send(Message::text(frame.to_string())).await.unwrap();
        let text = socket.next().await.unwrap().unwrap();
        assert!(text.to_text().unwrap().contains(answer), "{text}");
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    socket.into_inner()
}

async fn join_pocketbase(port: u16, subscription: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let head = format!("GET /api/realtime HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let id = loop {
        let mut buffer = [0; 2048];
        let length = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        let id = text.split("\"clientId\":\"").nth(1).and_then(|rest| rest.split_once('"'));
        if let Some((id, _)) = id {
            break id.to_owned();
        }
    };
    let subscribing = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut http = Http::new(subscribing);
    let body = json!({"clientId": id, "subscriptions": [subscription]}).to_string();
    assert_eq!(http.exchange("POST", "/api/realtime", &body).await.0, 204);
    stream
}
