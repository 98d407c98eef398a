//! Accounts: users who prove themselves with a password, an e-mail address or a telephone. They are users of the register like
//! any other, and their uid is their openid.

use crate::cloud::Environment;
use crate::error::{ActionError, codes};
use crate::register::{Entry, User};
use crate::tokens::{Login, SignedIn};
use argon2::Argon2;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// In bytes.
const PASSWORD_LENGTH_MAX: usize = 256;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// The country of telephone numbers that name none.
const COUNTRY_DEFAULT: &str = "+86";

/// Where a code can be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Email(String),
    /// With its country and without spaces: `+8613800000000`.
    Phone(String),
}

/// What is kept of a password: an Argon2id hash and its salt, as `salt$hash` in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl Address {
    pub(crate) fn email(text: &str) -> Result<Address, ActionError> {
        let is_email = text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
            && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        let lower = text.to_lowercase();
        if is_email {
            Ok(Address::Email(lower))
        } else {
            Err(refused(text, "e-mail address, such as alice@example.com"))
        }
    }

    pub(crate) fn phone(text: &str) -> Result<Address, ActionError> {
        let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let number = if compact.starts_with('+') { compact } else { format!("{COUNTRY_DEFAULT}{compact}") };
        let digits = number.get(1..).unwrap_or_default();
        let is_phone = (5..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_phone {
            Ok(Address::Phone(number))
        } else {
            Err(refused(text, "telephone number, such as +86 13800000000"))
        }
    }

    /// An address of either kind.
    pub(crate) fn parse(text: &str) -> Result<Address, ActionError> {
        if text.contains('@') { Address::email(text) } else { Address::phone(text) }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Address::Email(text) | Address::Phone(text) => text,
        }
    }

    pub(crate) fn login(&self) -> Login {
        match self {
            Address::Email(_) => Login::Email,
            Address::Phone(_) => Login::Phone,
        }
    }

    /// Whether it is that of `user`.
    pub(crate) fn is_of(&self, user: &User) -> bool {
        match self {
            Address::Email(text) => user.email.as_ref() == Some(text),
            Address::Phone(text) => user.phone.as_ref() == Some(text),
        }
    }

    /// Makes it that of `user`.
    pub(crate) fn give_to(self, user: &mut User) {
        match self {
            Address::Email(text) => user.email = Some(text),
            Address::Phone(text) => user.phone = Some(text),
        }
    }
}

impl PasswordHash {
    /// Takes its time: not for async code.
    pub(crate) fn of(password: &str) -> Result<PasswordHash, ActionError> {
        if !(1..=PASSWORD_LENGTH_MAX).contains(&password.len()) {
            return Err(ActionError::invalid_param(format!("a password has 1 to {PASSWORD_LENGTH_MAX} bytes")));
        }
        let salt: [u8; SALT_BYTES] = rand::random();
        let hash = hash(password, &salt)
            .ok_or_else(|| ActionError::new(codes::SYS_ERR, "the password cannot be hashed on this machine"))?;
        Ok(PasswordHash(format!("{}${}", STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash))))
    }

    /// Takes its time: not for async code.
    pub(crate) fn is_of(&self, password: &str) -> bool {
        let Some((salt, expected)) = self.0.split_once('$') else { return false };
        let (Ok(salt), Ok(expected)) = (STANDARD_NO_PAD.decode(salt), STANDARD_NO_PAD.decode(expected)) else {
            return false;
        };
        password.len() <= PASSWORD_LENGTH_MAX && hash(password, &salt).is_some_and(|hash| hash.as_slice() == expected)
    }

    /// The form it is kept in.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Takes what `text` gave out of a file.
    pub(crate) fn read(text: &str) -> Result<PasswordHash, ActionError> {
        let is_base64 = |part: &str| STANDARD_NO_PAD.decode(part).is_ok_and(|bytes| !bytes.is_empty());
        match text.split_once('$') {
            Some((salt, hash)) if is_base64(salt) && is_base64(hash) => Ok(PasswordHash(text.to_owned())),
            Some(_) | None => Err(ActionError::invalid_param("`passwordHash` is none that an export wrote")),
        }
    }

    /// Reads what `text` gave.
    pub(crate) fn kept(text: &str) -> PasswordHash {
        PasswordHash(text.to_owned())
    }
}

impl Environment {
    /// The user that `identifier` means: a name, an e-mail address or a telephone number; and the sign-in it belongs to.
    pub(crate) fn account(&self, identifier: &str) -> Option<(User, Login)> {
        let entries = self.register.entries();
        if let Some(user) = entries.user(identifier) {
            return Some((user.clone(), Login::Username));
        }
        let address = Address::parse(identifier).ok()?;
        entries.users().iter().find(|user| address.is_of(user)).map(|user| (user.clone(), address.login()))
    }

    /// The user whose openid is `openid`.
    pub(crate) fn user_of_openid(&self, openid: &str) -> Option<User> {
        self.register.entries().users().iter().find(|user| user.openid == openid).cloned()
    }

    /// Signs in whoever `identifier` means with their password.
    pub(crate) async fn sign_in_with_password(
        &self,
        identifier: &str,
        password: &str,
    ) -> Result<SignedIn, ActionError> {
        let (user, login) = self.account(identifier).ok_or_else(|| no_account(identifier))?;
        self.check_password(&user, password).await?;
        Ok(SignedIn::new(Some(user.openid), login))
    }

    /// Refuses a `password` that is not that of `user`.
    pub(crate) async fn check_password(&self, user: &User, password: &str) -> Result<(), ActionError> {
        let Some(hash) = user.password.clone() else {
            let message = format!("the user `{}` has no password: give one with `emulator users add`", user.name);
            return Err(ActionError::new(codes::INVALID_PASSWORD, message));
        };
        let password = password.to_owned();
        let is_it = blocking(move || hash.is_of(&password)).await?;
        if is_it { Ok(()) } else { Err(ActionError::new(codes::INVALID_PASSWORD, "the password is wrong")) }
    }

    /// Makes a user of `name` or, without one, of the name that their address gives, who can sign in with what is given.
    pub(crate) async fn new_account(
        &self,
        name: Option<&str>,
        openid: Option<&str>,
        addresses: impl IntoIterator<Item = Address>,
        password: Option<&str>,
    ) -> Result<User, ActionError> {
        let addresses: Vec<Address> = addresses.into_iter().collect();
        let password = match password {
            Some(password) => Some(hashed(password).await?),
            None => None,
        };
        let name =
            name.or(addresses.first().map(Address::text)).ok_or_else(|| ActionError::param_missing("username"))?;
        let _making = self.shared.making_user.lock().await;
        let entries = self.register.entries();
        if entries.user(name).is_some() {
            return Err(taken(name));
        }
        let mut user = User { password, ..entries.new_user(name, openid)? };
        for address in addresses {
            if entries.users().iter().any(|known| address.is_of(known)) {
                return Err(taken(address.text()));
            }
            address.give_to(&mut user);
        }
        self.register.put(Entry::User(user.clone())).await?;
        Ok(user)
    }

    /// Gives `user` another password.
    pub(crate) async fn set_password(&self, user: User, password: &str) -> Result<(), ActionError> {
        let password = Some(hashed(password).await?);
        self.register.put(Entry::User(User { password, ..user })).await
    }
}

/// What is answered for a user who is not there.
pub(crate) fn no_account(identifier: &str) -> ActionError {
    let message = format!("there is no user `{identifier}`: sign up first, or add them with `emulator users add`");
    ActionError::new(codes::NOT_FOUND, message)
}

fn taken(what: &str) -> ActionError {
    ActionError::new(codes::ALREADY_EXISTS, format!("there is a user `{what}` already"))
}

async fn hashed(password: &str) -> Result<PasswordHash, ActionError> {
    let password = password.to_owned();
    blocking(move || PasswordHash::of(&password)).await?
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ActionError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ActionError::new(codes::SYS_ERR, error.to_string()))
}

fn hash(password: &str, salt: &[u8]) -> Option<[u8; HASH_BYTES]> {
    let mut hash = [0; HASH_BYTES];
    Argon2::default().hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

fn refused(text: &str, what: &str) -> ActionError {
    ActionError::invalid_param(format!("`{text}` is no {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        let text = |address: Result<Address, ActionError>| address.ok().map(|address| address.text().to_owned());
        assert_eq!(text(Address::parse("Alice@Example.com")), Some("alice@example.com".to_owned()));
        for number in ["+86 13800000000", "13800000000", "+8613800000000", "138-0000-0000"] {
            assert_eq!(text(Address::parse(number)), Some("+8613800000000".to_owned()), "{number}");
        }
        for bad in ["", "alice", "@", "a@", "@b", "a b@c", "+", "12", "+86 138x", "中文"] {
            assert_eq!(text(Address::parse(bad)), None, "{bad}");
        }
    }

    #[test]
    fn a_password_is_kept_as_a_hash() {
        let hash = PasswordHash::of("secret").unwrap();
        assert!(!hash.text().contains("secret") && hash != PasswordHash::of("secret").unwrap());
        let kept = PasswordHash::kept(hash.text());
        assert!(kept.is_of("secret") && !kept.is_of("Secret") && !kept.is_of(""));
        for broken in ["", "$", "a$b", "!$!"] {
            assert!(!PasswordHash::kept(broken).is_of("secret") && !PasswordHash::kept(broken).is_of(""));
        }
        assert!(PasswordHash::of("").is_err() && PasswordHash::of(&"x".repeat(300)).is_err());
    }
}
