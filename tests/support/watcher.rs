//! A client of the WebSocket that says exactly what it is told to, and a watch on it that holds the emulator to protocol §4.3:
//! no event twice, none missing, whole documents, what leaves first.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::http::{Connection, request};
use super::process::Emulator;

/// The environment that an emulator has by itself.
pub(crate) const ENVIRONMENT: &str = "cloud1";

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A page of a mini program with its user.
pub(crate) struct Page {
    pub(crate) openid: String,
    pub(crate) token: String,
    http: Connection,
}

impl Page {
    /// One whose user is `openid`.
    pub(crate) fn sign_in(emulator: &Emulator, openid: &str) -> Page {
        let mut page = Page { openid: openid.to_owned(), token: String::new(), http: emulator.connect() };
        let data = page.call(json!({"action": "emulator.signIn", "openid": openid}));
        page.token = data["access_token"].as_str().unwrap().to_owned();
        page
    }

    /// The `data` of an action that must succeed.
    pub(crate) fn call(&mut self, body: Value) -> Value {
        let mut reply = self.try_call(body);
        assert_eq!(reply.get("code"), None, "{reply}");
        reply["data"].take()
    }

    /// The reply to an action.
    pub(crate) fn try_call(&mut self, mut body: Value) -> Value {
        if !self.token.is_empty() {
            body["access_token"] = json!(self.token);
        }
        self.http.send(&request("POST", "/web", &[], body.to_string().as_bytes()));
        self.http.read().json()
    }

    /// What this user reads where a watch of theirs looks: by `_id`.
    pub(crate) fn read(&mut self, question: &Question) -> BTreeMap<String, Value> {
        let order = question.order.iter().map(|(field, way)| json!({"field": field, "direction": way}));
        let list = self.call(json!({"action": "database.queryDocument", "collectionName": question.collection,
            "queryType": "WHERE", "query": question.query, "order": order.collect::<Vec<_>>(),
            "limit": question.limit.unwrap_or(1000)}));
        let list = list["list"].as_array().unwrap().iter();
        list.map(|document| (document["_id"].as_str().unwrap().to_owned(), document.clone())).collect()
    }
}

/// What is watched.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) collection: String,
    pub(crate) query: Value,
    pub(crate) order: Vec<(String, &'static str)>,
    pub(crate) limit: Option<u64>,
}

impl Question {
    pub(crate) fn all(collection: &str) -> Question {
        Question { collection: collection.to_owned(), query: json!({}), order: Vec::new(), limit: None }
    }

    pub(crate) fn of(collection: &str, query: Value) -> Question {
        Question { query, ..Question::all(collection) }
    }

    fn params(&self) -> Value {
        let mut params = json!({"collName": self.collection, "query": self.query.to_string()});
        if !self.order.is_empty() {
            params["orderBy"] = self.order.iter().map(|(field, way)| (field.clone(), json!(way))).collect();
        }
        if let Some(limit) = self.limit {
            params["limit"] = json!(limit);
        }
        params
    }
}

/// A WebSocket.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    requests: u32,
    /// Frames that came while another was waited for.
    stash: VecDeque<Value>,
}

impl Socket {
    pub(crate) async fn open(emulator: &Emulator) -> Socket {
        let stream = TcpStream::connect(("127.0.0.1", emulator.port())).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let url = format!("ws://127.0.0.1:{}/ws", emulator.port());
        let (stream, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        Socket { stream, requests: 0, stash: VecDeque::new() }
    }

    /// One on which `page`'s user is logged in.
    pub(crate) async fn log_in(emulator: &Emulator, page: &Page) -> Socket {
        let mut socket = Socket::open(emulator).await;
        let answer = socket.ask(login(&page.token)).await;
        assert_eq!((answer["msgType"].as_str(), answer["msgData"].get("code")), (Some("LOGIN_RES"), None), "{answer}");
        socket
    }

    /// Sends a frame under a request id of its own, which is returned.
    pub(crate) async fn send(&mut self, mut frame: Value) -> String {
        self.requests += 1;
        let id = format!("request-{}", self.requests);
        frame["requestId"] = json!(id);
        self.send_text(&frame.to_string()).await;
        id
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// Sends a frame and waits for its answer.
    pub(crate) async fn ask(&mut self, frame: Value) -> Value {
        let id = self.send(frame).await;
        self.receive_where(|answer| answer["requestId"] == id.as_str()).await
    }

    /// The next frame.
    pub(crate) async fn receive(&mut self) -> Value {
        self.receive_where(|_| true).await
    }

    /// The next frame of a watch.
    pub(crate) async fn receive_of(&mut self, watch_id: &str) -> Value {
        self.receive_where(|frame| frame["watchId"] == watch_id).await
    }

    async fn receive_where(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.stash.iter().position(&wanted) {
            return self.stash.remove(place).unwrap();
        }
        loop {
            let frame = self.read_frame(PATIENCE).await.expect("no frame came");
            if wanted(&frame) {
                return frame;
            }
            self.stash.push_back(frame);
        }
    }

    /// The next frame, if one comes in time.
    pub(crate) async fn try_receive(&mut self, patience: Duration) -> Option<Value> {
        match self.stash.pop_front() {
            Some(frame) => Some(frame),
            None => self.read_frame(patience).await,
        }
    }

    async fn read_frame(&mut self, patience: Duration) -> Option<Value> {
        loop {
            match timeout(patience, self.stream.next()).await.ok()?.expect("the socket ended").unwrap() {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Says goodbye.
    pub(crate) async fn say_goodbye(&mut self, code: u16) {
        self.stream.send(Message::Close(Some(CloseFrame { code: code.into(), reason: "".into() }))).await.unwrap();
    }

    /// Waits for the end; the code of the goodbye, if one was said.
    pub(crate) async fn ended(&mut self) -> Option<u16> {
        let mut code = None;
        while let Ok(Some(Ok(packet))) = timeout(PATIENCE, self.stream.next()).await {
            if let Message::Close(frame) = packet {
                code = frame.map(|frame| frame.code.into());
            }
        }
        code
    }

    /// Drops the connection without a word; the kernel resets it if there is something unread.
    pub(crate) fn cut(self) {
        drop(self);
    }
}

/// LOGIN as our client sends it.
pub(crate) fn login(token: &str) -> Value {
    json!({"msgType": "LOGIN", "msgData": {"envId": ENVIRONMENT, "accessToken": "", "referrer": "web", "sdkVersion": "",
        "dataVersion": ""}, "exMsgData": {"runtime": "wx_mp", "signStr": token, "secretVersion": 1}})
}

/// A watch as a client holds it.
#[derive(Debug)]
pub(crate) struct Watcher {
    pub(crate) watch_id: String,
    pub(crate) question: Question,
    pub(crate) query_id: String,
    /// The last event applied.
    pub(crate) current: u64,
    pub(crate) documents: BTreeMap<String, Value>,
}

impl Watcher {
    /// Begins a watch.
    pub(crate) async fn begin(socket: &mut Socket, watch_id: &str, question: Question) -> Watcher {
        let answer = Watcher::try_begin(socket, watch_id, question.params()).await;
        assert_eq!(answer["msgType"], "INIT_EVENT", "{answer}");
        let data = &answer["msgData"];
        let mut documents = BTreeMap::new();
        for event in data["events"].as_array().unwrap() {
            assert_eq!(
                (&event["ID"], &event["DataType"], &event["QueueType"]),
                (&json!(0), &json!("init"), &json!("init"))
            );
            let (id, document) = read(event);
            assert_eq!(documents.insert(id, document), None);
        }
        let query_id = data["queryID"].as_str().unwrap().to_owned();
        assert_eq!(data["currEvent"], 1);
        Watcher { watch_id: watch_id.to_owned(), question, query_id, current: 1, documents }
    }

    /// Asks for a watch; whatever is answered.
    pub(crate) async fn try_begin(socket: &mut Socket, watch_id: &str, params: Value) -> Value {
        let mut params = params;
        params["envId"] = json!(ENVIRONMENT);
        let answer = socket.ask(json!({"watchId": watch_id, "msgType": "INIT_WATCH", "msgData": params})).await;
        assert_eq!(answer["watchId"], watch_id);
        answer
    }

    /// Goes on after a dropped connection.
    pub(crate) async fn resume(&mut self, socket: &mut Socket) {
        let frame = json!({"watchId": self.watch_id, "msgType": "REBUILD_WATCH", "msgData": {"envId": ENVIRONMENT,
            "collName": self.question.collection, "queryID": self.query_id, "eventID": self.current}});
        let answer = socket.ask(frame).await;
        assert_eq!(answer["msgType"], "NEXT_EVENT", "{answer}");
        self.apply(&answer);
        assert_eq!(answer["msgData"]["currEvent"], self.current, "the answer brings everything");
    }

    /// Applies a NEXT_EVENT. Returns the events in short: `enqueue/add ID`.
    pub(crate) fn apply(&mut self, frame: &Value) -> Vec<String> {
        assert_eq!((&frame["msgType"], &frame["watchId"]), (&json!("NEXT_EVENT"), &json!(self.watch_id)), "{frame}");
        assert_eq!(frame["msgData"]["queryID"], self.query_id.as_str());
        let events = frame["msgData"]["events"].as_array().unwrap();
        let mut leaving = true;
        let mut short = Vec::new();
        for event in events {
            let id = event["ID"].as_u64().unwrap();
            if id != self.current {
                assert_eq!(id, self.current + 1, "a gap or a repetition: {frame}");
                (self.current, leaving) = (id, true);
            } else {
                assert!(!short.is_empty(), "an event that was applied before: {frame}");
            }
            leaving &= event["QueueType"] == "dequeue";
            assert!(leaving || event["QueueType"] != "dequeue", "what leaves comes first: {frame}");
            short.push(self.apply_event(event));
        }
        assert_eq!(frame["msgData"]["currEvent"].as_u64(), Some(self.current), "{frame}");
        short
    }

    fn apply_event(&mut self, event: &Value) -> String {
        let (id, document) = read(event);
        assert!(event.get("RemovedFields").is_none_or(|fields| fields == ""), "{event}");
        let (queue, data) = (event["QueueType"].as_str().unwrap(), event["DataType"].as_str().unwrap());
        let short = format!("{queue}/{data} {id}");
        match queue {
            "enqueue" => assert_eq!(self.documents.insert(id, document), None, "{event}"),
            "dequeue" => assert!(self.documents.remove(&id).is_some(), "{event}"),
            "update" => assert!(self.documents.insert(id, document).is_some(), "{event}"),
            _ => panic!("{event}"),
        }
        short
    }
}

/// The document of an event, whole.
fn read(event: &Value) -> (String, Value) {
    let document: Value = serde_json::from_str(event["Doc"].as_str().unwrap()).unwrap();
    assert_eq!(document["_id"], event["DocID"], "{event}");
    (event["DocID"].as_str().unwrap().to_owned(), document)
}
