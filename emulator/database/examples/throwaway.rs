//! throwaway
#![allow(warnings, clippy::all)]
use std::time::Instant;
use database::*;
use bson::doc;
use query::*;
fn filter(d: bson::Document)->Filter{Filter::parse(&d).unwrap()}
#[tokio::main]
async fn main(){
  let folder=std::path::PathBuf::from("/tmp/dbbench"); let _=std::fs::remove_dir_all(&folder);
  let t=Instant::now();
  let store=Store::open(&folder,StoreOptions::default()).unwrap(); println!("open empty {:?}",t.elapsed());
  let db=store.database("env").unwrap(); let c=CollectionName::parse("c").unwrap(); db.create_collection(&c).await.unwrap();
  let make=|i:u64|doc!{"_id":format!("{:032x}",i.wrapping_mul(0x9E3779B97F4A7C15)),"n":i as i64,"done":i%2==0,"title":"buy milk and bread","text":"x".repeat(170)};
  println!("doc {} bytes", bson::RawDocumentBuf::try_from(&make(1)).unwrap().as_bytes().len());
  let find=|f:Filter|FindRequest{collection:c.clone(),filter:f,sort:None,skip:0,limit:None,projection:None};
  let mut n=0u64;
  let t=Instant::now(); for _ in 0..5000{ n+=1; db.insert(&c,vec![make(n)]).await.unwrap(); } println!("insert one client {:.0}/s",5000.0/t.elapsed().as_secs_f64());
  let t=Instant::now(); let mut set=tokio::task::JoinSet::new(); for k in 0..64u64{ let (db,c)=(db.clone(),c.clone()); let base=n+k*1000; set.spawn(async move{ for i in 0..500u64{ db.insert(&c,vec![make(base+i+1)]).await.unwrap(); } }); } set.join_all().await; n+=64000; println!("insert 64 clients {:.0}/s",32000.0/t.elapsed().as_secs_f64());
  let t=Instant::now(); for _ in 0..20{ let v=(0..1000).map(|i|make(n+i+1)).collect(); n+=1000; db.insert(&c,v).await.unwrap(); } println!("bulk insert 1000 {:.0}/s",20000.0/t.elapsed().as_secs_f64());
  let t=Instant::now(); { let v=(0..100_000).map(|i|make(n+i+1)).collect(); n+=100_000; db.insert(&c,v).await.unwrap(); } println!("bulk insert 100k {:.0}/s",100_000.0/t.elapsed().as_secs_f64());
  let total=db.count(&c,Filter::all()).await.unwrap();
  let mut hits=0; let t=Instant::now(); for i in 0..100_000u64{ let f=filter(doc!{"_id":format!("{:032x}",((i*7919)%5000+1).wrapping_mul(0x9E3779B97F4A7C15))}); hits+=db.find(find(f)).await.unwrap().len(); } println!("get one client {:.0}/s hits {hits}",100_000.0/t.elapsed().as_secs_f64());
  let mut hits=0; let t=Instant::now(); for i in 0..50_000u64{ let f=filter(doc!{"_id":format!("{:032x}",(n-(i*7919)%100_000).wrapping_mul(0x9E3779B97F4A7C15))}); hits+=db.find(find(f)).await.unwrap().len(); } println!("get one client, random over 100k {:.0}/s hits {hits}",50_000.0/t.elapsed().as_secs_f64());
  for (what,f) in [("all",Filter::all()),("done",filter(doc!{"done":true})),("n>",filter(doc!{"n":{"$gt":100i64}})),("none",filter(doc!{"zz":1}))]{
   for _ in 0..2{ let t=Instant::now(); let k=db.count(&c,f.clone()).await.unwrap(); println!("count {what} {k} of {total}: {:.2} M/s",total as f64/t.elapsed().as_secs_f64()/1e6);} }
  let t=Instant::now(); let k=db.find(FindRequest{sort:Some(Sort::parse(&doc!{"n":-1}).unwrap()),limit:Some(20),..find(Filter::all())}).await.unwrap().len(); println!("sort limit {k}: {:?}",t.elapsed());
  let t=Instant::now(); let k=db.find(FindRequest{limit:Some(20),..find(filter(doc!{"done":true}))}).await.unwrap().len(); println!("page of {k}: {:?}",t.elapsed());
  let hot=|i:i64|UpdateRequest{collection:c.clone(),filter:filter(doc!{"_id":make(1).get_str("_id").unwrap()}),update:Update::parse(&doc!{"$set":{"n":i}}).unwrap(),multi:false,upsert:None,return_document:false};
  let size=||{fn du(p:&std::path::Path)->u64{std::fs::read_dir(p).unwrap().map(|e|{let e=e.unwrap();let m=e.metadata().unwrap(); if m.is_dir(){du(&e.path())}else{m.len()}}).sum()} du(&folder)/1_000_000};
  println!("disk {} MB",size());
  let t=Instant::now(); for i in 0..20_000{ db.update(hot(-i)).await.unwrap(); } println!("hot update one client {:.0}/s disk {} MB",20_000.0/t.elapsed().as_secs_f64(),size());
  let t=Instant::now(); let r=db.update(UpdateRequest{filter:filter(doc!{"done":true}),multi:true,..hot(1)}).await.unwrap(); println!("update multi {} {:.0}/s",r.modified,r.modified as f64/t.elapsed().as_secs_f64());
  let t=Instant::now(); store.close().await.unwrap(); println!("close {:?}",t.elapsed());
  let t=Instant::now(); let store=Store::open(&folder,StoreOptions::default()).unwrap(); println!("reopen {:?} disk {} MB",t.elapsed(),size());
  store.close().await.unwrap();
  let mem=std::fs::read_to_string("/proc/self/status").unwrap(); println!("{}",mem.lines().find(|l|l.starts_with("VmHWM")).unwrap());
}
