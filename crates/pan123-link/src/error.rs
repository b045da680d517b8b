//! The one error of this crate: what went wrong, and in which line of a list.

use std::borrow::Cow;
use std::fmt;

/// Says why a link was not signed, not accepted, or a list of links not read.
///
/// Branch on [`kind`](Error::kind); the text is for people. Neither `Display` nor `Debug` shows a
/// private key, a signature or the query of a URL.
///
/// # Example
///
/// ```
/// use pan123_link::{ErrorKind, Signer};
///
/// let error = Signer::new(1812, "").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidKey);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    reason: Cow<'static, str>,
    line: Option<Box<Line>>,
}

/// What went wrong, to branch on.
///
/// # Example
///
/// ```
/// use pan123_link::{ErrorKind, UrlTree};
///
/// let error = UrlTree::parse("docs:\n   https://vip.123pan.cn/1812/a.txt").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::OddIndentation);
/// assert_eq!(error.line(), Some(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The URL cannot be signed or checked: scheme, host, path, an escape or a control character is at fault.
    InvalidUrl,
    /// The account id is 0.
    InvalidAccount,
    /// The private key is empty or holds a control character.
    InvalidKey,
    /// The validity is zero, or ends beyond what a link can say.
    InvalidValidity,
    /// The nonce is empty or holds something other than `0-9`, `A-Z`, `a-z`.
    InvalidNonce,
    /// The system gave no random bytes.
    Randomness,
    /// The URL has no `auth_key`.
    MissingSignature,
    /// The URL has more than one `auth_key`.
    DuplicateSignature,
    /// The `auth_key` is not `time-nonce-account-digest`.
    MalformedSignature,
    /// The link's time is over.
    Expired,
    /// The link was signed for another account.
    WrongAccount,
    /// The digest does not fit: another path, another private key, or a changed signature.
    WrongDigest,
    /// A line is indented with something other than spaces.
    IndentationNotSpaces,
    /// A line is indented by an odd number of spaces.
    OddIndentation,
    /// A line is indented deeper than the folder above it allows.
    IndentedTooDeep,
    /// A line is neither a folder nor a link.
    NoUrl,
    /// The text in front of a URL does not end in a colon.
    MissingColon,
    /// There are more fields in front of a URL than the format has.
    TooManyFields,
    /// A field is not a number from 0 to 2^63 - 1.
    NotANumber,
    /// A URL's path has no last segment that could name the file.
    NoFileName,
    /// A folder's or file's name is empty, `.`, `..`, or holds what a name cannot.
    InvalidName,
    /// A tree holds something that the chosen format cannot say.
    NotExpressible,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, reason: impl Into<Cow<'static, str>>) -> Error {
        Error { kind, reason: reason.into(), line: None }
    }

    pub(crate) fn url(reason: &'static str) -> Error {
        Error::new(ErrorKind::InvalidUrl, reason)
    }

    pub(crate) fn at_line(mut self, number: usize, text: &str) -> Error {
        self.line = Some(Box::new(Line { number, text: text.to_owned() }));
        self
    }

    pub(crate) fn with_hint(mut self, hint: &str) -> Error {
        self.reason.to_mut().push_str(hint);
        self
    }

    /// Returns what went wrong, to branch on.
    ///
    /// # Example
    ///
    /// ```
    /// use pan123_link::{ErrorKind, Nonce};
    ///
    /// assert_eq!(Nonce::new("a-b").unwrap_err().kind(), ErrorKind::InvalidNonce);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the number of the line at fault, counted from 1, if a list of links was read.
    ///
    /// # Example
    ///
    /// ```
    /// let error = pan123_link::UrlTree::parse("docs:\nreadme").unwrap_err();
    /// assert_eq!(error.line(), Some(2));
    /// assert_eq!(error.to_string(), "line 2: no url");
    /// ```
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line.as_ref().map(|line| line.number)
    }

    /// Returns the text of the line at fault as it was given, if a list of links was read.
    ///
    /// A link in it may carry a signature: show it to the owner of the list, do not log it.
    ///
    /// # Example
    ///
    /// ```
    /// let error = pan123_link::UrlTree::parse("docs:\nreadme").unwrap_err();
    /// assert_eq!(error.line_text(), Some("readme"));
    /// ```
    #[must_use]
    pub fn line_text(&self) -> Option<&str> {
        self.line.as_ref().map(|line| line.text.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some(line) => write!(f, "line {}: {}", line.number, self.reason),
            None => write!(f, "{}: {}", self.kind.action(), self.reason),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The line's text stays out: it may hold a signed link.
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("reason", &self.reason)
            .field("line", &self.line())
            .finish()
    }
}

impl std::error::Error for Error {}

impl ErrorKind {
    fn action(self) -> &'static str {
        match self {
            ErrorKind::InvalidUrl => "invalid url",
            ErrorKind::InvalidAccount => "invalid account id",
            ErrorKind::InvalidKey => "invalid private key",
            ErrorKind::InvalidValidity => "invalid validity",
            ErrorKind::InvalidNonce => "invalid nonce",
            ErrorKind::Randomness => "making a nonce failed",
            ErrorKind::MissingSignature
            | ErrorKind::DuplicateSignature
            | ErrorKind::MalformedSignature
            | ErrorKind::Expired
            | ErrorKind::WrongAccount
            | ErrorKind::WrongDigest => "link refused",
            ErrorKind::NotExpressible => "printing a list of links failed",
            ErrorKind::IndentationNotSpaces
            | ErrorKind::OddIndentation
            | ErrorKind::IndentedTooDeep
            | ErrorKind::NoUrl
            | ErrorKind::MissingColon
            | ErrorKind::TooManyFields
            | ErrorKind::NotANumber
            | ErrorKind::NoFileName
            | ErrorKind::InvalidName => "invalid list entry",
        }
    }
}

/// Where in a list the error is.
#[derive(Clone, PartialEq, Eq)]
struct Line {
    number: usize,
    text: String,
}
