//! What the share and web APIs need of the pipeline: hosts that stand in for each other, signatures, optional tokens, hops.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail there")]

use std::{
    borrow::Cow,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, request::Parts};
use pan123_core::{
    Body, BoxFuture, Chunks, DownloadAddress, Error, ErrorKind, FileId, Hosts, Meta, Pipeline, PipelineConfig, Profile,
    RateLimiter, RateLimits, RequestSigner, Result, RetryPolicy, Role, Runtime, Timeouts, Timestamp, Token, Tokens,
    Transport, TransportError, is_login_challenge, operation, testing::VirtualRuntime,
};
use url::Url;

operation! {
    /// Reads something of a share.
    pub struct Read -> Vec<FileId> = Meta::get("share/test.read", "/api/read").role(Role::Share).token_optional();
    {}
}

operation! {
    /// Reads something, and knows more about a refusal than the service says.
    pub struct Knowing -> () = Meta::get("share/test.knowing", "/api/knowing").role(Role::Share).anonymous();
    {}
    fn refine(&self, error: Error) -> Error {
        error.with_kind(ErrorKind::ShareGone, "refined")
    }
}

operation! {
    /// Changes something by way of a share.
    pub struct Change -> () = Meta::post("share/test.change", "/api/change").role(Role::Share);
    {}
}

#[derive(Debug)]
struct Signing;

impl Profile for Signing {
    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("platform"), HeaderValue::from_static("web"))])
    }

    fn classify(&self, _endpoint: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>) {
        if is_login_challenge(code, message) {
            return (ErrorKind::LoginChallenge, "challenged".into());
        }
        let is_protocol = ["签名", "版本"].iter().any(|word| message.contains(word));
        (if is_protocol { ErrorKind::ProtocolChanged } else { ErrorKind::Api }, "refused".into())
    }

    fn sign(&self, _: &Meta, path: &str, now: Timestamp, _runtime: &dyn Runtime) -> Option<(String, String)> {
        Some(RequestSigner::new("web", "3").pair(path, now, 7))
    }
}

type Answer = Box<dyn Fn(&Parts) -> Response<Body> + Send + Sync>;

/// A transport that answers by a function and writes down what was asked.
#[derive(Clone)]
struct Web(Arc<Answer>, Arc<Mutex<Vec<Parts>>>);

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Web")
    }
}

impl Transport for Web {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let (head, _) = request.into_parts();
        let answer = (self.0)(&head);
        self.1.lock().unwrap().push(head);
        Box::pin(async move { Ok(answer) })
    }
}

const NOW: i64 = 1_777_600_800;

struct Bench {
    pipeline: Pipeline,
    seen: Arc<Mutex<Vec<Parts>>>,
}

impl Bench {
    fn new(token: Option<&str>, answer: impl Fn(&Parts) -> Response<Body> + Send + Sync + 'static) -> Self {
        let runtime = Arc::new(VirtualRuntime::new(NOW, 1));
        let web = Web(Arc::new(Box::new(answer)), Arc::default());
        let hosts = Hosts::default().with_share("https://one.example/b").unwrap();
        let hosts = hosts.with_share_alternative("https://two.example/a").unwrap();
        let seen = Arc::clone(&web.1);
        let pipeline = Pipeline::new(PipelineConfig {
            profile: Arc::new(Signing),
            hosts,
            transport: Arc::new(web),
            runtime: Arc::clone(&runtime) as _,
            limiter: RateLimiter::new(RateLimits::unlimited()),
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            tokens: token.map(|token| Tokens::held(Token::new(token), runtime)),
        });
        Self { pipeline, seen }
    }

    /// The addresses that were asked for, without their query.
    fn asked(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|head| head.uri.to_string().split('?').next().unwrap_or_default().to_owned()).collect()
    }

    async fn resolve(&self, address: &str) -> Result<(String, String)> {
        let json = format!(r#"{{"DownloadURL":"{address}"}}"#);
        let address: DownloadAddress = serde_json::from_str(&json).unwrap();
        let link = self.pipeline.resolve(&address, &Url::parse("https://yun.123pan.com/").unwrap()).await?;
        Ok((link.url().to_string(), link.headers()["referer"].to_str().unwrap().to_owned()))
    }
}

fn answer(status: u16, kind: &str, text: &'static str) -> Response<Body> {
    Response::builder().status(status).header("content-type", kind).body(Body::from(text)).unwrap()
}

fn json(text: &'static str) -> Response<Body> {
    answer(200, "application/json", text)
}

#[tokio::test]
async fn a_page_in_place_of_json_sends_reads_to_the_next_host_and_only_the_next_call_after_a_change() {
    let bench = Bench::new(Some("t"), |head| match head.uri.host() {
        Some("one.example") => answer(200, "text/html", "<!doctype html>"),
        _ => json(r#"{"code":0,"data":[1]}"#),
    });
    let error = bench.pipeline.send(&Change::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::ProtocolChanged, true));
    assert_eq!(bench.asked(), ["https://one.example/b/api/change"]);
    let two = "https://two.example/a/api";
    bench.pipeline.send(&Change::new()).await.unwrap();
    assert_eq!(bench.asked()[1..], [format!("{two}/change")], "nobody knows what was done, but the host is no good");

    let bench = Bench::new(Some("t"), |head| match head.uri.host() {
        Some("one.example") => answer(200, "text/html", "<!doctype html>"),
        _ => json(r#"{"code":0,"data":[1]}"#),
    });
    bench.pipeline.send(&Read::new()).await.unwrap();
    bench.pipeline.send(&Read::new()).await.unwrap();
    assert_eq!(
        bench.asked(),
        ["https://one.example/b/api/read".to_owned(), format!("{two}/read"), format!("{two}/read")],
        "the host that answered is asked first from then on"
    );
}

#[tokio::test]
async fn a_host_that_refuses_the_page_or_the_path_did_nothing_so_changes_go_on_too() {
    for (status, text) in [(200, r#"{"code":1,"message":"版本过低，请升级"}"#), (404, r#"{"code":404,"message":"no"}"#)]
    {
        let bench = Bench::new(Some("t"), move |head| match head.uri.host() {
            Some("one.example") => answer(status, "application/json", text),
            _ => json(r#"{"code":0}"#),
        });
        bench.pipeline.send(&Change::new()).await.unwrap();
        bench.pipeline.send(&Change::new()).await.unwrap();
        let (one, two) = ("https://one.example/b/api/change", "https://two.example/a/api/change");
        assert_eq!(bench.asked(), [one, two, two], "{text}");

        let bench = Bench::new(Some("t"), move |_| answer(status, "application/json", text));
        let error = bench.pipeline.send(&Change::new()).await.unwrap_err();
        assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::ProtocolChanged, false), "{error}");
        assert_eq!(bench.asked(), [one, two], "each was asked once");
    }
}

#[tokio::test]
async fn a_challenge_of_any_call_under_any_code_is_the_last_request_until_a_reset() {
    for text in [
        r#"{"code":1,"message":"请进行验证"}"#,
        r#"{"code":401,"message":"当前账号存在境外登录风险，请使用短信验证码或者微信进行登录"}"#,
        r#"{"code":"403","message":"当前账号存在安全风险"}"#,
        r#"{"code":7012,"message":"","data":{"hashCode":"00ff"}}"#,
    ] {
        let bench = Bench::new(Some("t"), move |_| json(text));
        let error = bench.pipeline.send(&Read::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LoginChallenge, "{text}");
        let later = bench.pipeline.send(&Change::new()).await.unwrap_err();
        assert_eq!((later.kind(), later.endpoint()), (ErrorKind::LoginChallenge, Some("share/test.read")), "{text}");
        assert_eq!(bench.asked().len(), 1, "{text}");
        bench.pipeline.send(&Knowing::new()).await.unwrap_err();
        assert_eq!(bench.asked().len(), 2, "a call without a token is no matter of the account");
        bench.pipeline.tokens().unwrap().reset_challenge();
        bench.pipeline.send(&Read::new()).await.unwrap_err();
        assert_eq!(bench.asked().len(), 3, "{text}");
    }
}

#[tokio::test]
async fn when_no_host_answers_each_was_asked_once() {
    let bench = Bench::new(None, |_| answer(200, "text/html", "<html>"));
    assert_eq!(bench.pipeline.send(&Knowing::new()).await.unwrap_err().kind(), ErrorKind::ShareGone);
    assert_eq!(bench.asked().len(), 2);
}

#[tokio::test]
async fn an_optional_token_is_sent_when_there_is_one_and_401_means_it_only_then() {
    let (user, list) = (r#"{"code":401,"message":"请登录"}"#, r#"{"code":20101,"message":"请登录"}"#);
    for (token, text, unauthorized) in
        [(None, user, false), (Some("planted"), user, true), (None, list, false), (Some("planted"), list, true)]
    {
        let bench = Bench::new(token, move |_| json(text));
        let error = bench.pipeline.send(&Read::new()).await.unwrap_err();
        // A held token cannot be replaced, and says so.
        assert_eq!(error.kind() == ErrorKind::Unauthorized, unauthorized, "{error}");
        let seen = bench.seen.lock().unwrap();
        assert_eq!((seen.len(), seen[0].headers.contains_key("authorization")), (1, token.is_some()));
    }
    let bench = Bench::new(None, |_| json(r#"{"code":0}"#));
    assert_eq!(bench.pipeline.send(&Change::new()).await.unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_signature_goes_along_and_a_clock_that_is_wrong_is_set_right_once() {
    let good = RequestSigner::new("web", "3").pair("/b/api/read", Timestamp::from_unix(NOW), 7);
    let bench = Bench::new(None, |_| json(r#"{"code":0,"data":[]}"#));
    bench.pipeline.send(&Read::new()).await.unwrap();
    assert_eq!(bench.seen.lock().unwrap()[0].uri.query(), Some(format!("{}={}", good.0, good.1).as_str()));

    let (name, value) = RequestSigner::new("web", "3").pair("/b/api/change", Timestamp::from_unix(NOW + 3600), 7);
    let wanted = format!("{name}={value}");
    let bench = Bench::new(Some("t"), move |head| {
        let mut answer = match head.uri.query() == Some(wanted.as_str()) {
            true => json(r#"{"code":0}"#),
            false => json(r#"{"code":1,"message":"签名错误"}"#),
        };
        answer.headers_mut().insert("date", HeaderValue::from_static("Fri, 01 May 2026 03:00:00 GMT"));
        answer
    });
    bench.pipeline.send(&Change::new()).await.unwrap();
    assert_eq!(bench.asked().len(), 2);
    bench.pipeline.send(&Change::new()).await.unwrap();
    assert_eq!(bench.asked().len(), 3, "the difference is remembered");

    let bench = Bench::new(Some("t"), |_| json(r#"{"code":1,"message":"签名错误"}"#));
    let error = bench.pipeline.send(&Change::new()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), error.may_have_happened()), (ErrorKind::ProtocolChanged, 1, false));
}

#[tokio::test]
async fn every_shape_of_a_download_address_is_resolved() {
    // https://cdn.example/f?x=1
    const RELAY: &str = "https://relay.example/d?params=aHR0cHM6Ly9jZG4uZXhhbXBsZS9mP3g9MQ%3D%3D";
    for (status, kind, text, want) in [
        (302, "text/html", "", "https://cdn.example/end?t=1"),
        (307, "text/html", "", "https://cdn.example/end?t=1"),
        (
            200,
            "application/json",
            r#"{"code":0,"data":{"redirect_url":"https://json.example/f"}}"#,
            "https://json.example/f",
        ),
        (210, "text/plain", r#"{"code":0,"data":{"redirect_url":"https://json.example/f"}}"#, "https://json.example/f"),
        (200, "video/mp4", "bytes", "https://cdn.example/f?x=1"),
        (
            200,
            "text/html; charset=utf-8",
            "<html><a HREF='https://page.example/f?a=1&amp;b=2'>",
            "https://page.example/f?a=1&b=2",
        ),
        (200, "application/json", r#"{"my":"file"}"#, "https://cdn.example/f?x=1"),
        (200, "application/json", r#"{"code":0,"data":null}"#, "https://cdn.example/f?x=1"),
    ] {
        let bench = Bench::new(Some("planted"), move |_| {
            let mut answer = answer(status, kind, text);
            answer.headers_mut().insert("location", HeaderValue::from_static("/end?t=1"));
            answer
        });
        let (url, referer) = bench.resolve(RELAY).await.unwrap();
        assert_eq!((url.as_str(), referer.as_str()), (want, "https://relay.example/"), "{status} {text}");
        assert_eq!(bench.asked(), ["https://cdn.example/f"]);
        let seen = bench.seen.lock().unwrap();
        let headers: Vec<_> =
            seen[0].headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers, [("referer", "https://yun.123pan.com/")], "no credential and no platform goes there");
    }
}

#[tokio::test]
async fn what_leads_nowhere_is_an_error_after_few_requests() {
    // The relay of https://relay.example/ around itself.
    const LOOP: &str = "https://relay.example/?params=aHR0cHM6Ly9jZG4uZXhhbXBsZS9m";
    let bench = Bench::new(None, |_| {
        let mut answer = answer(302, "text/html", "");
        answer.headers_mut().insert("location", HeaderValue::from_static(LOOP));
        answer
    });
    assert_eq!(bench.resolve(LOOP).await.unwrap_err().kind(), ErrorKind::WrongContent);
    assert_eq!(bench.asked().len(), 5);

    for (status, kind, text, want) in [
        (403, "text/plain", "forbidden", ErrorKind::LinkRejected),
        (404, "text/plain", "", ErrorKind::NotFound),
        (302, "text/html", "", ErrorKind::WrongContent),
        (304, "text/html", "", ErrorKind::WrongContent),
        (200, "application/json", r#"{"code":50001,"message":"download err"}"#, ErrorKind::LinkRejected),
        (200, "text/html", "<html>log in here", ErrorKind::WrongContent),
        (200, "text/html", "<a href='javascript:1'>", ErrorKind::WrongContent),
        (200, "application/json", r#"{"code":0,"data":{"redirect_url":"javascript:1"}}"#, ErrorKind::Decode),
    ] {
        let bench = Bench::new(None, move |_| answer(status, kind, text));
        let error = bench.resolve("https://cdn.example/f").await.unwrap_err();
        assert_eq!(error.kind(), want, "{status} {text}: {error}");
        assert_eq!(bench.asked().len(), 1, "{status} {text}");
    }
    let bench = Bench::new(None, |_| json("{}"));
    assert_eq!(bench.resolve("https://relay.example/d?params=%21").await.unwrap_err().kind(), ErrorKind::Decode);
    assert!(bench.asked().is_empty(), "an address that cannot be read is not asked for");
}

/// A body of one chunk.
struct Once(Option<&'static str>);

impl Chunks for Once {
    fn poll_chunk(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        Poll::Ready(self.0.take().map(|text| Ok(Bytes::from_static(text.as_bytes()))))
    }
}

#[tokio::test]
async fn what_somebody_has_uploaded_is_never_the_services_word() {
    for (kind, text) in [
        ("application/json", r#"{"code":401,"message":"not yours"}"#),
        ("application/json", r#"{"code":0,"data":{"redirect_url":"http://169.254.169.254/latest"}}"#),
        ("text/html", "<a href='https://evil.example/'>"),
    ] {
        for is_told in [true, false] {
            let bench = Bench::new(None, move |_| {
                let answer = answer(200, kind, text);
                // A body whose length nobody announces is read to its end.
                if is_told { answer } else { answer.map(|_| Body::from_chunks(None, Once(Some(text)))) }
            });
            let address: DownloadAddress = serde_json::from_str(r#"{"DownloadURL":"https://cdn.example/f"}"#).unwrap();
            let page = Url::parse("https://yun.123pan.com/").unwrap();
            let resolve = |size| {
                let (pipeline, address, page) = (bench.pipeline.clone(), address.clone(), page.clone());
                async move { pipeline.resolve_with(&address, &page, size, &RetryPolicy::none()).await }
            };
            let link = resolve(Some(text.len() as u64)).await.unwrap();
            assert_eq!(link.url().as_str(), "https://cdn.example/f", "{text}");
            let other = resolve(Some(1)).await;
            assert!(other.is_err() || other.unwrap().url().as_str() != "https://cdn.example/f", "{text}");
        }
    }
}

#[tokio::test]
async fn a_mirror_is_not_asked_and_lasts_for_minutes() {
    let bench = Bench::new(None, |_| json("{}"));
    let mirror = r#"{"dispatchList":[{"prefix":"https://cdn1.example","isp":"1"}],"downloadPath":"/x?v=5&t=1"}"#;
    let address: DownloadAddress = serde_json::from_str(mirror).unwrap();
    let page = Url::parse("https://yun.123pan.com/").unwrap();
    let link = bench.pipeline.resolve(&address, &page).await.unwrap();
    assert_eq!(link.url().as_str(), "https://cdn1.example/x?v=5&t=1");
    assert_eq!(link.expires_at().map(Timestamp::unix), Some(NOW + 300));
    assert!(bench.asked().is_empty());
}
