//! The log, on standard error: for people a line each with the time and, for what a function printed, its name and request;
//! for programs JSON lines with the same fields.

use crate::arguments::LogFormat;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{ChronoLocal, FormatTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Whose verbosity the variable sets, as `RUST_LOG` does elsewhere.
const FILTER_VARIABLE: &str = "EMULATOR_LOG";
const FILTER_DEFAULT: &str =
    "warn,emulator=info,gateway=info,environment=info,database=info,storage=info,functions=info,function=info";
/// How much of a request id tells one request from the next on a screen.
const REQUEST_ID_SHOWN: usize = 8;

/// Begins to log. The first call counts.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match format {
        LogFormat::Text => log.event_format(Lines { time: ChronoLocal::new("%H:%M:%S%.3f".into()) }).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
}

/// `12:30:01.250 addTodo 1f0c93aa  text`, or `12:30:01.250 WARN text` for what the emulator says itself.
struct Lines {
    time: ChronoLocal,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Line::default();
        event.record(&mut line);
        self.time.format_time(&mut writer)?;
        write!(writer, " ")?;
        match *event.metadata().level() {
            Level::ERROR => write!(writer, "ERROR ")?,
            Level::WARN => write!(writer, "WARN  ")?,
            Level::DEBUG | Level::TRACE | Level::INFO => {}
        }
        if let Some(function) = &line.function {
            let request: String = line.request_id.chars().take(REQUEST_ID_SHOWN).collect();
            write!(writer, "{function} {request}  ")?;
        }
        writeln!(writer, "{}{}", line.message, line.rest)
    }
}

/// The fields of one event.
#[derive(Default)]
struct Line {
    message: String,
    function: Option<String>,
    request_id: String,
    /// Every other field, as ` name=value`.
    rest: String,
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "function" => self.function = Some(value.to_owned()),
            "request_id" => self.request_id = value.to_owned(),
            "message" => self.message = value.to_owned(),
            name => self.rest.push_str(&format!(" {name}={value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
