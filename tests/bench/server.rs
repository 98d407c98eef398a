//! What is measured: the emulator or PocketBase, each on a folder and a port of its own, and the plain HTTP client that asks
//! either.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Of an answer, at first.
const BUFFER_BYTES: usize = 16 << 10;

/// The end of a chunked answer. It stands nowhere else, since JSON has no line ends of its own.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Emulator,
    Pocketbase,
}

/// A server on a folder of its own; killed on drop.
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
    pub(crate) product: Product,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Started, but not yet answering.
    pub(crate) fn start(product: Product, program: &Path) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut command = Command::new(program);
        match product {
            Product::Emulator => command.args(["start", "--port", &port.to_string(), "--data", "data"]),
            Product::Pocketbase => {
                let superuser = ["superuser", "upsert", "bench@example.com", "bench-password"];
                let mut upsert = Command::new(program);
                upsert.args(["--dir", "data"]).args(superuser).current_dir(folder.path());
                assert!(upsert.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
                command.args(["--dir", "data", "serve", "--http", &format!("127.0.0.1:{port}")])
            }
        };
        let child = command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Server { child, folder, port, product }
    }

    /// Of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it keeps everything.
    #[allow(dead_code, reason = "not every benchmark weighs it")]
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A connection, once the server answers.
    pub(crate) async fn connect(&self) -> Http {
        let health = match self.product {
            Product::Emulator => "/readyz",
            Product::Pocketbase => "/api/health",
        };
        for _ in 0..2_000 {
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)).await {
                stream.set_nodelay(true).unwrap();
                let mut http = Http::new(stream);
                if http.exchange("GET", health, "").await.0 == 200 {
                    return http;
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not start");
    }

    /// A connection that may do everything.
    pub(crate) async fn administrator(&self) -> Http {
        let mut http = self.connect().await;
        let authorization = match self.product {
            Product::Emulator => {
                let holder = std::fs::read(self.folder.path().join("data/emulator.json")).unwrap();
                let holder: Value = serde_json::from_slice(&holder).unwrap();
                format!("Bearer {}", holder["token"].as_str().unwrap())
            }
            Product::Pocketbase => {
                let login = json!({"identity": "bench@example.com", "password": "bench-password"});
                let login = http.post("/api/collections/_superusers/auth-with-password", &login).await;
                login["token"].as_str().unwrap().to_owned()
            }
        };
        http.authorization = format!("Authorization: {authorization}\r\n");
        http
    }
}

/// A connection for requests one after the other.
pub(crate) struct Http {
    stream: TcpStream,
    authorization: String,
    /// The last answer.
    bytes: Vec<u8>,
}

/// An answer that is all there.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// As sent: in chunks, or not.
    pub(crate) body: &'a [u8],
    is_chunked: bool,
}

impl Http {
    pub(crate) fn new(stream: TcpStream) -> Http {
        Http { stream, authorization: String::new(), bytes: Vec::with_capacity(BUFFER_BYTES) }
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, body).await
    }

    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.exchange(method, path, &body.to_string()).await;
        assert_eq!(status, 200, "{path}: {answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["code"].is_null(), "{path}: {answer}");
        answer
    }

    /// Status and body.
    pub(crate) async fn exchange(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = request(method, path, &self.authorization, body);
        let answer = self.send(&request).await;
        (answer.status, answer.text())
    }

    /// Sends the bytes of a whole request and waits for the whole answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Answer<'_> {
        self.bytes.clear();
        self.stream.write_all(request).await.unwrap();
        while Answer::read(&self.bytes).is_none() {
            self.bytes.reserve(BUFFER_BYTES);
            let length = self.stream.read_buf(&mut self.bytes).await.unwrap();
            assert_ne!(length, 0, "the connection ended");
        }
        Answer::read(&self.bytes).unwrap()
    }
}

/// The bytes of a request. `headers` end with a line end each.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n";
    format!("{method} {path} HTTP/1.1\r\n{head}{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes()
}

impl Answer<'_> {
    /// `None` until it is all there.
    fn read(bytes: &[u8]) -> Option<Answer<'_>> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let body = &bytes[end + 4..];
        let status = head.split(' ').nth(1)?.parse().unwrap();
        let header = |name: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let is_chunked = header("transfer-encoding").is_some();
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        let is_whole = if is_chunked { body.ends_with(LAST_CHUNK) } else { body.len() >= length };
        is_whole.then_some(Answer { status, body, is_chunked })
    }

    pub(crate) fn text(&self) -> String {
        let body = std::str::from_utf8(self.body).unwrap();
        // Sizes and chunks take turns, each in a line of its own.
        if self.is_chunked { body.split("\r\n").skip(1).step_by(2).collect() } else { body.to_owned() }
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
