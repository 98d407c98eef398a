//! How far a long command has come: a bar on standard error, fed by `progress` on a connection of its own.

use crate::client;
use crate::language::text;
use environment::Holder;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// What is done by then needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(150);
const BAR: &str = "{msg:12} [{bar:30}] {human_pos}/{human_len} {eta}";
/// Where nobody knows how much there is.
const COUNTER: &str = "{msg:12} {spinner} {human_pos}";

/// Shows how far `job` has come, where somebody would see it, until dropped; then the bar is gone from the screen.
pub(crate) async fn show(holder: &Holder, job: &str) -> Infallible {
    if !io::stderr().is_terminal() {
        return std::future::pending().await;
    }
    tokio::time::sleep(PATIENCE).await;
    let bar = ProgressBar::no_length().with_finish(ProgressFinish::AndClear);
    loop {
        // A question that fails tells nothing; the command's own answer will.
        if let Ok(found) = client::post(holder, "/_emulator/progress", &json!({ "job": job })).await {
            draw(&bar, &found);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn draw(bar: &ProgressBar, found: &Value) {
    let Some(stage) = found["stage"].as_str() else { return };
    let total = found["total"].as_u64();
    if let Ok(style) = ProgressStyle::with_template(if total.is_some() { BAR } else { COUNTER }) {
        bar.set_style(style);
    }
    bar.set_message(stage_text(stage));
    match total {
        Some(total) => bar.set_length(total),
        None => bar.unset_length(),
    }
    bar.set_position(found["done"].as_u64().unwrap_or_default());
    bar.tick();
}

/// A stage that is new to this program keeps its own name.
fn stage_text(stage: &str) -> String {
    match stage {
        "committing" => text!("stage-committing"),
        "reading" => text!("stage-reading"),
        "storing" => text!("stage-storing"),
        "writing" => text!("stage-writing"),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_follows_what_is_said_of_the_job() {
        let bar = ProgressBar::hidden();
        draw(&bar, &json!({}));
        assert_eq!((bar.position(), bar.message()), (0, String::new()));
        draw(&bar, &json!({ "job": "j", "stage": "reading", "done": 5, "total": 10 }));
        assert_eq!((bar.position(), bar.length(), bar.message()), (5, Some(10), "reading".to_owned()));
        draw(&bar, &json!({ "job": "j", "stage": "packing", "done": 7, "total": null }));
        assert_eq!((bar.position(), bar.length(), bar.message()), (7, None, "packing".to_owned()));
    }
}
