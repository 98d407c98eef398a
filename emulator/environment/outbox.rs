//! What the cloud would send by e-mail and text message: codes that prove an address. Held in memory, shown in the log, by
//! `emulator outbox` and at `/_emulator/outbox`; nothing leaves the machine.

use crate::accounts::Address;
use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::tokens::STEP_LIFE;
use rand::Rng;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// How many messages are kept; the oldest go first.
const MESSAGES_MAX: usize = 1_000;
/// Codes have six digits, none of them a leading zero.
const CODES: std::ops::RangeInclusive<u32> = 100_000..=999_999;
/// How many wrong guesses end a code.
const GUESSES_MAX: u32 = 10;

/// The messages of all environments, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    messages: Mutex<VecDeque<Message>>,
}

#[derive(Debug)]
struct Message {
    environment: String,
    /// What the client names when it brings the code back.
    verification: String,
    to: Address,
    code: String,
    sent_ms: i64,
    /// Taken away by wrong guesses and by the right one.
    guesses: u32,
}

impl Environment {
    /// Sends a code to `to`, and returns the id of the verification that it belongs to.
    pub(crate) fn send_code(&self, to: Address) -> String {
        let code = rand::rng().random_range(CODES).to_string();
        tracing::info!("message to {}: your verification code is {code}", to.text());
        let verification = Uuid::new_v4().simple().to_string();
        let mut messages = self.shared.outbox.lock();
        if messages.len() >= MESSAGES_MAX {
            messages.pop_front();
        }
        messages.push_back(Message {
            environment: self.name.to_string(),
            verification: verification.clone(),
            to,
            code,
            sent_ms: self.shared.clock.now_ms(),
            guesses: GUESSES_MAX,
        });
        verification
    }

    /// Whom `code` was sent to in `verification`. Each code is good for once.
    pub(crate) fn check_code(&self, verification: &str, code: &str) -> Result<Address, ActionError> {
        self.check(code, |message| message.verification == verification)
    }

    /// Whether `code` is the last one sent to `to`.
    pub(crate) fn check_code_sent_to(&self, to: &Address, code: &str) -> Result<(), ActionError> {
        self.check(code, |message| message.to == *to).map(drop)
    }

    /// What was sent, the oldest first.
    pub(crate) fn outbox(&self) -> Value {
        let messages = self.shared.outbox.lock();
        let mine = messages.iter().filter(|message| message.environment == *self.name);
        let list =
            mine.map(|message| json!({ "to": message.to.text(), "code": message.code, "sentAt": message.sent_ms }));
        json!({ "messages": list.collect::<Vec<_>>() })
    }

    fn check(&self, code: &str, is_meant: impl Fn(&Message) -> bool) -> Result<Address, ActionError> {
        let now_ms = self.shared.clock.now_ms();
        let mut messages = self.shared.outbox.lock();
        let message = messages
            .iter_mut()
            .rev()
            .find(|message| message.environment == *self.name && is_meant(message))
            .filter(|message| message.guesses > 0 && u128::from(message.age_ms(now_ms)) <= STEP_LIFE.as_millis())
            .ok_or_else(|| wrong_code("the verification code has expired or was used: ask for another"))?;
        message.guesses = if message.code == code { 0 } else { message.guesses - 1 };
        if message.code == code { Ok(message.to.clone()) } else { Err(wrong_code("the verification code is wrong")) }
    }
}

impl Outbox {
    /// Forgets what was sent in an environment.
    pub(crate) fn forget(&self, environment: &str) {
        self.lock().retain(|message| message.environment != environment);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        // The list is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Message {
    fn age_ms(&self, now_ms: i64) -> u64 {
        now_ms.saturating_sub(self.sent_ms).max(0).unsigned_abs()
    }
}

fn wrong_code(message: &str) -> ActionError {
    ActionError::new(codes::INVALID_VERIFICATION_CODE, message)
}
