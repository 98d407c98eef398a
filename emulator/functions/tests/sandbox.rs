//! What functions may touch, and the world they see.

use serde_json::json;

use crate::common::{Project, invocation};

/// Runs the body of a function with `fs` and a `attempt` that turns errors into their codes.
async fn check(body: &str, expected: serde_json::Value) {
    let head = "const fs = require('fs'); const attempt = (f) => { try { return f() } catch (e) { return e.code ?? e.message } };";
    let project = Project::new(&[
        ("f/index.js", &format!("{head} exports.main = async () => {{ {body} }}")),
        ("f/data.txt", "data"),
        ("shared.txt", "shared"),
    ]);
    assert_eq!(project.result("f", "{}").await, expected, "{body}");
}

#[tokio::test]
async fn tmp_is_private_and_the_project_is_read_only() {
    check("fs.writeFileSync('/tmp/a.txt', 'hi'); return [fs.readFileSync('/tmp/a.txt', 'utf8'), fs.readdirSync('/tmp'), fs.realpathSync('/tmp/a.txt'), require('os').tmpdir()]", json!(["hi", ["a.txt"], "/tmp/a.txt", "/tmp"])).await;
    check("const folder = fs.mkdtempSync(require('path').join(require('os').tmpdir(), 'x-')); await fs.promises.writeFile(folder + '/b', 'b'); await fs.promises.rename(folder + '/b', '/tmp/c'); return fs.readFileSync('/tmp/c', 'utf8')", json!("b")).await;
    check("return [fs.readFileSync('./data.txt', 'utf8'), fs.readFileSync(__dirname + '/../shared.txt', 'utf8'), fs.existsSync('data.txt')]", json!(["data", "shared", true])).await;
    check("return [attempt(() => fs.writeFileSync(__dirname + '/data.txt', 'x')), attempt(() => fs.rmSync(__dirname, { recursive: true })), attempt(() => fs.renameSync(__dirname + '/data.txt', '/tmp/x'))]", json!(["EROFS", "EROFS", "EROFS"])).await;
    check("return [attempt(() => fs.readFileSync('/etc/passwd', 'utf8')), attempt(() => fs.writeFileSync('/etc/passwd', ''))]", json!(["EACCES", "EACCES"])).await;
    assert!(!std::path::Path::new("/tmp/a.txt").exists());
}

#[tokio::test]
async fn no_subprocess_no_threads_no_native_code() {
    check("return attempt(() => require('child_process').execSync('echo out').toString()) === 'out\\n'", json!(false))
        .await;
    check(
        "return attempt(() => { new (require('worker_threads').Worker)('1', { eval: true }) })",
        json!("worker threads are not supported by the emulator"),
    )
    .await;
    let project = Project::new(&[
        ("f/index.js", "exports.main = () => require('addon')"),
        ("f/node_modules/addon/index.js", "module.exports = require('./build/addon.node')"),
        ("f/node_modules/addon/build/addon.node", "\u{7f}ELF"),
    ]);
    let message = project.failure("f", "{}").await;
    assert!(
        message.starts_with("Error: native addons are not supported by the emulator: ")
            && message.contains("addon.node"),
        "{message}"
    );
}

#[tokio::test]
async fn the_engine_cannot_be_seen() {
    check("return [typeof Deno, typeof globalThis.Deno, 'Deno' in globalThis, typeof window, typeof self, typeof process.versions.deno]", json!(["undefined", "undefined", false, "undefined", "undefined", "undefined"])).await;
    check("return [[].__proto__ === Array.prototype, typeof require('os').cpus().length, typeof process.memoryUsage().rss, process.pid > 0, typeof process.uptime()]", json!([true, "number", "number", true, "number"])).await;
    let project = Project::new(&[
        ("f/index.mjs", "export const main = () => [typeof Deno, typeof globalThis.Deno]"),
        ("g/index.js", "const Deno = 5; exports.main = () => Deno"),
    ]);
    assert_eq!(project.result("f", "{}").await, json!(["undefined", "undefined"]));
    assert_eq!(project.result("g", "{}").await, 5);
}

#[tokio::test]
async fn variables_are_those_of_the_call() {
    let project = Project::new(&[(
        "f/index.js",
        "const first = process.env.A; exports.main = () => { const now = { ...process.env }; process.env.LEFT = 'over'; return [first, now.A, now.LEFT, now.TZ, process.env.LEFT, now.CARGO] }",
    )]);
    for value in ["1", "2"] {
        let mut call = invocation("f", "{}");
        call.environment_variables.insert("A".to_owned(), value.to_owned());
        let completion = project.functions.invoke(call).await.unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&completion.result).unwrap(),
            json!(["1", value, null, "UTC", "over", null])
        );
    }
}

#[tokio::test]
async fn node_built_ins_work() {
    check(
        "const c = require('crypto'); return c.createHash('md5').update('x').digest('hex')",
        json!("9dd4e461268c8034f5c8564e155c67a6"),
    )
    .await;
    check("const z = require('zlib'); return z.gunzipSync(z.gzipSync('text')).toString()", json!("text")).await;
    check("const { AsyncLocalStorage } = require('async_hooks'); const s = new AsyncLocalStorage(); return s.run(5, async () => { await null; return s.getStore() })", json!(5)).await;
    check("const http = require('http'); const server = http.createServer((q, r) => r.end('pong')).listen(0, '127.0.0.1'); await new Promise((r) => server.on('listening', r)); const text = await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text(); server.close(); return text", json!("pong")).await;
    check("return new Promise((resolve) => setTimeout(resolve, 5, 'later'))", json!("later")).await;
    check("const { EventEmitter, once } = require('events'); const e = new EventEmitter(); setImmediate(() => e.emit('x', 1)); return once(e, 'x')", json!([1])).await;
}
