//! Logging in by a QR code: the way in that the service does not refuse.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderValue, header};
use pan123_core::{Error, ErrorKind, Meta, Operation, Reply, Request, Result, Target, Token, Tokens};

use crate::{
    Client, ClientBuilder,
    client::Draft,
    login::Kept,
    ops::{
        auth::{self, SignInWechat},
        qr::{Generate, Poll, QrCode, QrStatus, WxCode},
        user::UserInfo,
    },
};

/// How long to wait between two questions about a code.
///
/// Protocol: `web.yaml`, `auth.qr_result`: 1 to 1.5 seconds.
pub const QR_PAUSE: Duration = Duration::from_millis(1200);

/// How long a code is asked about before it is taken for expired, whatever the service says; it is said to last for one
/// minute.
pub const QR_LIFETIME: Duration = Duration::from_secs(300);

/// How many codes [`QrLogin::wait_showing`] makes before it gives up.
pub const MOST_QR_CODES: u32 = 10;

/// A login by a QR code, which a person scans with the service's app or with WeChat.
///
/// # Example
///
/// ```no_run
/// use pan123_web::QrLogin;
///
/// # async fn run() -> pan123_web::Result<()> {
/// let login = QrLogin::start().await?;
/// println!("{}", login.url());                   // what to put into a QR picture
/// let client = login.wait().await?;
/// # Ok(())
/// # }
/// ```
///
/// A program with a screen follows the states, and makes a new code when one has expired:
///
/// ```no_run
/// use pan123_web::{Client, FileTokenStore, QrStatus};
///
/// # async fn run() -> pan123_web::Result<()> {
/// let mut login = Client::builder().token_store(FileTokenStore::new("login.json")).qr_login().await?;
/// let client = loop {
///     match login.changed().await? {
///         QrStatus::Scanned => println!("now confirm on the phone"),
///         QrStatus::Expired => login.renew().await?,
///         QrStatus::Confirmed | QrStatus::Refused => break login.wait().await?,
///         _ => {}
///     }
/// };
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a login does nothing until it is waited for"]
pub struct QrLogin {
    draft: Draft,
    session: Session,
    code: QrCode,
    made_at: Duration,
    status: QrStatus,
    /// The service said "confirmed" and gave nothing to go on with.
    is_unclear: bool,
    token: Option<Token>,
}

impl QrLogin {
    /// Gets a code. [`ClientBuilder::qr_login`] does the same for a client with other settings than the usual ones.
    ///
    /// # Errors
    ///
    /// As [`ClientBuilder::qr_login`].
    pub async fn start() -> Result<Self> {
        ClientBuilder::default().qr_login().await
    }

    pub(crate) async fn begin(draft: Draft) -> Result<Self> {
        let session = Session::default();
        let code = draft.pipeline.send(&session.send(&Generate::new())).await?;
        let made_at = draft.pipeline.runtime().elapsed();
        let status = QrStatus::Waiting;
        Ok(Self { draft, session, code, made_at, status, is_unclear: false, token: None })
    }

    /// Returns the text of the QR picture.
    pub fn url(&self) -> &str {
        self.code.url.as_str()
    }

    /// Returns how far the login is, as far as it was asked.
    pub fn status(&self) -> QrStatus {
        self.status
    }

    /// Makes a new code in the place of an expired one; [`url`](Self::url) is another then.
    ///
    /// # Errors
    ///
    /// What the network gives.
    pub async fn renew(&mut self) -> Result<()> {
        let pipeline = &self.draft.pipeline;
        self.code = pipeline.send(&self.session.send(&Generate::new())).await?;
        self.made_at = pipeline.runtime().elapsed();
        (self.status, self.is_unclear, self.token) = (QrStatus::Waiting, false, None);
        Ok(())
    }

    /// Asks until the status is another, and returns it. [`Confirmed`](QrStatus::Confirmed) means that
    /// [`wait`](Self::wait) has the client at hand. [`Refused`](QrStatus::Refused), [`Expired`](QrStatus::Expired) and
    /// [`Confirmed`](QrStatus::Confirmed) stay as they are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::LoginChallenge`], and what the network gives and waiting does not mend; asking again goes on.
    pub async fn changed(&mut self) -> Result<QrStatus> {
        let before = self.status;
        let mut failure = None;
        while self.status == before && !self.is_over() {
            let runtime = self.draft.pipeline.runtime();
            runtime.sleep(QR_PAUSE).await;
            let is_late = runtime.elapsed().saturating_sub(self.made_at) > QR_LIFETIME;
            if is_late && let Some(failure) = failure {
                return Err(failure);
            }
            let asked = if is_late { self.give_up().await } else { self.ask().await };
            match asked {
                // The person with the phone need not notice that the line was down.
                Err(error) if error.is_retryable() && !error.may_have_happened() => failure = Some(error),
                asked => (self.status, failure) = (asked?, None),
            }
        }
        Ok(self.status)
    }

    /// Waits until the code is confirmed, and returns the client.
    ///
    /// Its token is kept in the store of the builder, if it has one: a client that is built with that store alone goes on
    /// with this login after a restart. Before that the service is asked once whose token it is: one that it refuses takes
    /// the place of none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when the login was refused on the phone, the code expired, or the service refuses the token
    /// that it gave; [`ErrorKind::TokenStore`] when the token could not be kept; otherwise as [`changed`](Self::changed).
    pub async fn wait(mut self) -> Result<Client> {
        loop {
            match self.status {
                QrStatus::Confirmed => return self.finish().await,
                QrStatus::Refused => return Err(failed("the login was refused on the phone")),
                QrStatus::Expired => {
                    return Err(failed("the QR code expired before anybody confirmed it: make another"));
                }
                _ => self.changed().await?,
            };
        }
    }

    /// Waits as [`wait`](Self::wait), and makes a new code whenever one expires, [`MOST_QR_CODES`] in all. `show` is given
    /// each, the present one first.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub async fn wait_showing(mut self, mut show: impl FnMut(&str)) -> Result<Client> {
        for _ in 1..MOST_QR_CODES {
            show(self.url());
            while !self.is_over() {
                self.changed().await?;
            }
            if self.status != QrStatus::Expired {
                return self.wait().await;
            }
            self.renew().await?;
        }
        show(self.url());
        self.wait().await
    }

    fn is_over(&self) -> bool {
        matches!(self.status, QrStatus::Refused | QrStatus::Expired | QrStatus::Confirmed)
    }

    async fn ask(&mut self) -> Result<QrStatus> {
        let pipeline = &self.draft.pipeline;
        let answer = match pipeline.send(&self.session.send(&Poll::new(self.code.id.clone()))).await {
            Ok(answer) => answer,
            // There is no such session any more.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unauthorized) => {
                return self.give_up().await;
            }
            Err(error) => return Err(error),
        };
        let is_wechat = answer.is_wechat();
        match (answer.status, answer.token) {
            (_, Some(token)) => {
                self.token = Some(token);
                Ok(QrStatus::Confirmed)
            }
            (QrStatus::Confirmed, None) if is_wechat => self.ask_wechat().await,
            (QrStatus::Confirmed, None) => {
                // Most clients go on asking here until the token comes; one says that 3 means expired.
                self.is_unclear = true;
                Ok(QrStatus::Scanned)
            }
            (QrStatus::Expired, None) => self.give_up().await,
            (status, None) => Ok(status),
        }
    }

    /// Goes on at WeChat, whose code takes a moment.
    async fn ask_wechat(&mut self) -> Result<QrStatus> {
        let pipeline = &self.draft.pipeline;
        let code = pipeline.send(&self.session.send(&WxCode::new(self.code.id.clone()))).await?;
        let Some(code) = code else {
            return Ok(QrStatus::Scanned);
        };
        self.token = Some(pipeline.send(&self.session.send(&SignInWechat::new(code))).await?);
        Ok(QrStatus::Confirmed)
    }

    /// Says that the code has expired, unless it was confirmed at WeChat without the service's saying so.
    async fn give_up(&mut self) -> Result<QrStatus> {
        let is_unclear = std::mem::take(&mut self.is_unclear);
        match is_unclear && self.ask_wechat().await? == QrStatus::Confirmed {
            true => Ok(QrStatus::Confirmed),
            false => Ok(QrStatus::Expired),
        }
    }

    async fn finish(self) -> Result<Client> {
        let token = self.token.expect("a login that is confirmed has a token");
        let runtime = self.draft.pipeline.runtime().clone();
        let held = self.draft.pipeline.with_tokens(Some(Tokens::held(token.clone(), runtime)));
        match held.send(&UserInfo::new()).await {
            // Nobody has said anything against the token, and the person with the phone is gone.
            Err(error) if !error.is_retryable() => return Err(error),
            _ => {}
        }
        let tokens = self.draft.parts.tokens(Kept);
        tokens.put(token).await?;
        Ok(self.draft.client(tokens))
    }
}

fn failed(text: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, text).with_endpoint(Poll::META.id)
}

/// The cookies of one login, which the gateway wants to see again.
#[derive(Default)]
struct Session(Mutex<Vec<(String, String)>>);

/// The most cookies that are kept, and the longest; a gateway sets one or two.
const MOST_COOKIES: usize = 16;
const LONGEST_COOKIE: usize = 4096;

impl Session {
    fn send<'a, O>(&'a self, operation: &'a O) -> InSession<'a, O> {
        InSession { session: self, operation }
    }

    fn header(&self) -> Option<HeaderValue> {
        let cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut header = HeaderValue::try_from(line.join("; ")).ok().filter(|header| !header.is_empty())?;
        header.set_sensitive(true);
        Some(header)
    }

    fn take(&self, reply: &Reply) {
        let mut cookies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, value) in auth::cookies(reply.headers()) {
            cookies.retain(|(kept, _)| kept != name);
            if !name.is_empty() && !value.is_empty() && value.len() <= LONGEST_COOKIE && cookies.len() < MOST_COOKIES {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// An operation that sends the cookies of a session and keeps those that it gets.
#[derive(Debug)]
struct InSession<'a, O> {
    session: &'a Session,
    operation: &'a O,
}

impl<O: Operation> Operation for InSession<'_, O> {
    type Output = O::Output;
    const META: Meta = O::META;

    fn validate(&self) -> Result<()> {
        self.operation.validate()
    }

    fn target(&self) -> Target {
        self.operation.target()
    }

    fn encode(&self, request: &mut Request) {
        self.operation.encode(request);
        if let Some(cookies) = self.session.header() {
            request.header(header::COOKIE, cookies);
        }
    }

    fn decode(&self, reply: Reply) -> Result<Self::Output> {
        self.session.take(&reply);
        self.operation.decode(reply)
    }
}
