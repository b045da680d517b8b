//! The pipeline over a scripted transport: what is sent, how often, and what each bad answer becomes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to fail there")]

use std::{
    borrow::Cow,
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use pan123_core::{
    Body, BoxFuture, Chunks, Effect, Error, ErrorKind, Fetch, FileId, Hosts, Items, Link, Meta, Operation, Paged,
    Pipeline, PipelineConfig, Profile, Rate, RateLimiter, RateLimits, Reply, Result, RetryPolicy, Role, Runtime,
    Secret, Target, Timeouts, Token, Tokens, Transport, TransportError, operation, testing::VirtualRuntime,
};

operation! {
    /// Reads something.
    pub struct Read -> Vec<FileId> = Meta::get("open/test.read", "/api/v1/test");
    {
        /// Which.
        query "fileId": id: FileId,
    }
}

/// Pages by number, until one is empty.
impl Paged for Read {
    type Item = FileId;

    fn items(&self, page: Vec<FileId>) -> Vec<FileId> {
        page
    }

    fn advance(&mut self, page: &Vec<FileId>) -> bool {
        self.id = FileId::new(self.id.get() + 1);
        !page.is_empty()
    }

    fn known_by(item: &FileId) -> Option<FileId> {
        Some(*item)
    }
}

operation! {
    /// Does something that must not be done twice.
    pub struct Do -> () = Meta::post("open/test.do", "/api/v1/do");
    {
        /// With a secret.
        json_secret "clientSecret": secret: Secret,
    }
}

/// An operation that puts a header of its own on a data request.
#[derive(Debug)]
struct Planted(HeaderName);

impl Operation for Planted {
    type Output = ();
    const META: Meta = Meta::get("open/test.planted", "").role(Role::Data).anonymous().effect(Effect::None);

    fn target(&self) -> Target {
        Target::Url("https://cdn.example/f".parse().expect("a constant"))
    }

    fn encode(&self, request: &mut pan123_core::Request) {
        request.header(self.0.clone(), HeaderValue::from_static("x"));
    }

    fn decode(&self, reply: Reply) -> Result<()> {
        reply.nothing()
    }
}

#[derive(Debug)]
struct TestProfile;

impl Profile for TestProfile {
    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("platform"), HeaderValue::from_static("open_platform"))])
    }

    fn classify(&self, _endpoint: &'static str, code: i64, _message: &str) -> (ErrorKind, Cow<'static, str>) {
        (if code == 5066 { ErrorKind::NotFound } else { ErrorKind::Api }, "refused".into())
    }
}

/// What the scripted server does with one request.
enum Act {
    Answer(u16, &'static str, &'static str),
    Redirect(&'static str),
    RetryAfter(&'static str),
    Coded(&'static str),
    NotSent,
    Lost,
    Hang,
    HangInBody,
}

#[derive(Clone)]
struct Script {
    acts: Arc<Mutex<VecDeque<Act>>>,
    last: Arc<Mutex<Option<Act>>>,
    seen: Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

struct Silent;

impl Chunks for Silent {
    fn poll_chunk(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        Poll::Pending
    }
}

impl Transport for Script {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect(1 << 20).await.map_err(TransportError::lost)?;
            self.seen.lock().unwrap().push((format!("{} {}", head.method, head.uri), head.headers, body));
            let act = self.next();
            let answer = |status: u16, kind: &str, body: Body| {
                Response::builder().status(status).header("content-type", kind).body(body).map_err(TransportError::lost)
            };
            match act {
                Some(Act::Answer(status, kind, text)) => answer(status, kind, Body::from(text)),
                Some(Act::Redirect(to)) => Response::builder()
                    .status(302)
                    .header("location", to)
                    .body(Body::empty())
                    .map_err(TransportError::lost),
                Some(Act::Coded(coding)) => Response::builder()
                    .status(200)
                    .header("content-encoding", coding)
                    .body(Body::from("bytes"))
                    .map_err(TransportError::lost),
                Some(Act::RetryAfter(text)) => Response::builder()
                    .status(200)
                    .header("retry-after", text)
                    .body(Body::from(r#"{"code":429,"message":"slow"}"#))
                    .map_err(TransportError::lost),
                Some(Act::NotSent) => Err(TransportError::not_sent("refused")),
                Some(Act::Lost) => Err(TransportError::lost("reset")),
                Some(Act::Hang) => std::future::pending().await,
                Some(Act::HangInBody) => answer(200, "application/json", Body::from_chunks(Some(10), Silent)),
                None => panic!("one request more than the script has"),
            }
        })
    }
}

impl Script {
    /// Returns the next act; the one given for ever never ends.
    fn next(&self) -> Option<Act> {
        if let Some(act) = self.acts.lock().unwrap().pop_front() {
            return Some(act);
        }
        match &*self.last.lock().unwrap() {
            Some(Act::Answer(status, kind, text)) => Some(Act::Answer(*status, kind, text)),
            _ => None,
        }
    }
}

struct Bench {
    pipeline: Pipeline,
    script: Script,
    runtime: VirtualRuntime,
}

impl Bench {
    fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        Self::with(acts, None)
    }

    fn with(acts: impl IntoIterator<Item = Act>, for_ever: Option<Act>) -> Self {
        let runtime = VirtualRuntime::new(1_700_000_000, 7);
        let tokens = Tokens::held(Token::new("planted-token"), Arc::new(runtime.clone()));
        Self::on(runtime, acts, for_ever, tokens)
    }

    fn on(runtime: VirtualRuntime, acts: impl IntoIterator<Item = Act>, for_ever: Option<Act>, tokens: Tokens) -> Self {
        let script = Script {
            acts: Arc::new(Mutex::new(acts.into_iter().collect())),
            last: Arc::new(Mutex::new(for_ever)),
            seen: Arc::default(),
        };
        let pipeline = Pipeline::new(PipelineConfig {
            profile: Arc::new(TestProfile),
            hosts: Hosts::default(),
            transport: Arc::new(script.clone()),
            runtime: Arc::new(runtime.clone()),
            limiter: RateLimiter::new(RateLimits::new(Rate::per_second(5))),
            retry: RetryPolicy::default(),
            timeouts: Timeouts::default(),
            tokens: Some(tokens),
        });
        Self { pipeline, script, runtime }
    }

    async fn read(&self) -> Result<Vec<FileId>> {
        self.pipeline.send(&Read::new(FileId::new(7))).await
    }

    fn requests(&self) -> usize {
        self.script.seen.lock().unwrap().len()
    }
}

fn ok(text: &'static str) -> Act {
    Act::Answer(200, "application/json", text)
}

#[tokio::test]
async fn a_request_carries_what_it_must_and_the_answer_is_read() {
    let bench = Bench::new([ok(r#"{"code":0,"message":"ok","data":[1,"2"],"x-traceID":"t"}"#)]);
    assert_eq!(bench.read().await.unwrap(), [FileId::new(1), FileId::new(2)]);
    let seen = bench.script.seen.lock().unwrap();
    let (line, headers, body) = &seen[0];
    assert_eq!(line, "GET https://open-api.123pan.com/api/v1/test?fileId=7");
    assert_eq!(headers["platform"], "open_platform");
    assert_eq!(headers["authorization"], "Bearer planted-token");
    assert!(body.is_empty());
}

#[tokio::test]
async fn every_bad_answer_is_an_error_of_its_own_kind_after_one_request() {
    for (act, kind, code) in [
        (ok("<!doctype html><html>"), ErrorKind::ProtocolChanged, None),
        (Act::Answer(404, "text/html", "<html>"), ErrorKind::ProtocolChanged, None),
        (ok(""), ErrorKind::ProtocolChanged, None),
        (ok(r#"{"code":0,"data":[1,"#), ErrorKind::Decode, None),
        (ok(r#"{"code":0,"data":{"list":1}}"#), ErrorKind::Decode, None),
        (ok(r#"{"code":"403","message":"123pan-foreign-forbidden cache client ip"}"#), ErrorKind::Blocked, Some(403)),
        (Act::Answer(403, "text/plain", "no"), ErrorKind::Blocked, None),
        (ok(r#"{"code":"5066","message":"文件不存在","data":null}"#), ErrorKind::NotFound, Some(5066)),
        (ok(r#"{"code":77,"message":"odd"}"#), ErrorKind::Api, Some(77)),
    ] {
        let bench = Bench::new([act]);
        let error = bench.read().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
        assert_eq!(
            (bench.requests(), error.attempts()),
            (1, if kind == ErrorKind::Decode { error.attempts() } else { 1 }),
            "{error}"
        );
        assert_eq!(error.endpoint(), Some("open/test.read"));
    }
}

#[tokio::test]
async fn what_is_temporary_is_sent_again_within_bounds() {
    let bench =
        Bench::new([Act::Lost, Act::Answer(502, "text/html", "<html>"), Act::NotSent, ok(r#"{"code":0,"data":[]}"#)]);
    assert!(bench.read().await.unwrap().is_empty());

    let bench = Bench::with([], Some(ok(r#"{"code":429,"message":"操作频繁"}"#)));
    let error = bench.read().await.unwrap_err();
    assert_eq!((error.kind(), error.attempts(), bench.requests()), (ErrorKind::RateLimited, 5, 5));
    assert!(!error.may_have_happened());
    assert!(bench.runtime.sleeps().iter().sum::<Duration>() <= Duration::from_secs(60));
}

#[tokio::test]
async fn what_may_have_happened_is_not_sent_twice() {
    let run = |act| async move {
        let bench = Bench::new([act]);
        let error = bench.pipeline.send(&Do::new("planted-secret")).await.unwrap_err();
        (error, bench.requests())
    };
    for act in [Act::Lost, Act::Answer(502, "text/html", "<html>")] {
        let (error, requests) = run(act).await;
        assert!(error.may_have_happened() && requests == 1, "{error}");
    }
    let (error, _) = run(ok(r#"{"code":77,"message":"no"}"#)).await;
    assert!(!error.may_have_happened(), "the service said no");

    let bench = Bench::new([Act::NotSent, ok(r#"{"code":429}"#), ok(r#"{"code":0,"data":"done"}"#)]);
    bench.pipeline.send(&Do::new("planted-secret")).await.unwrap();
}

#[tokio::test]
async fn retry_after_is_respected() {
    let bench = Bench::new([Act::RetryAfter("20"), ok(r#"{"code":0,"data":[]}"#)]);
    bench.read().await.unwrap();
    assert!(bench.runtime.sleeps().iter().sum::<Duration>() >= Duration::from_secs(20), "{:?}", bench.runtime.sleeps());

    let day = Duration::from_secs(24 * 60 * 60);
    for (text, want) in [
        ("3600", Some(Duration::from_secs(3600))),
        // The clock of the test shows 2023-11-14 22:13:20.
        ("Tue, 14 Nov 2023 22:15:20 GMT", Some(Duration::from_secs(120))),
        ("Tue, 14 Nov 2023 22:10:00 GMT", Some(Duration::ZERO)),
        ("18446744073709551615", Some(day)),
        ("Sat, 14 Nov 2099 22:10:00 GMT", Some(day)),
        ("soon", None),
    ] {
        let error = Bench::new((0..5).map(|_| Act::RetryAfter(text))).read().await.unwrap_err();
        assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, want), "{text}");
    }
    let bench = Bench::new([Act::NotSent, Act::NotSent, Act::RetryAfter("18446744073709551615")]);
    assert_eq!(bench.read().await.unwrap_err().attempts(), 3, "time has passed, and the sum is no number");
}

#[tokio::test]
async fn the_status_speaks_where_the_code_says_nothing() {
    for (status, code, kind) in [
        (429, 77, ErrorKind::RateLimited),
        (502, 77, ErrorKind::Server),
        (408, 77, ErrorKind::Timeout),
        (404, 77, ErrorKind::ProtocolChanged),
        (403, 77, ErrorKind::Api),
        (502, 5066, ErrorKind::NotFound),
    ] {
        let text =
            if code == 77 { r#"{"code":77,"message":"odd"}"# } else { r#"{"code":5066,"message":"文件不存在"}"# };
        let bench = Bench::new([Act::Answer(status, "application/json", text)]);
        let policy = RetryPolicy::none();
        let error = bench.pipeline.send_with(&Read::new(FileId::new(7)), &policy).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Some(code)), "{status} {code}");
    }
    let bench = Bench::new([Act::Answer(408, "text/html", ""), ok(r#"{"code":0,"data":[]}"#)]);
    bench.read().await.unwrap();
}

#[tokio::test]
async fn who_waited_for_a_token_leaves_at_the_pace_that_is_allowed() {
    /// A login that takes five seconds.
    #[derive(Debug)]
    struct Slow(VirtualRuntime);

    impl pan123_core::TokenSource for Slow {
        fn fetch<'a>(&'a self, _: Option<&'a Token>) -> BoxFuture<'a, Result<Token>> {
            Box::pin(async {
                for _ in 0..50 {
                    self.0.sleep(Duration::from_millis(100)).await;
                }
                Ok(Token::new("slow"))
            })
        }
    }

    let runtime = VirtualRuntime::new(1_700_000_000, 7);
    let store = Arc::new(pan123_core::MemoryTokenStore::default());
    let tokens = Tokens::new(Slow(runtime.clone()), store, Arc::new(runtime.clone()));
    let bench = Bench::on(runtime, (0..20).map(|_| ok(r#"{"code":0,"data":[]}"#)), None, tokens);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let pipeline = bench.pipeline.clone();
            tokio::spawn(async move { pipeline.send(&Read::new(FileId::new(7))).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert!(bench.runtime.elapsed() >= Duration::from_secs(5 + 3), "{:?}", bench.runtime.elapsed());
}

#[tokio::test]
async fn bytes_in_a_coding_that_nobody_asked_for_are_not_the_file() {
    for (coding, is_ok) in [("identity", true), ("gzip", false), ("br", false)] {
        let bench = Bench::new([Act::Coded(coding)]);
        let fetched = bench.pipeline.send(&Fetch::new(Link::parse("https://cdn.example/f").unwrap())).await;
        assert_eq!(
            fetched.map(drop).map_err(|error| error.kind()),
            if is_ok { Ok(()) } else { Err(ErrorKind::WrongContent) }
        );
    }
}

#[tokio::test]
async fn silence_ends_in_a_timeout_and_not_before() {
    for act in [Act::Hang, Act::HangInBody] {
        let bench = Bench::new([act]);
        let runtime = bench.runtime.clone();
        let policy = RetryPolicy::none();
        let operation = Read::new(FileId::new(7));
        let call = bench.pipeline.send_with(&operation, &policy);
        let watch = async {
            while runtime.timers() == 0 {
                tokio::task::yield_now().await;
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            runtime.fire_timers();
        };
        let (result, ()) = tokio::join!(call, watch);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    }
}

#[tokio::test]
async fn no_secret_is_in_an_error() {
    for (text, secret) in [
        (r#"{"code":77,"message":"bad secret planted-secret for Bearer planted-token"}"#, "planted-secret"),
        (r#"{"code":77,"message":"see https://h/x?access_token=planted-token"}"#, "planted-secret"),
        (r#"{"code":77,"message":"bad password: several words planted"}"#, "several words planted"),
    ] {
        let bench = Bench::new([ok(text)]);
        let error = bench.pipeline.send(&Do::new(secret)).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.message());
        assert!(!shown.contains("planted"), "{shown}");
    }
    let shown = format!("{:?} {:?}", Do::new("planted-secret"), Bench::new([]).pipeline);
    assert!(!shown.contains("planted"), "{shown}");
}

#[tokio::test]
async fn a_data_request_cannot_carry_a_credential() {
    for name in ["authorization", "cookie", "platform", "x-token", "app-version", "loginuuid"] {
        let bench = Bench::new([]);
        let error = bench.pipeline.send(&Planted(HeaderName::from_static(name))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert_eq!(bench.requests(), 0);
    }
}

#[tokio::test]
async fn a_fetch_follows_redirects_with_nothing_added() {
    let bench = Bench::new([Act::Redirect("https://other.example/f?sig=1"), Act::Answer(200, "video/mp4", "bytes")]);
    let link = Link::parse("https://cdn.example/f?sig=0").unwrap();
    let fetched = bench.pipeline.send(&Fetch::new(link.clone())).await.unwrap();
    assert_eq!(fetched.body.collect(100).await.unwrap(), "bytes");
    let seen = bench.script.seen.lock().unwrap().clone();
    assert_eq!(seen[1].0, "GET https://other.example/f?sig=1");
    assert!(seen.iter().all(|(_, headers, _)| headers.is_empty()), "{seen:?}");

    for (to, kind) in
        [("https://cdn.example/f?sig=0", ErrorKind::WrongContent), ("file:///etc/passwd", ErrorKind::WrongContent)]
    {
        let bench = Bench::new((0..6).map(|_| Act::Redirect(to)));
        assert_eq!(bench.pipeline.send(&Fetch::new(link.clone())).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn a_refused_link_is_its_own_kind_and_keeps_the_hosts_text() {
    let refusal = r#"{"message":"forbidden realc:1 arg_c:2","code":1010}"#;
    let bench = Bench::new([Act::Answer(403, "application/json", refusal)]);
    let error = bench.pipeline.send(&Fetch::new(Link::parse("https://cdn.example/f").unwrap())).await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::LinkRejected, Some(1010)));
    assert_eq!(error.message(), Some("forbidden realc:1 arg_c:2"));
}

#[tokio::test]
async fn an_error_of_a_source_is_not_blamed_on_the_network() {
    #[derive(Debug)]
    struct Broken;
    impl pan123_core::BodySource for Broken {
        fn length(&self) -> u64 {
            5
        }
        fn open(&self) -> Body {
            struct Fails;
            impl Chunks for Fails {
                fn poll_chunk(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
                    Poll::Ready(Some(Err(Error::new(ErrorKind::SourceChanged, "it changed").into())))
                }
            }
            Body::from_chunks(Some(5), Fails)
        }
    }
    #[derive(Debug)]
    struct Put;
    impl Operation for Put {
        type Output = ();
        const META: Meta = Meta::post("open/test.put", "/put").effect(Effect::Same);
        fn encode(&self, request: &mut pan123_core::Request) {
            request.raw("application/octet-stream", Arc::new(Broken));
        }
        fn decode(&self, reply: Reply) -> Result<()> {
            reply.nothing()
        }
    }
    let bench = Bench::new([]);
    let error = bench.pipeline.send(&Put).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::SourceChanged, 1));
}

#[tokio::test]
async fn an_item_that_comes_again_is_handed_out_once_and_a_circle_is_no_end() {
    let page = |ids| Act::Answer(200, "application/json", ids);
    // The second page lies within the first, as where a service counts its pages otherwise than we do.
    let pages = [
        page(r#"{"code":0,"data":[1,2,3]}"#),
        page(r#"{"code":0,"data":[2,3]}"#),
        page(r#"{"code":0,"data":[3,4]}"#),
        page(r#"{"code":0,"data":[]}"#),
    ];
    let bench = Bench::new(pages);
    let items = Items::new(bench.pipeline.clone(), Read::new(FileId::new(1)));
    assert_eq!(items.collect().await.unwrap(), [1, 2, 3, 4].map(FileId::new));

    let bench = Bench::with([], Some(page(r#"{"code":0,"data":[1,2,3]}"#)));
    let mut items = Items::new(bench.pipeline.clone(), Read::new(FileId::new(1)));
    for id in [1, 2, 3] {
        assert_eq!(items.next().await.unwrap(), Some(FileId::new(id)));
    }
    assert_eq!(items.next().await.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(items.next().await.unwrap(), None);
    assert_eq!(bench.requests(), 2);
}
