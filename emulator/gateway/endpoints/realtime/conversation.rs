//! One WebSocket, from its first frame to its last: who speaks, the watches they hold on it, and when an event may be sent
//! (protocol §4.3, §4.4). What is watched, and what was missed, is `environment`'s.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use environment::codes::{CHECK_LOGIN_FAILED, QUERYID_INVALID_ERROR, SIGN_INVALID_ERROR};
use environment::{ActionError, Caller, Cloud, Environment, EventsText, HeldWatch, Watched};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message as Packet};

use super::frames::{self, Envelope, Frame, Malformed, Message};

/// Clients throw away events that come before they have dealt with the answer to INIT_WATCH or REBUILD_WATCH (protocol §4.3).
const TICK: Duration = Duration::from_millis(30);

/// How long a client may say nothing before it is asked whether it is there, and before it counts as gone.
const SILENCE_ASKED: Duration = Duration::from_secs(30);
const SILENCE_MAX: Duration = Duration::from_secs(90);

/// How long a client may take to make room for more, and to answer a goodbye.
const SEND_PATIENCE: Duration = Duration::from_secs(30);
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// How many watches one socket may hold, and how many events are sent at once.
const WATCHES_MAX: usize = 500;
const EVENTS_AT_ONCE: usize = 64;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Speaks with one client until either side has had enough.
pub(super) async fn converse(cloud: Cloud, socket: Socket, mut closing: watch::Receiver<bool>) {
    let mut conversation = Conversation::new(cloud, socket);
    let ended = tokio::select! {
        ended = conversation.run() => ended,
        _ = closing.wait_for(|closing| *closing) => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a WebSocket ended");
    }
    conversation.end().await;
}

struct Conversation {
    cloud: Cloud,
    socket: Socket,
    /// `None` until LOGIN.
    login: Option<Login>,
    watches: Vec<Open>,
    /// When the client last said anything, and when it is to be asked whether it is there.
    heard: Instant,
    ask_at: Instant,
    timer: Pin<Box<Sleep>>,
    /// Whether an event was what came last: the client is listened to first, then.
    told_last: bool,
}

struct Login {
    caller: Caller,
    /// Its name alone: a fork may be dropped, and made anew, while the socket is open.
    environment: String,
}

/// A watch on this socket.
struct Open {
    watch_id: String,
    watch: HeldWatch,
    /// No event is sent before.
    quiet_until: Instant,
}

/// What happens next on a socket.
enum Next {
    Packet(Option<Result<Packet, Error>>),
    Watched(usize, Watched),
    /// The time of something has come.
    Time,
}

impl Conversation {
    fn new(cloud: Cloud, socket: Socket) -> Conversation {
        let heard = Instant::now();
        let ask_at = heard + SILENCE_ASKED;
        let timer = Box::pin(sleep_until(ask_at));
        Conversation { cloud, socket, login: None, watches: Vec::new(), heard, ask_at, timer, told_last: false }
    }

    async fn run(&mut self) -> Result<(), Error> {
        loop {
            match self.next().await {
                Next::Packet(Some(packet)) => {
                    self.heard = Instant::now();
                    self.ask_at = self.heard + SILENCE_ASKED;
                    if !self.receive(packet?).await? {
                        return Ok(());
                    }
                }
                Next::Packet(None) => return Ok(()),
                Next::Watched(index, watched) => self.tell(index, watched).await?,
                Next::Time if self.heard.elapsed() >= SILENCE_MAX => return Ok(()),
                Next::Time if self.ask_at <= Instant::now() => {
                    self.ask_at = Instant::now() + SILENCE_ASKED;
                    self.send(Packet::Ping(Bytes::new())).await?;
                }
                Next::Time => {}
            }
        }
    }

    async fn next(&mut self) -> Next {
        let now = Instant::now();
        let loud = self.watches.iter().map(|open| open.quiet_until).filter(|until| *until > now);
        let until = loud.fold(self.ask_at, Instant::min);
        if until < self.timer.deadline() || self.timer.is_elapsed() {
            self.timer.as_mut().reset(until); // one that is due too early does no harm
        }
        let (socket, watches, told_last) = (&mut self.socket, &mut self.watches, self.told_last);
        let timer = &mut self.timer;
        let next = poll_fn(|context| {
            for listening in [told_last, !told_last] {
                let found = match listening {
                    true => socket.poll_next_unpin(context).map(Next::Packet),
                    false => poll_watches(watches, context).map(|(index, watched)| Next::Watched(index, watched)),
                };
                if found.is_ready() {
                    return found;
                }
            }
            timer.as_mut().poll(context).map(|()| Next::Time)
        })
        .await;
        self.told_last = matches!(next, Next::Watched(..));
        next
    }

    /// Returns whether there may be more.
    async fn receive(&mut self, packet: Packet) -> Result<bool, Error> {
        match packet {
            Packet::Text(text) => match frames::read(&text) {
                Ok(frame) => self.answer(frame).await?,
                Err(Malformed { envelope, error }) => self.say(envelope.error(&error)).await?,
            },
            Packet::Binary(_) => {
                let error = ActionError::invalid_param("frames are text, this one is binary");
                self.say(Envelope::default().error(&error)).await?;
            }
            Packet::Ping(_) | Packet::Pong(_) => self.socket.flush().await?, // the answer is made by itself
            Packet::Close(_) | Packet::Frame(_) => return Ok(false),
        }
        Ok(true)
    }

    async fn answer(&mut self, frame: Frame) -> Result<(), Error> {
        let Frame { envelope, message } = frame;
        match message {
            Message::Ping => self.say(envelope.pong()).await,
            Message::Login { environment, tokens } => {
                let login = self.log_in(environment.as_deref(), &tokens);
                let outcome = login.as_ref().map(|login| login.environment.as_str());
                let text = envelope.login_res(outcome);
                self.login = login.ok();
                self.say(text).await
            }
            Message::InitWatch { environment, params } => {
                let begun = self.begin(environment.as_deref(), &envelope, params).await;
                self.welcome(envelope, "INIT_EVENT", begun).await
            }
            Message::RebuildWatch { environment, query_id, event_id } => {
                let resumed = self.resume(environment.as_deref(), &envelope, &query_id, event_id);
                self.welcome(envelope, "NEXT_EVENT", resumed).await
            }
            Message::CheckLast => self.check_last(envelope).await,
            Message::CloseWatch => {
                if let Some(index) = self.index_of(&envelope) {
                    self.watches.swap_remove(index).watch.close();
                }
                Ok(())
            }
        }
    }

    fn log_in(&self, environment: Option<&str>, tokens: &[String]) -> Result<Login, ActionError> {
        let environment = self.cloud.environment(environment.unwrap_or_default())?;
        let caller = tokens.iter().find_map(|token| self.cloud.caller_of_token(token)).ok_or_else(|| {
            let message = "signStr is none that this emulator gave, or has expired: sign in again";
            ActionError::new(SIGN_INVALID_ERROR, message)
        })?;
        if caller.environment.as_deref().is_some_and(|minted_for| minted_for != environment.name()) {
            let message = "signStr was given for another environment: sign in to this one";
            return Err(ActionError::new(SIGN_INVALID_ERROR, message));
        }
        Ok(Login { caller, environment: environment.name().to_owned() })
    }

    /// Who asks, and of which environment.
    fn asker(&self, environment: Option<&str>) -> Result<(Environment, &Caller), ActionError> {
        let login = self.login.as_ref().ok_or_else(|| {
            ActionError::new(CHECK_LOGIN_FAILED, "log in first: the socket has seen no LOGIN that was accepted")
        })?;
        let environment = self.cloud.environment(environment.unwrap_or(&login.environment))?;
        Ok((environment, &login.caller))
    }

    async fn begin(
        &mut self,
        environment: Option<&str>,
        envelope: &Envelope,
        params: serde_json::Map<String, serde_json::Value>,
    ) -> Result<(HeldWatch, EventsText), ActionError> {
        let (environment, caller) = self.asker(environment)?;
        self.check_room(envelope)?;
        environment.watch(caller, params).await
    }

    fn resume(
        &self,
        environment: Option<&str>,
        envelope: &Envelope,
        query_id: &str,
        seen: u64,
    ) -> Result<(HeldWatch, EventsText), ActionError> {
        let (environment, caller) = self.asker(environment)?;
        self.check_room(envelope)?;
        environment.resume_watch(caller, query_id, seen)
    }

    fn check_room(&self, envelope: &Envelope) -> Result<(), ActionError> {
        if envelope.watch_id.is_none() {
            return Err(ActionError::invalid_param("watchId is missing"));
        }
        if self.watches.len() >= WATCHES_MAX && self.index_of(envelope).is_none() {
            return Err(ActionError::invalid_param(format!("a socket holds at most {WATCHES_MAX} watches")));
        }
        Ok(())
    }

    /// Answers with the first events of a watch, or why there is none. The watch before it under the same id is over.
    async fn welcome(
        &mut self,
        envelope: Envelope,
        message_type: &str,
        outcome: Result<(HeldWatch, EventsText), ActionError>,
    ) -> Result<(), Error> {
        let (watch, events) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return self.say(envelope.error(&error)).await,
        };
        if let Some(index) = self.index_of(&envelope) {
            self.watches.swap_remove(index).watch.close();
        }
        let text = envelope.events(message_type, watch.query_id(), &events);
        let watch_id = envelope.watch_id.unwrap_or_default();
        self.watches.push(Open { watch_id: watch_id.clone(), watch, quiet_until: Instant::now() + TICK });
        self.say(text).await?;
        if let Some(open) = self.watches.iter_mut().find(|open| open.watch_id == watch_id) {
            open.quiet_until = Instant::now() + TICK;
        }
        Ok(())
    }

    async fn check_last(&mut self, envelope: Envelope) -> Result<(), Error> {
        let open = self.index_of(&envelope).and_then(|index| self.watches.get(index));
        let current = open.and_then(|open| Some((open.watch.query_id(), open.watch.current()?)));
        let text = match current {
            Some((query_id, current)) => envelope.check_event(query_id, current),
            None => {
                let message = "this socket holds no such watch: watch again";
                envelope.error(&ActionError::new(QUERYID_INVALID_ERROR, message))
            }
        };
        self.say(text).await
    }

    fn index_of(&self, envelope: &Envelope) -> Option<usize> {
        let watch_id = envelope.watch_id.as_deref()?;
        self.watches.iter().position(|open| open.watch_id == watch_id)
    }

    /// Sends what a watch yielded, and with it what else is there already.
    async fn tell(&mut self, index: usize, watched: Watched) -> Result<(), Error> {
        let mut next = Some((index, watched));
        let mut texts = Vec::new();
        while let Some((index, watched)) = next.take() {
            texts.extend(self.text_of(index, watched));
            if texts.len() < EVENTS_AT_ONCE {
                next = self.ready_watch().await;
            }
        }
        let sending = async {
            for text in texts {
                self.socket.feed(Packet::text(text)).await?;
            }
            self.socket.flush().await
        };
        timeout(SEND_PATIENCE, sending).await.unwrap_or_else(|_| Err(gone()))
    }

    fn text_of(&mut self, index: usize, watched: Watched) -> Option<String> {
        let open = self.watches.get(index)?;
        let envelope = Envelope { watch_id: Some(open.watch_id.clone()), request_id: "event".to_owned() };
        match watched {
            Watched::Events(events) => Some(envelope.events("NEXT_EVENT", open.watch.query_id(), &events)),
            Watched::Ended(error) => {
                self.watches.swap_remove(index);
                Some(envelope.error(&error))
            }
            Watched::Taken => {
                self.watches.swap_remove(index);
                None
            }
        }
    }

    /// What a watch yields at once.
    async fn ready_watch(&mut self) -> Option<(usize, Watched)> {
        poll_fn(|context| {
            Poll::Ready(match poll_watches(&mut self.watches, context) {
                Poll::Ready(found) => Some(found),
                Poll::Pending => None,
            })
        })
        .await
    }

    async fn say(&mut self, text: String) -> Result<(), Error> {
        self.send(Packet::text(text)).await
    }

    async fn send(&mut self, packet: Packet) -> Result<(), Error> {
        timeout(SEND_PATIENCE, self.socket.send(packet)).await.unwrap_or_else(|_| Err(gone()))
    }

    /// Says goodbye, and waits a moment for the answer. Watches that are left can be resumed.
    async fn end(mut self) {
        self.watches.clear();
        let frame = CloseFrame { code: CloseCode::Away, reason: "the emulator ends the connection".into() };
        let goodbye = async {
            // Refused where the client said goodbye first; reading on answers it then.
            let _ = self.socket.close(Some(frame)).await;
            while self.socket.next().await.transpose()?.is_some() {}
            Ok::<(), Error>(())
        };
        // A client that is gone needs no goodbye.
        let _ = timeout(CLOSE_PATIENCE, goodbye).await;
    }
}

/// Something that a watch yields which need not be quiet.
fn poll_watches(watches: &mut [Open], context: &mut Context<'_>) -> Poll<(usize, Watched)> {
    let now = Instant::now();
    for (index, open) in watches.iter_mut().enumerate() {
        if open.quiet_until <= now
            && let Poll::Ready(watched) = open.watch.poll_next(context)
        {
            return Poll::Ready((index, watched));
        }
    }
    Poll::Pending
}

fn gone() -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the client takes nothing in"))
}
