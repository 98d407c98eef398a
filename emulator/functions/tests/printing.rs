//! What functions print: lines with their function, request and level.

use functions::Level;

use crate::common::{Project, invocation};

#[tokio::test]
async fn lines_have_levels_and_nodes_format() {
    let code = r#"exports.main = () => {
  console.log('%s is %d', 'a', 3, { x: new Map([[1, { a: [1, 2] }]]), s: 'text' })
  console.info([1, 'a', null, undefined, new Date(0), /x/])
  console.warn('careful')
  console.error('wrong')
  console.debug('detail')
  console.log('two\nlines')
  process.stdout.write('no ')
  process.stdout.write('end')
  return 1
}"#;
    let project = Project::new(&[("f/index.js", code)]);
    assert_eq!(project.result("f", "{}").await, 1);
    let printed: Vec<(Level, String)> = project.printed().into_iter().map(|line| (line.2, line.3)).collect();
    let expected = [
        (Level::Info, "a is 3 { x: Map(1) { 1 => { a: [Array] } }, s: 'text' }"),
        (Level::Info, "[ 1, 'a', null, undefined, 1970-01-01T00:00:00.000Z, /x/ ]"),
        (Level::Warn, "careful"),
        (Level::Error, "wrong"),
        (Level::Debug, "detail"),
        (Level::Info, "two"),
        (Level::Info, "lines"),
        (Level::Info, "no end"),
    ];
    assert_eq!(printed, expected.map(|(level, text)| (level, text.to_owned())));
    assert!(project.printed().iter().all(|line| line.0 == "f" && line.1 == "r-1"));
}

#[tokio::test]
async fn errors_are_printed_with_the_users_frames_alone() {
    let project = Project::new(&[("f/index.js", "exports.main = () => {\n  console.error(new Error('boom'))\n}")]);
    project.result("f", "{}").await;
    let printed: Vec<String> = project.printed().into_iter().map(|line| line.3).collect();
    assert_eq!(
        printed,
        ["Error: boom".to_owned(), format!("    at exports.main ({}:2:17)", project.root.join("f/index.js").display())]
    );
}

#[tokio::test]
async fn nothing_printed_gets_into_the_channel() {
    let code = r#"const fs = require('fs')
exports.main = (event) => {
  for (const fd of [1, 2]) fs.writeSync(fd, `raw ${fd} ${event.call}\n`)
  fs.writeSync(1, Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]))
  try { fs.readSync(0, Buffer.alloc(1)) } catch {}
  return event.call
}"#;
    let project = Project::new(&[("f/index.js", code)]);
    for call in 0..3 {
        let mut invocation = invocation("f", &format!(r#"{{"call": {call}}}"#));
        invocation.request_id = format!("r-{call}");
        assert_eq!(project.functions.invoke(invocation).await.unwrap().result, call.to_string());
    }
    let raw: Vec<(String, String)> =
        project.printed().into_iter().filter(|line| line.3.contains("raw")).map(|line| (line.1, line.3)).collect();
    assert_eq!(raw.len(), 6, "{raw:?}");
    for call in 0..3 {
        for fd in [1, 2] {
            assert!(
                raw.iter().any(
                    |(request, text)| *request == format!("r-{call}") && text.contains(&format!("raw {fd} {call}"))
                ),
                "{raw:?}"
            );
        }
    }
}

#[tokio::test]
async fn much_output_arrives_whole_and_in_order() {
    let project = Project::new(&[(
        "f/index.js",
        "exports.main = () => { for (let i = 0; i < 20000; i++) console.log(i); console.log('x'.repeat(200000)) }",
    )]);
    project.result("f", "{}").await;
    let printed = project.printed();
    assert!(printed.iter().take(20_000).enumerate().all(|(at, line)| line.3 == at.to_string()));
    assert_eq!(printed.iter().skip(20_000).map(|line| line.3.len()).sum::<usize>(), 200_000);
}
