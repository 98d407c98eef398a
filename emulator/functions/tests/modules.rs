//! Loading code: CommonJS, ES modules, packages, the SDK, saved files.

use serde_json::json;

use crate::common::{Project, invocation};

#[tokio::test]
async fn commonjs_modules() {
    let project = Project::new(&[
        (
            "f/index.js",
            "const path = require('path')\nconst lib = require('./lib')\nexports.main = async (event, context) => ({ ...lib.twice(event.a), data: require('./data.json').x, dir: path.basename(__dirname), name: context.function_name })",
        ),
        (
            "f/lib/index.js",
            "const common = require('../../common/text.js')\nmodule.exports = { twice: (a) => ({ a: a * 2, common }) }",
        ),
        ("common/text.js", "module.exports = 'shared'"),
        ("f/data.json", "{\"x\": [1]}"),
    ]);
    let expected = json!({ "a": 4, "common": "shared", "data": [1], "dir": "f", "name": "f" });
    assert_eq!(project.result("f", r#"{"a": 2}"#).await, expected);
}

#[tokio::test]
async fn results_are_json() {
    let project = Project::new(&[("f/index.js", "exports.main = (event) => eval(event)")]);
    let rows = [
        ("undefined", json!(null)),
        ("new Date(0)", json!("1970-01-01T00:00:00.000Z")),
        ("Buffer.from('a')", json!({ "type": "Buffer", "data": [97] })),
        ("(() => 1)", json!(null)),
        ("({ a: undefined, b: NaN, c: '嗨' })", json!({ "b": null, "c": "嗨" })),
        ("Promise.resolve([1])", json!([1])),
    ];
    for (code, expected) in rows {
        assert_eq!(project.result("f", &serde_json::to_string(code).unwrap()).await, expected, "{code}");
    }
}

#[tokio::test]
async fn the_old_way_with_a_callback() {
    let project = Project::new(&[(
        "f/index.js",
        "exports.main = (event, context, callback) => { setTimeout(() => event.bad ? callback(new Error('bad')) : callback(null, 'called'), 1) }",
    )]);
    assert_eq!(project.result("f", "{}").await, "called");
    assert!(project.failure("f", r#"{"bad": true}"#).await.starts_with("Error: bad"));
}

#[tokio::test]
async fn es_modules() {
    let project = Project::new(&[
        (
            "f/index.mjs",
            "import { readFileSync } from 'fs'\nimport process from 'node:process'\nimport common, { named } from './common.cjs'\nimport data from './data.json' with { type: 'json' }\nlet calls = 0\nexport const main = async (event) => ({ calls: ++calls, named, both: common.other, data, read: readFileSync(new URL('./data.json', import.meta.url), 'utf8'), env: process.env.A, lazy: (await import('./lazy.mjs')).default })",
        ),
        ("f/common.cjs", "exports.named = 1; exports.other = 2"),
        ("f/data.json", "{\"j\":1}"),
        ("f/lazy.mjs", "export default 'lazy'"),
        ("g/package.json", r#"{"type": "module"}"#),
        (
            "g/index.js",
            "import { helper } from './lib/helper.js'\nconst x = await Promise.resolve(5)\nexport async function main() { return helper() + x }",
        ),
        ("g/lib/helper.js", "export const helper = () => 37"),
        ("h/package.json", r#"{"main": "start.mjs"}"#),
        ("h/start.mjs", "export default { main: () => 'default' }"),
    ]);
    let mut call = invocation("f", "{}");
    call.environment_variables.insert("A".to_owned(), "b".to_owned());
    let result: serde_json::Value =
        serde_json::from_str(&project.functions.invoke(call).await.unwrap().result).unwrap();
    assert_eq!(
        result,
        json!({ "calls": 1, "named": 1, "both": 2, "data": { "j": 1 }, "read": "{\"j\":1}", "env": "b", "lazy": "lazy" })
    );
    assert_eq!(project.result("f", "{}").await["calls"], 2);
    assert_eq!(project.result("g", "{}").await, 42);
    assert_eq!(project.result("h", "{}").await, "default");
    assert_eq!(project.functions.names(), ["f", "g", "h"]);
}

#[tokio::test]
async fn packages_by_their_exports() {
    let project = Project::new(&[
        (
            "f/index.js",
            "const missing = (name) => { try { return require(name) } catch (error) { return error.code } }\nconst a = require('pkg'), b = require('pkg/sub'), c = require('@scope/p')\nexports.main = async () => ({ a, b, c, d: (await import('pkg')).default, above: missing('above') })",
        ),
        (
            "f/node_modules/pkg/package.json",
            r##"{"name": "pkg", "exports": {".": {"deno": "./deno.js", "import": "./index.mjs", "require": "./index.cjs"}, "./sub": {"node": "./sub-node.js", "default": "./sub.js"}}, "imports": {"#inner": "./inner.js"}}"##,
        ),
        ("f/node_modules/pkg/index.cjs", "module.exports = 'cjs of ' + require('dep') + require('#inner')"),
        ("f/node_modules/pkg/index.mjs", "import dep from 'dep'; export default 'esm of ' + dep"),
        ("f/node_modules/pkg/inner.js", "module.exports = ' inner'"),
        ("f/node_modules/pkg/sub-node.js", "module.exports = 'sub'"),
        ("f/node_modules/pkg/node_modules/dep/package.json", r#"{"name": "dep", "main": "./lib/main"}"#),
        ("f/node_modules/pkg/node_modules/dep/lib/main.js", "module.exports = 'nested dep'"),
        ("f/node_modules/dep/index.js", "module.exports = 'outer dep'"),
        ("f/node_modules/@scope/p/package.json", r#"{"name": "@scope/p"}"#),
        ("f/node_modules/@scope/p/index.js", "module.exports = 'scoped'"),
        ("node_modules/above/index.js", "module.exports = 'above'"),
    ]);
    let expected = json!({ "a": "cjs of nested dep inner", "b": "sub", "c": "scoped", "d": "esm of nested dep", "above": "MODULE_NOT_FOUND" });
    assert_eq!(project.result("f", "{}").await, expected);
}

#[tokio::test]
async fn an_es_module_can_be_required() {
    let project = Project::new(&[
        (
            "f/index.js",
            "const m = require('./m.mjs')\nconst d = require('./d.mjs')\nexports.main = async () => [m.a, (await import('./m.mjs')) === m, d.default, d.b, d.__esModule, require('esm-only').default]",
        ),
        ("f/m.mjs", "export const a = 1"),
        ("f/d.mjs", "export default 'default'; export const b = 2"),
        ("f/node_modules/esm-only/package.json", r#"{"type": "module", "exports": "./index.js"}"#),
        ("f/node_modules/esm-only/index.js", "export default 'esm only'"),
        ("g/index.js", "import fs from 'fs'\nexport const main = () => 1"),
    ]);
    assert_eq!(project.result("f", "{}").await, json!([1, true, "default", 2, true, "esm only"]));
    assert!(project.failure("g", "{}").await.starts_with("SyntaxError: "));
}

#[tokio::test]
async fn the_packed_sdk_knows_who_calls() {
    let code = "const cloud = require('wx-server-sdk')\ncloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })\nexports.main = async () => { const { OPENID, APPID, ENV } = cloud.getWXContext(); return { OPENID, APPID, ENV, version: require('wx-server-sdk/package.json').version } }";
    let project = Project::new(&[
        ("f/index.js", code),
        ("g/index.mjs", "import cloud from 'wx-server-sdk'\nexport const main = () => typeof cloud.init"),
    ]);
    for user in ["alice", "bob"] {
        let mut call = invocation("f", "{}");
        for (name, value) in [
            ("WX_CONTEXT_KEYS", "WX_OPENID,WX_APPID"),
            ("WX_OPENID", user),
            ("WX_APPID", "wx1"),
            ("TCB_ENV", "env-1"),
            ("TENCENTCLOUD_RUNENV", "SCF"),
        ] {
            call.environment_variables.insert(name.to_owned(), value.to_owned());
        }
        let result: serde_json::Value =
            serde_json::from_str(&project.functions.invoke(call).await.unwrap().result).unwrap();
        assert_eq!(result, json!({ "OPENID": user, "APPID": "wx1", "ENV": "env-1", "version": "4.0.2" }));
    }
    assert_eq!(project.result("g", "{}").await, "function");
}

#[tokio::test]
async fn an_installed_sdk_comes_first_and_the_packed_ones_dependencies_are_hidden() {
    let project = Project::new(&[
        (
            "f/index.js",
            "exports.main = () => { let hidden; try { require('axios') } catch (e) { hidden = e.code } return [require('wx-server-sdk'), hidden] }",
        ),
        ("f/node_modules/wx-server-sdk/index.js", "module.exports = 'mine'"),
    ]);
    assert_eq!(project.result("f", "{}").await, json!(["mine", "MODULE_NOT_FOUND"]));
}

#[tokio::test]
async fn module_state_survives_and_a_saved_file_is_live() {
    let project = Project::new(&[
        ("f/index.js", "let calls = 0; const text = require('../common/text'); exports.main = () => [++calls, text]"),
        ("common/text.js", "module.exports = 'one'"),
    ]);
    assert_eq!(project.result("f", "{}").await, json!([1, "one"]));
    assert_eq!(project.result("f", "{}").await, json!([2, "one"]));
    project.write("common/text.js", "module.exports = 'two, and longer'");
    assert_eq!(project.result("f", "{}").await, json!([1, "two, and longer"]));
    project.write("f/index.js", "let calls = 10; exports.main = () => ++calls");
    assert_eq!(project.result("f", "{}").await, 11);
    assert_eq!(project.result("f", "{}").await, 12);
    project.write("f/index.js", "exports.main = () => require('late')");
    assert!(project.failure("f", "{}").await.starts_with("Error: Cannot find module 'late'"));
    project.write("f/node_modules/late/index.js", "module.exports = 'installed'");
    project.write("f/node_modules/.package-lock.json", "{}");
    assert_eq!(project.result("f", "{}").await, "installed");
}
