//! Masks of texts. What looks like a number, an address or an openid still does.

use super::Hashes;
use super::digits::{DIGITS_MAX, permute, permute_until, with_digits};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// As long as WeChat's.
const OPENID_LENGTH: usize = 28;
/// The country of most telephones; with it and without it a number is the same.
const COUNTRY: &str = "+86";
const MOBILE_LENGTH: usize = 11;
/// How many hexadecimal digits make a mask.
const TOKEN_DIGITS: usize = 16;

/// Another text of the same kind.
pub(super) fn masked(hashes: &Hashes, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else if is_number(text) {
        mask_number(hashes, text)
    } else if let Some(front) = text.strip_suffix(['X', 'x']).filter(|front| is_identity_card(front)) {
        format!("{}X", mask_digits(hashes, front, 0))
    } else if is_openid(text) {
        mask_openid(hashes, text)
    } else if is_email(text) {
        format!("user-{}@example.com", token(hashes, &text.to_lowercase()))
    } else {
        format!("masked-{}", token(hashes, text))
    }
}

/// Digits, in groups perhaps, as telephones are written.
fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    rest.starts_with(|first: char| first.is_ascii_digit())
        && (1..=DIGITS_MAX).contains(&digits)
        && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'))
}

/// All but the last character of one that ends in X.
fn is_identity_card(front: &str) -> bool {
    front.len() == 17 && front.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_openid(text: &str) -> bool {
    text.len() == OPENID_LENGTH
        && text.starts_with('o')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_email(text: &str) -> bool {
    let is_host = |host: &str| host.contains('.') && !host.contains('@');
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && is_host(host))
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn mask_number(hashes: &Hashes, text: &str) -> String {
    let (country, rest) = match text.strip_prefix(COUNTRY) {
        Some(rest) if rest.bytes().any(|byte| byte.is_ascii_digit()) => (COUNTRY, rest),
        Some(_) | None => ("", text),
    };
    let digits: Vec<u8> = rest.bytes().filter(u8::is_ascii_digit).collect();
    // A mobile's number begins with a 1.
    let kept = usize::from(digits.len() == MOBILE_LENGTH && digits.first() == Some(&b'1'));
    format!("{country}{}", mask_digits(hashes, rest, kept))
}

/// Other digits in the place of all but the first `kept`. Zeros in front stay zeros, and nothing else becomes one.
fn mask_digits(hashes: &Hashes, text: &str, kept: usize) -> String {
    let mut digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    if let Some(digits) = digits.get_mut(kept..) {
        match digits.first() {
            Some(0) | None => permute_until(hashes, digits, |digits| digits.first() == Some(&0)),
            Some(_) if kept == 0 => permute_until(hashes, digits, |digits| digits.first() != Some(&0)),
            Some(_) => permute(hashes, digits),
        }
    }
    with_digits(text, &digits)
}

fn mask_openid(hashes: &Hashes, text: &str) -> String {
    let letters = URL_SAFE_NO_PAD.encode(hashes.of("openid", text.as_bytes()));
    format!("o{}", letters.get(..OPENID_LENGTH - 1).unwrap_or_default())
}

fn token(hashes: &Hashes, text: &str) -> String {
    let hash = hashes.of("text", text.as_bytes());
    let mut digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(TOKEN_DIGITS);
    digits
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::tests::hashes;
    use super::*;

    fn mask(text: &str) -> String {
        masked(&hashes(), text)
    }

    /// The text with 9 for every digit and a for every letter.
    fn form(text: &str) -> String {
        let of = |c: char| {
            if c.is_ascii_digit() {
                '9'
            } else if c.is_ascii_alphabetic() {
                'a'
            } else {
                c
            }
        };
        text.chars().map(of).collect()
    }

    #[test]
    fn kinds_of_text_stay() {
        for text in
            ["13800138000", "+86 138-0013-8000", "007", "5", "110101199003074510", "11010119900307451X", "010-12345678"]
        {
            assert_eq!(form(&mask(text)), form(text), "{}", mask(text));
            assert_ne!(mask(text), text);
        }
        assert!(mask("13800138000").starts_with('1'));
        assert!(mask("+8613800138000").starts_with("+861"));
        let openid = mask("oALICE0000000000000000000001");
        assert!(is_openid(&openid), "{openid}");
        let email = mask("Alice@Mail.cn");
        assert!(email.ends_with("@example.com") && is_email(&email) && email == mask("alice@mail.cn"), "{email}");
        for text in ["张三", "2026-01-01T00:00", "a b", "o1", "+", "x@y"] {
            assert!(mask(text).starts_with("masked-") && mask(text).len() == 23, "{}", mask(text));
        }
        assert_eq!(mask(""), "");
    }

    #[test]
    fn a_telephone_is_the_same_however_it_is_written() {
        let plain = |text: &str| mask(text).replace([' ', '-'], "").trim_start_matches("+86").to_owned();
        assert_eq!(plain("13800138000"), plain("+86 138 0013 8000"));
        assert_eq!(plain("13800138000"), plain("138-0013-8000"));
    }
}
