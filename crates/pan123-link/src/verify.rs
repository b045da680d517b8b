//! The verifier: checks the `auth_key` of a direct link as the service is documented to do.

use std::hint::black_box;

use percent_encoding::percent_decode_str;

use crate::key::Credentials;
use crate::parts::Parts;
use crate::{Error, ErrorKind, HashedPath, Nonce, PrivateKey, UnixTime};

/// Checks signed links of one account: for tests, and for those who host the files or a proxy themselves.
///
/// # Example
///
/// ```
/// use pan123_link::{ErrorKind, Signer, Verifier};
///
/// let verifier = Verifier::new(1812, "ZxCv-2468_key")?;
/// let url = Signer::new(1812, "ZxCv-2468_key")?.sign("https://vip.123pan.cn/1812/a.mp4")?;
/// assert!(verifier.verify(url.as_str()).is_ok());
///
/// let changed = url.as_str().replace("a.mp4", "b.mp4");
/// assert_eq!(verifier.verify(&changed).unwrap_err().kind(), ErrorKind::WrongDigest);
/// # Ok::<(), pan123_link::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    credentials: Credentials,
}

impl Verifier {
    /// Makes a verifier for links of the account `account_id`, signed with `private_key`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAccount`] and [`ErrorKind::InvalidKey`] as for [`Signer::new`](crate::Signer::new).
    ///
    /// # Example
    ///
    /// ```
    /// let verifier = pan123_link::Verifier::new(1812, "ZxCv-2468_key")?;
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn new(account_id: u64, private_key: impl Into<PrivateKey>) -> Result<Verifier, Error> {
        let credentials = Credentials::new(account_id, private_key.into())?;
        Ok(Verifier { credentials })
    }

    /// Sets which reading of the path is hashed, instead of [`HashedPath::Decoded`].
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{HashedPath, Verifier};
    ///
    /// let verifier = Verifier::new(1812, "ZxCv-2468_key")?.hashed_path(HashedPath::AsSent);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    #[must_use]
    pub fn hashed_path(mut self, hashed_path: HashedPath) -> Verifier {
        self.credentials.hashed_path = hashed_path;
        self
    }

    /// Checks `url` by the system's clock and returns when it expires.
    ///
    /// # Errors
    ///
    /// As for [`verify_at`](Verifier::verify_at).
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{ErrorKind, Verifier};
    ///
    /// let verifier = Verifier::new(1812, "ZxCv-2468_key")?;
    /// let error = verifier.verify("https://vip.123pan.cn/1812/a.mp4").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::MissingSignature);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn verify(&self, url: &str) -> Result<UnixTime, Error> {
        self.verify_at(url, UnixTime::now())
    }

    /// Checks `url` as if it were `now` and returns when it expires.
    ///
    /// `url` is what the server received: the whole URL, or the request target from its first `/`. Dot segments
    /// are resolved before the check, as servers do before they serve a file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidUrl`] if the URL could not have been signed.
    /// [`ErrorKind::MissingSignature`], [`ErrorKind::DuplicateSignature`] and [`ErrorKind::MalformedSignature`]
    /// if it does not have exactly one `auth_key` of four parts.
    /// [`ErrorKind::Expired`] if its moment has come, be it this very second; [`ErrorKind::WrongAccount`] if it
    /// names another account; [`ErrorKind::WrongDigest`] if path, private key or signature are not those of
    /// the signer. The checks run in this order.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{ErrorKind, UnixTime, Verifier};
    ///
    /// let verifier = Verifier::new(13, "289ds32418bxdba")?;
    /// let target = "/13/files/1.txt?auth_key=1689220731-123-13-3bdacc0e031fd67fe829152f37c8fbad";
    /// let expires_at = UnixTime::from_secs(1_689_220_731);
    /// assert_eq!(verifier.verify_at(target, UnixTime::from_secs(1_689_220_730)), Ok(expires_at));
    /// assert_eq!(verifier.verify_at(target, expires_at).unwrap_err().kind(), ErrorKind::Expired);
    /// # Ok::<(), pan123_link::Error>(())
    /// ```
    pub fn verify_at(&self, url: &str, now: UnixTime) -> Result<UnixTime, Error> {
        let parts = Parts::of_request(url)?;
        let mut found = parts.signatures();
        let value = found.next().ok_or_else(|| Error::new(ErrorKind::MissingSignature, "no auth_key"))?;
        if found.next().is_some() {
            return Err(Error::new(ErrorKind::DuplicateSignature, "more than one auth_key"));
        }
        let value = percent_decode_str(value).decode_utf8_lossy();
        let signature = Signature::parse(&value)
            .ok_or_else(|| Error::new(ErrorKind::MalformedSignature, "auth_key is not time-nonce-account-digest"))?;

        if signature.expires_at <= now {
            return Err(Error::new(ErrorKind::Expired, "its time is over"));
        }
        if signature.account_id != self.credentials.account_id() {
            return Err(Error::new(ErrorKind::WrongAccount, "signed for another account"));
        }
        let expected = self.credentials.digest(&parts.path, signature.claims);
        if !is_same(&expected, &signature.digest) {
            return Err(Error::new(ErrorKind::WrongDigest, "the digest fits another path or another private key"));
        }
        Ok(signature.expires_at)
    }
}

/// The four parts of an `auth_key`.
struct Signature<'a> {
    expires_at: UnixTime,
    account_id: u64,
    digest: [u8; 16],
    /// The first three parts as written, which is how they are hashed.
    claims: &'a str,
}

impl Signature<'_> {
    fn parse(value: &str) -> Option<Signature<'_>> {
        let (claims, digest) = value.rsplit_once('-')?;
        let mut fields = claims.split('-');
        let (time, nonce, account) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() || !Nonce::is_valid(nonce) {
            return None;
        }
        Some(Signature {
            expires_at: UnixTime::from_secs(decimal(time)?),
            account_id: decimal(account)?,
            digest: unhex(digest)?,
            claims,
        })
    }
}

fn decimal(text: &str) -> Option<u64> {
    // `parse` alone would accept a plus sign.
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let nibble = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = [0; 16];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(nibble(*high)? << 4 | nibble(*low)?).ok()?;
    }
    Some(bytes)
}

/// Compares two digests in a time that does not tell where they differ.
fn is_same(a: &[u8; 16], b: &[u8; 16]) -> bool {
    let difference = a.iter().zip(b).fold(0, |seen, (a, b)| black_box(seen | (a ^ b)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "3bdacc0e031fd67fe829152f37c8fbad";

    #[track_caller]
    fn check(target: &str, expected: Result<u64, ErrorKind>) {
        let verifier = Verifier::new(13, "289ds32418bxdba").unwrap();
        let result = verifier.verify_at(target, UnixTime::from_secs(1_689_220_730));
        assert_eq!(result.map(UnixTime::as_secs).map_err(|e| e.kind()), expected, "{target}");
    }

    #[test]
    fn one_whole_signature_is_accepted_in_any_spelling() {
        let good = Ok(1_689_220_731);
        check(&format!("/13/files/1.txt?auth_key=1689220731-123-13-{DIGEST}"), good);
        check(&format!("http://h/13/files/1.txt?a=b&auth_key=1689220731-123-13-{DIGEST}&c#d"), good);
        check(&format!("/13/files/1.txt?auth_key=1689220731-123-13-{}", DIGEST.to_uppercase()), good);
        check(&format!("/13/%66iles/1.txt?%61uth_key=1689220731%2D123-13-{DIGEST}"), good);
        check(&format!("/13/x/../files/1.txt?auth_key=1689220731-123-13-{DIGEST}"), good);
    }

    #[test]
    fn refusals_have_kinds_of_their_own() {
        let signature = |value: &str| format!("/13/files/1.txt?auth_key={value}");
        let good = format!("1689220731-123-13-{DIGEST}");
        check("/13/files/1.txt", Err(ErrorKind::MissingSignature));
        check("/13/files/1.txt?auth_keys=1", Err(ErrorKind::MissingSignature));
        check(&signature(&format!("{good}&auth_key={good}")), Err(ErrorKind::DuplicateSignature));
        check(&signature(&format!("{good}&%61uth_key")), Err(ErrorKind::DuplicateSignature));
        check(&signature(&good.replace("1689220731-", "1689220730-")), Err(ErrorKind::Expired));
        check(&signature(&good.replace("1689220731-", "1-")), Err(ErrorKind::Expired));
        check(&signature(&good.replace("-13-", "-14-")), Err(ErrorKind::WrongAccount));
        check(&signature(&good.replace("-123-", "-124-")), Err(ErrorKind::WrongDigest));
        check(&signature(&good.replace("1689220731-", "1689220732-")), Err(ErrorKind::WrongDigest));
        check(&signature(&good.replace("3bda", "3bdb")), Err(ErrorKind::WrongDigest));
        check(&signature(&good).replace("1.txt", "2.txt"), Err(ErrorKind::WrongDigest));
        check(&signature(&good).replace("1.txt", "%"), Err(ErrorKind::InvalidUrl));
        check("1.txt", Err(ErrorKind::InvalidUrl));
    }

    #[test]
    fn a_signature_has_four_plain_parts() {
        for value in [
            "",
            "1-2-3",
            &format!("1-2-3-4-{DIGEST}"),
            &format!("-2-3-{DIGEST}"),
            &format!("+1-2-3-{DIGEST}"),
            &format!("1--3-{DIGEST}"),
            &format!("1-a_b-3-{DIGEST}"),
            &format!("1-2-0x3-{DIGEST}"),
            &format!("99999999999999999999-2-3-{DIGEST}"),
            &format!("1-2-3-{DIGEST}0"),
            &format!("1-2-3-{}", &DIGEST[1..]),
            &format!("1-2-3-g{}", &DIGEST[1..]),
            &format!("1-2-3-{}é", &DIGEST[2..]),
        ] {
            let target = format!("/13/files/1.txt?auth_key={value}");
            check(&target, Err(ErrorKind::MalformedSignature));
        }
    }
}
