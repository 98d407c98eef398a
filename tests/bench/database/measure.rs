//! Measuring: how many requests a second, and how long each takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::server::{Http, Product, Server};

/// No run takes longer.
const PATIENCE: Duration = Duration::from_secs(600);

/// What came of many requests.
pub(crate) struct Outcome {
    pub(crate) count: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p95_ms: f64,
}

/// Sends the requests over as many connections as there are clients, each when the client's one before is answered; none
/// once `enough` has passed.
pub(crate) async fn measure(server: &Server, requests: Vec<Vec<u8>>, clients: usize, enough: Duration) -> Outcome {
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(server.connect().await);
    }
    let work = Arc::new(Work { requests, next: AtomicUsize::new(0), begin: Instant::now(), enough });
    let mut working = JoinSet::new();
    for connection in connections {
        working.spawn(work.clone().run(connection, success(server.product)));
    }
    let times = tokio::time::timeout(PATIENCE, working.join_all()).await.expect("the server is stuck").concat();
    Outcome::new(times, work.begin.elapsed())
}

struct Work {
    requests: Vec<Vec<u8>>,
    next: AtomicUsize,
    begin: Instant,
    enough: Duration,
}

impl Work {
    /// How long each request took, in milliseconds.
    async fn run(self: Arc<Work>, mut http: Http, success: &'static [u8]) -> Vec<f64> {
        let mut times = Vec::new();
        while self.begin.elapsed() < self.enough {
            let Some(request) = self.requests.get(self.next.fetch_add(1, Ordering::Relaxed)) else { break };
            let sent = Instant::now();
            let answer = http.send(request).await;
            times.push(sent.elapsed().as_secs_f64() * 1e3);
            let is_success = answer.status == 200 && answer.body.windows(success.len()).any(|bytes| bytes == success);
            assert!(is_success, "{} {}", answer.status, answer.text());
        }
        times
    }
}

/// What stands early in every answer that is no refusal, whose status the emulator leaves at 200.
fn success(product: Product) -> &'static [u8] {
    match product {
        Product::Emulator => b"\"data\":{",
        Product::Pocketbase => b"\"collectionId\":",
    }
}

impl Outcome {
    fn new(mut times: Vec<f64>, elapsed: Duration) -> Outcome {
        times.sort_by(f64::total_cmp);
        let percentile = |percent| times[(times.len() - 1) * percent / 100];
        let per_second = times.len() as f64 / elapsed.as_secs_f64();
        Outcome { count: times.len() as u64, per_second, p50_ms: percentile(50), p95_ms: percentile(95) }
    }
}
