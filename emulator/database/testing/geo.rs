//! Laws of geo indexes: what is near comes nearest first whatever the cells, and regions find what they find without an index.

use bson::doc;
use document::{Bson, Document, DocumentRef};
use proptest::collection::vec;
use proptest::prelude::*;
use query::Filter;

use super::{Bench, filter, sort};
use crate::{DatabaseError, FindRequest, IndexDefinition, UpdateRequest};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nearest_first(places in vec(place(), 0..40), centre in position(), maximum in prop::option::of(0.0..20_000_000.0)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(places, centre, maximum));
    }
}

async fn check(places: Vec<Bson>, (longitude, latitude): (f64, f64), maximum: Option<f64>) {
    let bench = Bench::new().await;
    bench.database.create_index(&bench.collection, index(doc! { "place": "2dsphere", "n": 1 })).await.unwrap();
    bench.insert((0..).zip(places).map(|(id, place)| doc! { "_id": id, "n": id % 2, "place": place }).collect()).await;
    let point = doc! { "type": "Point", "coordinates": [longitude, latitude] };
    let mut operators = doc! { "$nearSphere": { "$geometry": point.clone() } };
    if let (Some(maximum), Ok(near)) = (maximum, operators.get_document_mut("$nearSphere")) {
        near.insert("$maxDistance", maximum);
    }
    let near = filter(doc! { "place": operators, "n": 1 });
    let mut expected: Vec<(f64, Document)> = Vec::new();
    for document in bench.all().await {
        if near.matches(DocumentRef::from(&document)).unwrap() {
            expected.push((near.near().unwrap().distance(DocumentRef::from(&document)).unwrap(), document));
        }
    }
    expected.sort_by(|left, right| left.0.total_cmp(&right.0));
    let expected: Vec<Document> = expected.into_iter().map(|(_, document)| document).collect();
    let request = FindRequest { filter: near, ..bench.everything() };
    assert_eq!(bench.find(request.clone()).await, expected);
    let first = FindRequest { limit: Some(2), ..request.clone() };
    assert_eq!(bench.find(first).await, expected.iter().take(2).cloned().collect::<Vec<_>>());
    let mut by_id = expected;
    by_id.sort_by_key(|document| document.get_i32("_id").unwrap());
    assert_eq!(bench.find(FindRequest { sort: sort(doc! { "_id": 1 }), ..request }).await, by_id);
    check_region(&bench, (longitude, latitude), maximum.unwrap_or(1e6) / 6_378_100.0).await;
}

async fn check_region(bench: &Bench, (longitude, latitude): (f64, f64), radians: f64) {
    let within = filter(doc! { "place": { "$geoWithin": { "$centerSphere": [[longitude, latitude], radians] } } });
    let all = bench.all().await;
    let expected: Vec<&Document> = all.iter().filter(|one| within.matches(DocumentRef::from(*one)).unwrap()).collect();
    let request = FindRequest { filter: within, ..bench.everything() };
    assert_eq!(bench.find(request.clone()).await.iter().collect::<Vec<_>>(), expected);
    assert_eq!(bench.database.explain(request).await.unwrap().index, "place_2dsphere_n_1");
}

#[tokio::test]
async fn near_needs_an_index() {
    let bench = Bench::new().await;
    let near = filter(doc! { "place": { "$nearSphere": { "$geometry": { "type": "Point", "coordinates": [0, 0] } } } });
    let refused = bench.database.find(FindRequest { filter: near.clone(), ..bench.everything() }).await.unwrap_err();
    assert!(refused.to_string().contains("unable to find index for $geoNear query"), "{refused}");
    let counted = bench.database.count(&bench.collection, near).await.unwrap_err();
    assert!(counted.to_string().contains("are not allowed in this context"), "{counted}");
}

#[tokio::test]
async fn a_place_that_is_none_is_refused_and_a_missing_one_left_out() {
    let bench = Bench::new().await;
    bench.database.create_index(&bench.collection, index(doc! { "place": "2dsphere" })).await.unwrap();
    bench.insert(vec![doc! { "_id": 1 }, doc! { "_id": 2, "place": Bson::Null }]).await;
    let wrong = vec![doc! { "_id": 3, "place": { "type": "Point", "coordinates": [200, 0] } }];
    let refused = bench.database.insert(&bench.collection, wrong).await.unwrap_err();
    assert!(matches!(&refused, DatabaseError::Query(_)) && refused.to_string().contains("Can't extract geo keys"));
    let set = UpdateRequest { multi: true, ..bench.set(Filter::all(), doc! { "place": "x" }) };
    assert!(bench.database.update(set).await.is_err());
    assert_eq!(bench.all().await.len(), 2);
}

fn index(keys: Document) -> IndexDefinition {
    IndexDefinition::parse(&keys, None, false).unwrap()
}

fn position() -> impl Strategy<Value = (f64, f64)> {
    (-180.0..180.0, -90.0..90.0)
}

fn place() -> BoxedStrategy<Bson> {
    let near_another = (110.0..110.01, 23.0..23.01);
    let point =
        |(longitude, latitude): (f64, f64)| doc! { "type": "Point", "coordinates": [longitude, latitude] }.into();
    let line = |((x, y), (dx, dy)): ((f64, f64), (f64, f64))| {
        doc! { "type": "LineString", "coordinates": [[x / 2.0, y / 2.0], [x / 2.0 + dx, y / 2.0 + dy]] }.into()
    };
    prop_oneof![
        6 => position().prop_map(point),
        4 => near_another.prop_map(point),
        2 => (position(), (0.1..9.0, 0.1..9.0)).prop_map(line),
        1 => Just(Bson::Null),
    ]
    .boxed()
}
