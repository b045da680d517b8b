//! Receives the browser that the grant page sends back to this machine (feature `oauth-listener`).

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
};

use pan123_core::{Error, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};
use url::Url;

use crate::ops::oauth::{AuthState, Granted};

/// The path on which a [`GrantListener`] expects the browser.
pub const GRANT_PATH: &str = "/123pan/callback";

/// The most bytes of a request's head that are read; browsers send one or two thousand.
const LONGEST_HEAD: usize = 16 << 10;

/// The most connections that are answered at a time; a browser opens a few.
const MOST_CONNECTIONS: usize = 16;

/// Receives the code of a user's grant on a port of this machine.
///
/// Made for programs on the user's own computer. It listens on 127.0.0.1 alone, answers the browser with a plain page,
/// and takes no code whose state is not the one that was asked with, so that no other page can slip in a stranger's.
/// The redirect address has to be registered for the app, which is why the port is chosen by the caller.
///
/// # Example
///
/// ```no_run
/// use pan123_core::TokioRuntime;
/// use pan123_open::{Client, GrantListener, ops::oauth::{AuthState, AuthorizePage}};
///
/// # async fn run() -> pan123_open::Result<()> {
/// let listener = GrantListener::bind(23412).await?;
/// let state = AuthState::random(&TokioRuntime);
/// println!("open {}", AuthorizePage::new("app id", listener.redirect(), state.clone()).url());
/// let redirect = listener.redirect();
/// let granted = listener.wait(&state).await?;
/// let client = Client::builder().oauth_code("app id", "app secret", granted.code, redirect).build()?;
/// # Ok(())
/// # }
/// ```
pub struct GrantListener {
    listener: TcpListener,
    address: SocketAddr,
}

impl GrantListener {
    /// Begins to listen on `port` of 127.0.0.1; 0 lets the system choose one.
    ///
    /// # Errors
    ///
    /// [`Io`](pan123_core::ErrorKind::Io) when the port is taken.
    pub async fn bind(port: u16) -> Result<Self> {
        let failed = |cause| Error::io("the port for the browser could not be opened", cause);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Returns the redirect address for the grant page and for the exchange of the code.
    pub fn redirect(&self) -> String {
        format!("http://{}{GRANT_PATH}", self.address)
    }

    /// Waits for the browser that answers `state`. Requests that do not are shown a page and passed over.
    ///
    /// It waits for as long as the future is kept: drop it to give up, as a timeout around it does.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](pan123_core::ErrorKind::Unauthorized) with the service's text when the user refused;
    /// [`Io`](pan123_core::ErrorKind::Io) when the port fails.
    pub async fn wait(self, state: &AuthState) -> Result<Granted> {
        let (sender, mut answers) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                Some(answer) = answers.recv() => return answer,
                accepted = self.listener.accept(), if connections.len() < MOST_CONNECTIONS => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let (stream, _) = accepted.map_err(|cause| Error::io("the browser could not be received", cause))?;
            let (base, state, sender) = (self.redirect(), state.clone(), sender.clone());
            connections.spawn(async move {
                // A browser that goes away takes nothing along that anybody waits for.
                let _ = serve(stream, &base, &state, &sender).await;
            });
        }
    }
}

impl fmt::Debug for GrantListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantListener").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Reads one request, answers it with a page, and hands on what it says if it answers the question.
async fn serve(
    mut stream: TcpStream,
    redirect: &str,
    state: &AuthState,
    answers: &mpsc::Sender<Result<Granted>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let (status, text, answer) = match read(&head, redirect, state) {
        Some(Ok(granted)) => ("200 OK", GRANTED, Some(Ok(granted))),
        Some(Err(error)) => ("200 OK", REFUSED, Some(Err(error))),
        None => ("404 Not Found", STRANGER, None),
    };
    let sent = stream.write_all(page(status, text).as_bytes()).await;
    let closed = stream.shutdown().await;
    if let Some(answer) = answer {
        // Behind the page, because all connections end with the waiting. Only the first answer counts.
        let _ = answers.try_send(answer);
    }
    sent.and(closed)
}

/// Reads what a request says. Nothing, when it is not the browser that comes back with the right state.
fn read(head: &[u8], redirect: &str, state: &AuthState) -> Option<Result<Granted>> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let base = Url::parse(redirect).ok()?;
    let address = base.join(target).ok()?;
    if address.path() != base.path() || address.origin() != base.origin() {
        return None;
    }
    // A refusal must answer the question as well, or any page could end the waiting.
    let is_ours = address.query_pairs().any(|(name, value)| name == "state" && value == state.as_str());
    is_ours.then(|| Granted::from_redirect(&address, state))
}

/// Writes a page. Nothing of the request is in it.
fn page(status: &str, text: &str) -> String {
    let body = format!("<!doctype html><html><meta charset=\"utf-8\"><title>123Pan</title><p>{text}</p></html>");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

const GRANTED: &str = "授权成功，可以关闭此页面。 Access was granted; you can close this page.";
const REFUSED: &str = "授权未完成，请回到程序重试。 Access was not granted; go back to the program.";
const STRANGER: &str = "这不是本程序等待的请求。 This is not what the program is waiting for.";

#[cfg(test)]
mod tests {
    use pan123_core::ErrorKind;

    use super::*;

    async fn ask(listener: &str, line: &str) -> String {
        let address = listener.trim_start_matches("http://").split('/').next().expect("an address");
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let request = format!("{line}\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        answer
    }

    #[tokio::test]
    async fn only_the_browser_that_answers_the_question_is_heard() {
        let listener = GrantListener::bind(0).await.expect("a port");
        let redirect = listener.redirect();
        let state = AuthState::from("right");
        let waiting = tokio::spawn(async move { listener.wait(&state).await });
        // A connection that says nothing keeps nobody waiting.
        let address = redirect.trim_start_matches("http://").split('/').next().expect("an address");
        let silent = TcpStream::connect(address).await.expect("it listens");
        for line in [
            "GET /favicon.ico HTTP/1.1",
            "GET /123pan/callback?code=planted&state=wrong HTTP/1.1",
            "GET /123pan/callback?code=planted HTTP/1.1",
            "GET /123pan/callback?error_description=no&state=wrong HTTP/1.1",
            "GET http://elsewhere.example/123pan/callback?code=planted&state=right HTTP/1.1",
            "POST /123pan/callback?code=planted&state=right HTTP/1.1",
            "GET /123pan/other?code=planted&state=right HTTP/1.1",
        ] {
            let answer = ask(&redirect, line).await;
            assert!(answer.starts_with("HTTP/1.1 404 ") && !answer.contains("planted"), "{line}: {answer}");
        }
        let answer = ask(&redirect, "GET /123pan/callback?code=NGE0EXAMPLECODE&state=right HTTP/1.1").await;
        assert!(answer.starts_with("HTTP/1.1 200 ") && !answer.contains("NGE0EXAMPLECODE"), "{answer}");
        let granted = waiting.await.expect("it does not panic").expect("a code");
        assert_eq!(granted.code.expose(), "NGE0EXAMPLECODE");
        drop(silent);
    }

    #[tokio::test]
    async fn a_refusal_by_the_user_ends_the_waiting_with_its_text() {
        let listener = GrantListener::bind(0).await.expect("a port");
        let redirect = listener.redirect();
        let waiting = tokio::spawn(async move { listener.wait(&AuthState::from("right")).await });
        ask(&redirect, "GET /123pan/callback?error_description=no%20thanks&state=right HTTP/1.1").await;
        let error = waiting.await.expect("it does not panic").expect_err("a refusal");
        assert_eq!((error.kind(), error.message()), (ErrorKind::Unauthorized, Some("no thanks")));
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_and_a_dropped_wait_frees_it() {
        let listener = GrantListener::bind(0).await.expect("a port");
        let port = listener.address.port();
        assert_eq!(GrantListener::bind(port).await.expect_err("it is taken").kind(), ErrorKind::Io);
        drop(listener);
        GrantListener::bind(port).await.expect("it is free again");
    }
}
