//! Pipelines over a real store: what is handed to it, other collections, one moment, and errors.

use bson::doc;
use document::{Bson, Document};
use query::aggregate::Pipeline;

use super::{Bench, name};
use crate::{AggregateRequest, DatabaseError, IndexDefinition};

#[tokio::test]
async fn the_front_and_the_stages_behind_it() {
    let bench = filled().await;
    let n =
        |documents: Vec<Document>| documents.iter().map(|document| document.get_i32("n").unwrap()).collect::<Vec<_>>();
    assert_eq!(n(bench.aggregate(vec![doc! { "$match": { "even": true } }]).await), [0, 2, 4, 6, 8]);
    assert_eq!(n(bench.aggregate(vec![doc! { "$skip": 7 }, doc! { "$limit": 2 }]).await), [7, 8]);
    assert_eq!(n(bench.aggregate(vec![doc! { "$match": { "_id": { "$in": [3, 1, 99] } } }]).await), [1, 3]);
    let sorted = vec![doc! { "$sort": { "even": -1, "n": -1 } }, doc! { "$skip": 1 }, doc! { "$limit": 2 }];
    assert_eq!(n(bench.aggregate(sorted).await), [6, 4]);
    assert_eq!(n(bench.aggregate(vec![doc! { "$sort": { "n": -1 } }]).await), (0..10).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn groups() {
    let bench = filled().await;
    let group = doc! { "$group": { "_id": "$even", "sum": { "$sum": "$n" } } };
    let found = bench.aggregate(vec![group, doc! { "$sort": { "_id": 1 } }]).await;
    assert_eq!(found, [doc! { "_id": false, "sum": 25 }, doc! { "_id": true, "sum": 20 }]);
}

#[tokio::test]
async fn lookups_in_other_collections() {
    let bench = filled().await;
    let other = name("other");
    bench.database.create_collection(&other).await.unwrap();
    bench.database.insert(&other, vec![doc! { "_id": "x", "of": 1 }, doc! { "_id": "y", "of": 2 }]).await.unwrap();
    let first = doc! { "$match": { "_id": 1 } };
    let equal = doc! { "$lookup": { "from": "other", "localField": "n", "foreignField": "of", "as": "found" } };
    let found = bench.aggregate(vec![first.clone(), equal]).await;
    assert_eq!(found, [doc! { "_id": 1, "n": 1, "even": false, "found": [{ "_id": "x", "of": 1 }] }]);
    let piped = doc! { "$lookup": { "from": "other", "let": { "n": "$n" },
    "pipeline": [{ "$match": { "$expr": { "$gt": ["$of", "$$n"] } } }, { "$project": { "_id": 1 } }], "as": "found" } };
    let found = bench.aggregate(vec![first.clone(), piped]).await;
    assert_eq!(found, [doc! { "_id": 1, "n": 1, "even": false, "found": [{ "_id": "y" }] }]);
    for missing in ["missing", "no/name", ""] {
        let lookup = doc! { "$lookup": { "from": missing, "localField": "n", "foreignField": "of", "as": "found" } };
        let found = bench.aggregate(vec![first.clone(), lookup]).await;
        assert_eq!(found, [doc! { "_id": 1, "n": 1, "even": false, "found": [] }]);
    }
}

#[tokio::test]
async fn samples_follow_the_seed() {
    let bench = filled().await;
    let mut seen = Vec::new();
    for seed in 0..40 {
        let request = bench.pipeline(vec![doc! { "$sample": { "size": 1 } }]);
        let found = bench.database.aggregate(AggregateRequest { seed, ..request }).await.unwrap();
        seen.push(Document::try_from(&found[0]).unwrap().get_i32("n").unwrap());
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 5, "{seen:?}");
}

#[tokio::test]
async fn errors() {
    let bench = filled().await;
    let request = bench.pipeline(vec![doc! { "$replaceRoot": { "newRoot": "$n" } }]);
    let error = bench.database.aggregate(request).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Query(error) if error.message.contains("must evaluate to an object")));
    let missing = AggregateRequest { collection: name("missing"), ..bench.pipeline(vec![]) };
    assert!(matches!(bench.database.aggregate(missing).await, Err(DatabaseError::CollectionMissing(_))));
}

/// A collection of ten documents.
async fn filled() -> Bench {
    let bench = Bench::new().await;
    bench.insert((0..10).map(|n| doc! { "_id": n, "n": n, "even": n % 2 == 0 }).collect()).await;
    bench
}

impl Bench {
    fn pipeline(&self, stages: Vec<Document>) -> AggregateRequest {
        let stages: Vec<Bson> = stages.into_iter().map(Bson::Document).collect();
        AggregateRequest { collection: self.collection.clone(), pipeline: Pipeline::parse(&stages).unwrap(), seed: 1 }
    }

    async fn aggregate(&self, stages: Vec<Document>) -> Vec<Document> {
        let found = self.database.aggregate(self.pipeline(stages)).await.unwrap();
        found.iter().map(|document| Document::try_from(document).unwrap()).collect()
    }
}

#[tokio::test]
async fn the_nearest_first() {
    let bench = Bench::new().await;
    let place = |longitude: f64| doc! { "type": "Point", "coordinates": [longitude, 0.0] };
    for (id, longitude) in [(1, 3.0), (2, 1.0), (3, 2.0)] {
        bench.insert(vec![doc! { "_id": id, "even": id % 2 == 0, "at": place(longitude) }]).await;
    }
    bench.insert(vec![doc! { "_id": 4 }]).await;
    let stage = |more: Document| {
        let mut options = doc! { "near": place(0.0), "distanceField": "far", "spherical": true };
        options.extend(more);
        vec![doc! { "$geoNear": options }]
    };
    let error = bench.database.aggregate(bench.pipeline(stage(doc! {}))).await.unwrap_err();
    assert!(error.to_string().contains("$geoNear requires a 2d or 2dsphere index, but none were found"), "{error}");
    let definition = IndexDefinition::parse(&doc! { "at": "2dsphere" }, None, false).unwrap();
    bench.database.create_index(&bench.collection, definition).await.unwrap();
    let ids = |found: &[Document]| found.iter().map(|found| found.get_i32("_id").unwrap()).collect::<Vec<_>>();
    let all = bench.aggregate(stage(doc! { "includeLocs": "where", "distanceMultiplier": 0.001 })).await;
    assert_eq!(ids(&all), [2, 3, 1]);
    // One degree of a circle of 6378.1 km (semantics DB-2.44).
    assert!((all[0].get_f64("far").unwrap() - 111.318_845).abs() < 1e-5, "{all:?}");
    assert_eq!(all[0].get_document("where").unwrap(), &place(1.0));
    assert_eq!(ids(&bench.aggregate(stage(doc! { "limit": 2 })).await), [2, 3]);
    assert_eq!(ids(&bench.aggregate(stage(doc! { "maxDistance": 250_000 })).await), [2, 3]);
    assert_eq!(ids(&bench.aggregate(stage(doc! { "minDistance": 120_000, "query": { "even": false } })).await), [3, 1]);
    let mut behind = stage(doc! {});
    behind.push(doc! { "$project": { "far": { "$floor": "$far" } } });
    assert_eq!(bench.aggregate(behind).await[0], doc! { "_id": 2, "far": 111_318.0 });
}
