//! The time that functions are told, and dates and numbers as text: the engine has no locale data, the emulator's own
//! bootstrap has the cases that functions use.

use functions::CallClock;
use serde_json::{Value, json};

use crate::common::{Project, invocation};

/// 2030-01-01T00:00:00.000Z
const THIRTY_MS: i64 = 1_893_456_000_000;

/// What an expression gives while the clock is that.
async fn told(project: &Project, clock: CallClock, code: &str) -> Value {
    let call = functions::Invocation { clock, ..invocation("f", &json!(code).to_string()) };
    serde_json::from_str(&project.functions.invoke(call).await.unwrap().result).unwrap()
}

#[tokio::test]
async fn the_time_is_the_calls() {
    let project = Project::new(&[("f/index.js", "const { now } = Date; exports.main = (code) => eval(code)")]);
    let frozen = CallClock::Frozen { at_ms: THIRTY_MS };
    let forms = "[Date.now(), now(), new Date().getTime(), +new Date, Date.parse(Date()), Reflect.construct(Date, []).getTime()]";
    assert_eq!(told(&project, frozen, forms).await, json!(vec![THIRTY_MS; 6]));
    let machine_ms = told(&project, CallClock::Running { offset_ms: 0 }, "Date.now()").await.as_i64().unwrap();
    let year_ms = 365 * 86_400_000;
    let later_ms = told(&project, CallClock::Running { offset_ms: year_ms }, "Date.now()").await.as_i64().unwrap();
    assert!((0..20_000).contains(&(later_ms - machine_ms - year_ms)), "{machine_ms} {later_ms}");
    let waited = "(async () => { const from = [performance.now(), Date.now()]; await new Promise((done) => setTimeout(done, 50)); \
                  return performance.now() - from[0] >= 45 && Date.now() === from[1] })()";
    assert_eq!(told(&project, frozen, waited).await, json!(true));
}

#[tokio::test]
async fn dates_are_dates_all_the_same() {
    check(&[
        ("Date.name + Date.length + typeof Date", "Date7function"),
        ("Date.UTC(2030, 0) === Date.parse('2030-01-01T00:00:00Z')", "true"),
        ("new Date(2024, 0, 31).toISOString()", "2024-01-31T00:00:00.000Z"),
        ("new Date(undefined)", "Invalid Date"),
        ("d.constructor === Date && d instanceof Date && new Date(d).getTime() === d.getTime()", "true"),
        ("Object.prototype.toString.call(new Date())", "[object Date]"),
        ("new (class Day extends Date { get day() { return this.getUTCDate() } })(2024, 0, 31).day", "31"),
        ("new (class Day extends Date {})().getTime() > 0", "true"),
        ("structuredClone(d) instanceof Date", "true"),
        ("require('util').types.isDate(new Date()) && require('util').inspect(d)", "2024-01-31T18:05:09.045Z"),
        ("typeof Date()", "string"),
        ("Object.keys(Date).length + Object.keys(globalThis).filter((name) => name === 'Date').length", "0"),
        ("/native code/.test(String(Date))", "true"),
    ])
    .await;
}

#[tokio::test]
async fn the_time_zone_is_utc_unless_the_function_says_otherwise() {
    let project = Project::new(&[(
        "f/index.js",
        "exports.main = () => [new Date(0).getHours(), new Date(0).getTimezoneOffset(), process.env.TZ]",
    )]);
    assert_eq!(project.result("f", "{}").await, json!([0, 0, "UTC"]));
    let mut call = invocation("f", "{}");
    call.environment_variables.insert("TZ".to_owned(), "Asia/Shanghai".to_owned());
    let completion = project.functions.invoke(call).await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&completion.result).unwrap(), json!([8, -480, "Asia/Shanghai"]));
    assert_eq!(project.result("f", "{}").await, json!([0, 0, "UTC"]));
}

/// What an expression gives; the expected texts are Node 20's own.
async fn check(rows: &[(&str, &str)]) {
    let project = Project::new(&[(
        "f/index.js",
        "const d = new Date(Date.UTC(2024, 0, 31, 18, 5, 9, 45)), n = 1234567.891, zone = { timeZone: 'Asia/Shanghai' }; exports.main = (event) => event.map((code) => { try { return String(eval(code)) } catch (e) { return e.name } })",
    )]);
    let codes: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let results = project.result("f", &serde_json::to_string(&codes).unwrap()).await;
    for (at, (code, expected)) in rows.iter().enumerate() {
        assert_eq!(results[at], *expected, "{code}");
    }
}

#[tokio::test]
async fn dates_by_locale_and_zone() {
    check(&[
        ("d.toLocaleString('zh-CN', zone)", "2024/2/1 02:05:09"),
        ("d.toLocaleDateString('zh-CN', zone)", "2024/2/1"),
        ("d.toLocaleTimeString('zh-CN', { ...zone, hour12: false })", "02:05:09"),
        ("d.toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: true })", "下午06:05"),
        ("d.toLocaleDateString('zh-CN', { year: 'numeric', month: '2-digit', day: '2-digit' })", "2024/01/31"),
        (
            "d.toLocaleDateString('zh-CN', { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' })",
            "2024年1月31日星期三",
        ),
        ("d.toLocaleString('zh-CN', { dateStyle: 'medium', timeStyle: 'short' })", "2024年1月31日 18:05"),
        ("d.toLocaleString()", "1/31/2024, 6:05:09 PM"),
        ("d.toLocaleString('en-US', { timeZone: 'America/New_York' })", "1/31/2024, 1:05:09 PM"),
        ("d.toLocaleString('en-US', { ...zone, hour12: false })", "2/1/2024, 02:05:09"),
        (
            "d.toLocaleDateString('en-US', { year: 'numeric', month: 'long', day: 'numeric', weekday: 'long' })",
            "Wednesday, January 31, 2024",
        ),
        ("d.toLocaleDateString('en-US', { dateStyle: 'short' })", "1/31/24"),
        ("d.toLocaleString('en-US', { ...zone, timeZoneName: 'short' })", "2/1/2024, 2:05:09 AM GMT+8"),
        ("d.toLocaleString('zh-CN', { timeZone: 'Nowhere/X' })", "RangeError"),
        ("new Date(NaN).toLocaleString('zh-CN')", "Invalid Date"),
        ("new Intl.DateTimeFormat('zh-CN', { ...zone, hour: '2-digit', minute: '2-digit' }).format(d)", "02:05"),
        ("Intl.DateTimeFormat().resolvedOptions().timeZone", "UTC"),
        (
            "new Intl.DateTimeFormat('zh-CN', zone).formatToParts(d).map((part) => part.type)",
            "year,literal,month,literal,day",
        ),
    ])
    .await;
}

#[tokio::test]
async fn numbers_by_locale() {
    check(&[
        ("n.toLocaleString()", "1,234,567.891"),
        ("n.toLocaleString('zh-CN', { style: 'currency', currency: 'CNY' })", "¥1,234,567.89"),
        (
            "n.toLocaleString('en-US', { style: 'currency', currency: 'USD', minimumFractionDigits: 0 })",
            "$1,234,567.89",
        ),
        ("(-0.5).toLocaleString('en-US', { style: 'percent' })", "-50%"),
        ("(1.005).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })", "1.01"),
        ("(12).toLocaleString('en-US', { minimumIntegerDigits: 4, useGrouping: false })", "0012"),
        ("(1e21).toLocaleString()", "1,000,000,000,000,000,000,000"),
        ("(123456789n).toLocaleString()", "123,456,789"),
        ("new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 }).format(123456)", "123,000"),
        ("(0).toLocaleString('en-US', { minimumFractionDigits: 101 })", "RangeError"),
    ])
    .await;
}
