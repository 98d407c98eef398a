//! How the emulator is asked: as server SDKs do, with extended JSON in strings (protocol §2.4).

use std::ops::Range;

use serde_json::{Value, json};

use crate::documents::{Question, Sample};
use crate::server::{Http, request};

pub(crate) async fn prepare(http: &mut Http) {
    http.post("/admin", &json!({"action": "database.addCollection", "collectionName": "c"})).await;
    for keys in [json!({"owner": 1}), json!({"status": 1, "at": -1})] {
        http.post("/_emulator/indexes/create", &json!({"collection": "c", "keys": keys})).await;
    }
}

/// Inserts many documents at once.
pub(crate) async fn load(http: &mut Http, numbers: Range<u64>) {
    let body = body("insertDocument", json!({ "data": numbers.map(document).collect::<Vec<_>>() }));
    http.post("/admin", &body).await;
}

pub(crate) fn ask(question: Question) -> Vec<u8> {
    let body = match question {
        Question::Insert(number) => body("insertDocument", json!({ "data": [document(number)] })),
        Question::Get { id } => find("DOC", json!({ "_id": id }), json!({})),
        Question::OfOwner(owner) => find("WHERE", json!({ "owner": owner }), json!({"limit": 20})),
        Question::Latest { status, from } => {
            let order = json!({"at": {"$numberInt": "-1"}}).to_string();
            let from = date(from.since_1970_ms());
            find("WHERE", json!({"status": status, "at": {"$gte": from}}), json!({"order": order, "limit": 20}))
        }
        Question::Numbered(numbers) => {
            let between = json!({"$gte": integer(numbers.start), "$lt": integer(numbers.end)});
            find("WHERE", json!({ "n": between }), json!({"limit": 500}))
        }
        Question::Totals => {
            let group = json!({"_id": "$status", "count": {"$sum": integer(1)}, "total": {"$sum": "$n"}});
            let stage = json!({"stageKey": "$group", "stageValue": group.to_string()});
            body("aggregateDocuments", json!({ "stages": [stage] }))
        }
        Question::Rewrite { id, text } => {
            let data = json!({"$set": {"text": text}}).to_string();
            let query = json!({ "_id": id }).to_string();
            body(
                "modifyDocument",
                json!({"queryType": "DOC", "query": query, "data": data, "multi": false, "merge": true, "upsert": false}),
            )
        }
    };
    request("POST", "/admin", "", &body.to_string())
}

/// The ids of the documents in an answer.
pub(crate) fn ids(answer: &Value) -> Vec<String> {
    let documents = answer["data"]["list"].as_array().unwrap().iter();
    let documents = documents.map(|text| serde_json::from_str::<Value>(text.as_str().unwrap()).unwrap());
    documents.map(|document| document["_id"].as_str().unwrap().to_owned()).collect()
}

fn find(kind: &str, query: Value, more: Value) -> Value {
    let mut fields = json!({"queryType": kind, "query": query.to_string()});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body("getDocument", fields)
}

fn body(action: &str, mut fields: Value) -> Value {
    fields["action"] = json!(format!("database.{action}"));
    fields["collectionName"] = json!("c");
    fields
}

fn document(number: u64) -> String {
    let Sample { id, status, owner, n, at, text } = Sample::new(number);
    let (n, at) = (integer(n), date(at.since_1970_ms()));
    json!({"_id": id, "status": status, "owner": owner, "n": n, "at": at, "text": text}).to_string()
}

fn integer(number: u64) -> Value {
    json!({ "$numberInt": number.to_string() })
}

fn date(since_1970_ms: u64) -> Value {
    json!({"$date": {"$numberLong": since_1970_ms.to_string()}})
}
