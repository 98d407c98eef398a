//! How PocketBase is asked: the records API of a collection that everybody may read and write, which is its cheapest.

use std::ops::Range;

use serde_json::{Value, json};

use crate::documents::{Question, Sample};
use crate::server::{Http, request};

const RECORDS: &str = "/api/collections/c/records";

/// Batches are off unless asked for; its log of requests is on, and we let it off.
pub(crate) async fn prepare(http: &mut Http) {
    let batch = json!({"enabled": true, "maxRequests": 10_000, "timeout": 60});
    let settings = json!({"batch": batch, "rateLimits": {"enabled": false}, "logs": {"maxDays": 0}});
    http.ask("PATCH", "/api/settings", &settings).await;
    let field = |(name, kind)| json!({"name": name, "type": kind});
    let fields = [("status", "text"), ("owner", "text"), ("n", "number"), ("at", "date"), ("text", "text")].map(field);
    let indexes = ["CREATE INDEX by_owner ON c (owner)", "CREATE INDEX by_status ON c (status, at DESC)"];
    let collection = json!({"name": "c", "type": "base", "fields": fields, "indexes": indexes, "listRule": "",
        "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": ""});
    http.post("/api/collections", &collection).await;
}

/// Inserts many documents at once.
pub(crate) async fn load(http: &mut Http, numbers: Range<u64>) {
    let create = |number| json!({"method": "POST", "url": RECORDS, "body": record(number)});
    let batch = json!({ "requests": numbers.map(create).collect::<Vec<_>>() });
    http.post("/api/batch", &batch).await;
}

/// `None`: it has no such thing.
pub(crate) fn ask(question: Question) -> Option<Vec<u8>> {
    Some(match question {
        Question::Insert(number) => request("POST", RECORDS, "", &record(number).to_string()),
        Question::Get { id } => request("GET", &format!("{RECORDS}/{id}"), "", ""),
        Question::OfOwner(owner) => find(20, "", &format!("owner='{owner}'")),
        Question::Latest { status, from } => {
            find(20, "&sort=-at", &format!("status='{status}'&&at>='{}'", from.text()))
        }
        Question::Numbered(numbers) => find(500, "", &format!("n>={}&&n<{}", numbers.start, numbers.end)),
        Question::Totals => return None,
        Question::Rewrite { id, text } => {
            request("PATCH", &format!("{RECORDS}/{id}"), "", &json!({ "text": text }).to_string())
        }
    })
}

/// The ids of the records in an answer.
pub(crate) fn ids(answer: &Value) -> Vec<String> {
    let id = |record: &Value| record["id"].as_str().unwrap().to_owned();
    answer["items"].as_array().map_or_else(|| vec![id(answer)], |items| items.iter().map(id).collect())
}

fn find(limit: u64, sort: &str, filter: &str) -> Vec<u8> {
    let filter = filter.replace('&', "%26").replace(' ', "%20").replace('=', "%3D");
    request("GET", &format!("{RECORDS}?perPage={limit}&skipTotal=1{sort}&filter={filter}"), "", "")
}

fn record(number: u64) -> Value {
    let Sample { id, status, owner, n, at, text } = Sample::new(number);
    json!({"id": id, "status": status, "owner": owner, "n": n, "at": at.text(), "text": text})
}
