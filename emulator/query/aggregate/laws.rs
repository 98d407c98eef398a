//! Laws of pipelines, tried on arbitrary documents; and the limits of what a stage may keep and make.
#![allow(clippy::unwrap_used, clippy::panic)]

use document::arbitrary::{common_document, common_value};
use document::{Bson, DateTime, Document, compare, decode_value_text};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::aggregate::Pipeline;
use crate::shelf::Shelf;
use crate::{Filter, QueryError, Sort};

/// A stage that changes nothing, so that what stands behind it is not handed to the collection.
const WALL: &str = r#"{"$redact": "$$KEEP"}"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_page_is_a_slice_of_the_sorted_list(
        documents in documents(), sort in sort(), skip in 0..6usize, limit in 1..6usize, wall in any::<bool>(),
    ) {
        let order = Sort::parse(&sort).unwrap();
        let mut expected = documents.clone();
        expected.sort_by(|left, right| order.compare(left.into(), right.into()));
        let expected: Vec<_> = expected.into_iter().skip(skip).take(limit).collect();
        let mut stages = vec![one("$sort", sort), one("$skip", skip as i64), one("$limit", limit as i64)];
        if wall {
            stages.insert(0, stage(WALL));
        }
        prop_assert_eq!(shown(&run(&documents, &stages)), shown(&Ok(expected)));
    }

    #[test]
    fn where_a_match_stands_does_not_matter(documents in documents(), query in query(), sort in sort()) {
        let Ok(filter) = Filter::parse(&query) else { return Ok(()) };
        let (matched, sorted) = (one("$match", query), one("$sort", sort));
        let front = run(&documents, &[matched.clone(), sorted.clone()]);
        prop_assert_eq!(shown(&front), shown(&run(&documents, &[stage(WALL), matched.clone(), sorted.clone()])));
        prop_assert_eq!(shown(&front), shown(&run(&documents, &[sorted.clone(), matched])));
        let narrowed = Pipeline::parse(&[Bson::Document(sorted)]).unwrap().narrowed(filter);
        prop_assert_eq!(shown(&front), shown(&results(&documents, &narrowed)));
    }

    #[test]
    fn groups_add_up(documents in documents(), id in field()) {
        let stages = [stage(&format!(r#"{{"$group": {{"_id": "${id}", "count": {{"$sum": 1}}, "all": {{"$push": "$$ROOT"}}}}}}"#))];
        let groups = run(&documents, &stages).unwrap();
        let counts: i32 = groups.iter().map(|group| group.get_i32("count").unwrap()).sum();
        prop_assert_eq!(counts as usize, documents.len());
        let mut ids: Vec<_> = groups.iter().map(|group| group.get("_id").unwrap()).collect();
        ids.sort_by(|left, right| compare((*left).into(), (*right).into()));
        prop_assert!(ids.windows(2).all(|pair| compare(pair[0].into(), pair[1].into()).is_lt()));
        let members: usize = groups.iter().map(|group| group.get_array("all").unwrap().len()).sum();
        prop_assert_eq!(members, documents.len());
    }

    #[test]
    fn buckets_hold_every_document_once(documents in documents(), buckets in 1..5i32) {
        let stages = [stage(&format!(r#"{{"$bucketAuto": {{"groupBy": "$a", "buckets": {buckets}}}}}"#))];
        let found = run(&documents, &stages).unwrap();
        prop_assert!(found.len() <= buckets as usize);
        let counts: i32 = found.iter().map(|bucket| bucket.get_i32("count").unwrap()).sum();
        prop_assert_eq!(counts as usize, documents.len());
    }

    #[test]
    fn a_limit_from_outside_is_a_stage_at_the_end(documents in documents(), stages in pipeline(), limit in 1..4u64) {
        let stages: Vec<Bson> = stages.into_iter().map(Bson::Document).collect();
        let Ok(pipeline) = Pipeline::parse(&stages) else { return Ok(()) };
        let last = Bson::Document(one("$limit", limit as i64));
        let written = Pipeline::parse(&[stages, vec![last]].concat()).unwrap();
        prop_assert_eq!(shown(&results(&documents, &pipeline.limited(limit))), shown(&results(&documents, &written)));
    }

    #[test]
    fn a_facet_is_its_pipeline(documents in documents(), stages in pipeline()) {
        let stages: Vec<Bson> = stages.into_iter().filter(|stage| !stage.contains_key("$sample")).map(Bson::Document).collect();
        let Ok(alone) = Pipeline::parse(&[vec![Bson::Document(stage(WALL))], stages.clone()].concat()) else { return Ok(()) };
        let alone = results(&documents, &alone);
        let Ok(facet) = Pipeline::parse(&[one("$facet", one("f", stages)).into()]) else { return Ok(()) };
        let facet = results(&documents, &facet).map(|found| found[0].get_array("f").unwrap().clone());
        let expected = alone.map(|documents| documents.into_iter().map(Bson::Document).collect::<Vec<_>>());
        prop_assert_eq!(format!("{facet:?}"), format!("{expected:?}"));
    }

    #[test]
    fn nothing_panics(documents in documents(), stages in vec(anything(), 0..4)) {
        let _ = run(&documents, &stages);
    }
}

#[test]
fn memory_of_groups_and_sorts_ends() {
    let large = |id: i32| {
        Document::from_iter([("_id".to_owned(), Bson::Int32(id)), ("x".to_owned(), "x".repeat(1 << 20).into())])
    };
    let documents: Vec<_> = (0..101).map(large).collect();
    check(
        &documents,
        r#"{"$group": {"_id": null, "all": {"$push": "$x"}}}"#,
        "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
    );
    check(
        &documents,
        r#"{"$sort": {"_id": -1}}"#,
        "Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting. Aborting operation. Pass allowDiskUse:true to opt in.",
    );
    check(
        &documents,
        r#"{"$lookup": {"from": "this", "pipeline": [], "as": "all"}}"#,
        "Total size of documents in this matching pipeline's $lookup stage exceeds 16793600 bytes",
    );
    check(&documents[..50], r#"{"$facet": {"all": [{"$limit": 17}]}}"#, "16793600 bytes");
    let first = run(&documents, &[stage(WALL), stage(r#"{"$sort": {"_id": -1}}"#), stage(r#"{"$limit": 1}"#)]).unwrap();
    assert_eq!(first[0].get_i32("_id").unwrap(), 100);
    let pushed =
        run(&documents, &[stage(r#"{"$limit": 17}"#), stage(r#"{"$group": {"_id": 1, "all": {"$push": "$x"}}}"#)]);
    assert!(pushed.unwrap_err().message.contains("is invalid. Size must be between 0 and 16793600(16MB)"));
}

#[test]
fn documents_do_not_grow_without_end() {
    let doubled = stage(r#"{"$addFields": {"x": {"$concat": ["$x", "$x"]}}}"#);
    let documents = [one("x", "x")];
    assert!(run(&documents, &vec![doubled; 60]).is_err());
    let deeper = stage(r#"{"$addFields": {"x": {"x": "$$ROOT"}}}"#);
    assert!(run(&documents, &vec![deeper; 200]).is_err());
}

#[test]
fn the_longest_pipelines_leave_room_on_the_stack() {
    let documents = [Document::from_iter([("_id".to_owned(), 1.into()), ("x".to_owned(), vec![1].into())])];
    for text in [
        r#"{"$unwind": {"path": "$x", "preserveNullAndEmptyArrays": true}}"#,
        r#"{"$group": {"_id": 1}}"#,
        r#"{"$sort": {"_id": 1}}"#,
        r#"{"$lookup": {"from": "none", "pipeline": [], "as": "y"}}"#,
        WALL,
        r#"{"$skip": 0}"#,
        r#"{"$sample": {"size": 1}}"#,
    ] {
        let longest = [vec![stage(WALL)], vec![stage(text); 499]].concat();
        assert_eq!(run(&documents, &longest).map(|found| found.len()), Ok(1), "{text}");
    }
    let nested = (0..20).fold(stage(WALL), |inner, _| {
        let pipeline = [vec![Bson::Document(inner)], vec![Bson::Document(stage(WALL)); 23]].concat();
        let fields = [("from", Bson::from("this")), ("pipeline", pipeline.into()), ("as", "y".into())];
        one("$lookup", fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Document>())
    });
    assert_eq!(run(&documents, std::slice::from_ref(&nested)).map(|found| found.len()), Ok(1));
    let mistake = |stages: &[Document]| run(&documents, stages).unwrap_err().message;
    assert_eq!(mistake(&vec![stage(WALL); 501]), "Pipeline length must be no longer than 500 stages.");
    assert_eq!(mistake(&[nested.clone(), nested]), "Pipeline length must be no longer than 500 stages.");
}

#[test]
fn pipelines_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Pipeline>();
}

fn check(documents: &[Document], text: &str, expected: &str) {
    let error = run(documents, &[stage(text)]).unwrap_err();
    assert!(error.message.contains(expected), "{error}");
}

fn run(documents: &[Document], stages: &[Document]) -> Result<Vec<Document>, QueryError> {
    let stages: Vec<Bson> = stages.iter().cloned().map(Bson::Document).collect();
    results(documents, &Pipeline::parse(&stages)?)
}

fn results(documents: &[Document], pipeline: &Pipeline) -> Result<Vec<Document>, QueryError> {
    let shelf = Shelf::new(vec![("this".to_owned(), documents.to_vec())]);
    let found = pipeline.run("this", &shelf)?.collect::<Result<Vec<_>, _>>()?;
    Ok(found.iter().map(|document| Document::try_from(document).unwrap()).collect())
}

fn shown(results: &Result<Vec<Document>, QueryError>) -> String {
    format!("{results:?}")
}

fn stage(text: &str) -> Document {
    match decode_value_text(text, DateTime::from_millis(0)) {
        Ok(Bson::Document(stage)) => stage,
        other => panic!("{other:?}"),
    }
}

fn one(name: &str, value: impl Into<Bson>) -> Document {
    Document::from_iter([(name.to_owned(), value.into())])
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    vec(common_document(), 0..8)
}

fn field() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "c", "a.b", "b.c.a", "aa"])
}

fn sort() -> impl Strategy<Value = Document> {
    vec((field().prop_map(str::to_owned), select(vec![Bson::Int32(1), Bson::Int32(-1)])), 1..3)
        .prop_map(Document::from_iter)
}

fn query() -> impl Strategy<Value = Document> {
    let operators = select(vec!["$eq", "$ne", "$gt", "$lte", "$exists"]);
    (field(), operators, common_value()).prop_map(|(path, operator, value)| one(path, one(operator, value)))
}

/// Stages that can be read, most of them.
fn pipeline() -> impl Strategy<Value = Vec<Document>> {
    let stage = prop_oneof![
        query().prop_map(|query| one("$match", query)),
        sort().prop_map(|sort| one("$sort", sort)),
        (0..4i64).prop_map(|count| one("$skip", count)),
        (1..5i64).prop_map(|count| one("$limit", count)),
        field().prop_map(|path| one("$unwind", format!("${path}"))),
        field().prop_map(|path| one("$sortByCount", format!("${path}"))),
        (field(), field()).prop_map(|(path, other)| one("$addFields", one(path, format!("${other}")))),
        (field(), any::<bool>()).prop_map(|(path, kept)| one("$project", one(path, kept))),
        (field(), field()).prop_map(|(path, other)| one("$project", one(path, format!("${other}")))),
        (field(), accumulator()).prop_map(|(path, (operator, of))| {
            let accumulated = one(operator, format!("${of}"));
            one(
                "$group",
                Document::from_iter([
                    ("_id".to_owned(), format!("${path}").into()),
                    ("x".to_owned(), accumulated.into()),
                ]),
            )
        }),
        (field(), field()).prop_map(|(local, foreign)| stage(&format!(
            r#"{{"$lookup": {{"from": "this", "localField": "{local}", "foreignField": "{foreign}", "as": "l"}}}}"#
        ))),
        Just(one("$count", "n")),
        Just(stage(WALL)),
    ];
    vec(stage, 0..5)
}

fn accumulator() -> impl Strategy<Value = (&'static str, &'static str)> {
    (select(super::accumulator_names()), field())
}

/// A stage with whatever may be in it.
fn anything() -> impl Strategy<Value = Document> {
    let options = vec![
        "path",
        "_id",
        "groupBy",
        "boundaries",
        "buckets",
        "output",
        "from",
        "as",
        "let",
        "pipeline",
        "newRoot",
        "size",
        "near",
        "$sum",
        "$$ROOT",
    ];
    let expression = prop_oneof![
        4 => common_value(),
        2 => select(vec!["$a", "$a.b", "$$ROOT", "$", "$$", "a..b", "$a.$b", ""]).prop_map(Bson::from),
    ];
    let specification = expression.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            vec((select(options.clone()).prop_map(str::to_owned), inner.clone()), 0..4)
                .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
            vec(inner, 0..3).prop_map(Bson::Array),
        ]
    });
    (select(super::stage_names()), specification).prop_map(|(name, specification)| one(name, specification))
}
