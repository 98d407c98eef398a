//! Signatures that make a link unforgeable: HMAC-SHA256 under a random key that lives in the storage folder.
//! What the signed text says (path, expiry) and whether it still holds is the environment's to decide.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::files::write_atomically;

const KEY_FILE: &str = "signing-key";
const KEY_BYTES: usize = 32;

/// The key of one storage folder. Links signed in an earlier run hold, unless the key file was removed.
pub(crate) struct Signer {
    key: [u8; KEY_BYTES],
}

impl Signer {
    /// Reads the key of `folder`, or makes one. A file of another length counts as none.
    pub(crate) fn open(folder: &Path, temporary: &Path) -> io::Result<Signer> {
        let file = folder.join(KEY_FILE);
        match fs::read(&file) {
            Ok(bytes) => match bytes.try_into() {
                Ok(key) => Ok(Signer { key }),
                Err(_) => Signer::create(&file, temporary),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Signer::create(&file, temporary),
            Err(error) => Err(error),
        }
    }

    fn create(file: &Path, temporary: &Path) -> io::Result<Signer> {
        let key = random_key();
        write_atomically(temporary, file, &key)?;
        Ok(Signer { key })
    }

    /// The signature of `text`: base64url without padding, so it needs no escaping in a URL.
    pub(crate) fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(text).finalize().into_bytes())
    }

    /// Whether `signature` is that of `text`; takes as long for a near miss as for a wild guess.
    pub(crate) fn verify(&self, text: &str, signature: &str) -> bool {
        match URL_SAFE_NO_PAD.decode(signature) {
            Ok(bytes) => self.mac(text).verify_slice(&bytes).is_ok(),
            Err(_) => false,
        }
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        // Hmac takes a key of any length, but only through a fallible constructor; a block-sized one has an infallible.
        let mut block = [0u8; 64];
        block[..KEY_BYTES].copy_from_slice(&self.key);
        let mut mac = <Hmac<Sha256> as hmac::digest::KeyInit>::new(&block.into());
        mac.update(text.as_bytes());
        mac
    }
}

/// 244 random bits of the operating system: two version 4 UUIDs.
fn random_key() -> [u8; KEY_BYTES] {
    let mut key = [0u8; KEY_BYTES];
    key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
    key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
    key
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn signer(folder: &Path) -> Signer {
        Signer::open(folder, folder).unwrap()
    }

    #[test]
    fn only_its_own_text_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let signer = signer(folder.path());
        let signature = signer.sign("a");
        assert!(signer.verify("a", &signature));
        assert!(!signer.verify("b", &signature));
        assert!(!signer.verify("a", ""));
        assert!(!signer.verify("a", &signature[1..]));
        assert!(!signer.verify("a", &format!("{signature}A")));
        assert!(!signer.verify("a", "not base64!"));
    }

    #[test]
    fn a_signature_is_safe_in_a_url() {
        let folder = tempfile::tempdir().unwrap();
        let signer = signer(folder.path());
        for number in 0..50 {
            let signature = signer.sign(&number.to_string());
            assert_eq!(signature.len(), 43);
            assert!(signature.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        }
    }

    #[test]
    fn the_key_outlives_the_process_and_differs_between_folders() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let signature = signer(one.path()).sign("a");
        assert!(signer(one.path()).verify("a", &signature));
        assert!(!signer(other.path()).verify("a", &signature));
    }

    #[test]
    fn a_damaged_key_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(KEY_FILE), b"short").unwrap();
        let signature = signer(folder.path()).sign("a");
        assert!(signer(folder.path()).verify("a", &signature));
    }

    #[test]
    fn signs_as_rfc_2104_says() {
        // HMAC-SHA256 of an empty text under a key of 32 zero bytes; `openssl dgst -sha256 -mac HMAC` gives the same.
        let signer = Signer { key: [0; KEY_BYTES] };
        assert_eq!(signer.sign(""), "thNnmggU2ex3L5XXeMNfxf8Wl8STcVZTxscSFEKSxa0");
    }
}
