//! Hosts that stand in for each other, and clocks and time zones that are not the service's.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use pan123_core::{
    Body, BoxFuture, HttpClient, RequestSigner, Timeouts, Transport, TransportError, testing::VirtualRuntime,
};
use pan123_sim::{Face, Fault};
use pan123_web::{
    Client, ErrorKind, FileId, RateLimits, Timestamp, Token,
    ops::{app::NewNotices, shares::CreateShare, user::ModifyInfo},
};

use crate::world::{NOW, World, builder, check_hosts};

/// How a host of the web API fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    Page,
    NotFound,
    TooOld,
}

/// Sends what is meant for the public hosts to the simulator; those of the list fail.
#[derive(Debug)]
struct Public {
    inner: HttpClient,
    simulator: http::uri::Authority,
    failing: Vec<(&'static str, Fails)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Transport for Public {
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let host = request.uri().host().unwrap().to_owned();
        self.asked.lock().unwrap().push(host.clone());
        if let Some((_, fails)) = self.failing.iter().find(|(failing, _)| *failing == host) {
            let (status, kind, text) = match fails {
                Fails::Page => (200, "text/html", "<!DOCTYPE html>"),
                Fails::NotFound => (404, "application/json", r#"{"code":404,"message":"no Route matched"}"#),
                Fails::TooOld => {
                    (200, "application/json", r#"{"code":1,"message":"当前版本过低，请升级","data":null}"#)
                }
            };
            let answer = Response::builder().status(status).header("content-type", kind).body(Body::from(text));
            return Box::pin(async move { Ok(answer.unwrap()) });
        }
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(http::uri::Scheme::HTTP);
        parts.authority = Some(self.simulator.clone());
        *request.uri_mut() = http::Uri::from_parts(parts).unwrap();
        request.headers_mut().insert("host", self.simulator.as_str().parse().unwrap());
        self.inner.send(request)
    }
}

fn public(world: &World, failing: &[(&'static str, Fails)]) -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::default();
    let simulator = world.sim.urls().web.strip_prefix("http://").unwrap().strip_suffix("/b").unwrap();
    let transport = Public {
        inner: HttpClient::direct(Timeouts::default()).unwrap(),
        simulator: simulator.parse().unwrap(),
        failing: failing.to_vec(),
        asked: Arc::clone(&asked),
    };
    let builder = Client::builder().token(Token::new(world.sim.web_token())).transport(transport);
    (builder.runtime(world.runtime.clone()).rate_limits(RateLimits::unlimited()).build().unwrap(), asked)
}

const FIRST: &str = "api.123278.com";
const SECOND: &str = "www.123pan.cn";
const THIRD: &str = "yun.123pan.com";

#[tokio::test]
async fn what_reads_goes_on_to_the_next_host_at_once_and_stays_there() {
    let world = World::new().await;
    for (failing, want) in [
        (vec![], vec![FIRST]),
        (vec![(FIRST, Fails::Page)], vec![FIRST, SECOND]),
        (vec![(FIRST, Fails::NotFound)], vec![FIRST, SECOND]),
        (vec![(FIRST, Fails::TooOld), (SECOND, Fails::Page)], vec![FIRST, SECOND, THIRD]),
    ] {
        let (client, asked) = public(&world, &failing);
        client.user_info().await.unwrap();
        assert_eq!(*asked.lock().unwrap(), want, "{failing:?}");
        client.send(NewNotices::new()).await.unwrap();
        assert_eq!(asked.lock().unwrap().len(), want.len() + 1, "{failing:?}");
        assert_eq!(asked.lock().unwrap().last(), want.last().map(|host| (*host).to_owned()).as_ref());
    }
    let all = [(FIRST, Fails::TooOld), (SECOND, Fails::NotFound), (THIRD, Fails::Page)];
    let (client, asked) = public(&world, &all);
    assert_eq!(client.user_info().await.unwrap_err().kind(), ErrorKind::ProtocolChanged);
    assert_eq!(asked.lock().unwrap().len(), 3, "each was asked once");
}

#[tokio::test]
async fn what_changes_something_goes_on_only_where_the_host_says_that_it_did_nothing() {
    let world = World::new().await;
    let file = FileId::new(world.sim.put("/a", "x"));
    for (fails, is_done) in [(Fails::TooOld, true), (Fails::NotFound, true), (Fails::Page, false)] {
        let (client, asked) = public(&world, &[(FIRST, fails)]);
        let shared = client.send(CreateShare::new("report", [file])).await;
        if is_done {
            shared.unwrap();
        } else {
            let error = shared.unwrap_err();
            assert_eq!((error.kind(), error.may_have_happened()), (ErrorKind::ProtocolChanged, true), "{error}");
            client.user_info().await.unwrap();
        }
        assert_eq!(*asked.lock().unwrap(), [FIRST, SECOND], "{fails:?}");
    }
    // What ends the same when it is done twice is sent again, as after a lost answer.
    let (client, asked) = public(&world, &[(FIRST, Fails::Page)]);
    client.send(ModifyInfo::new("alice")).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [FIRST, SECOND]);
}

#[tokio::test]
async fn the_service_may_name_new_hosts_of_its_own_and_no_others() {
    let world = World::new().await;
    let named = |domains: &str| {
        let body =
            format!(r#"{{"code":0,"message":"ok","data":{{"domains":[{domains}],"ucenterDomain":"user.123pan.cn"}}}}"#);
        world.sim.fault(Fault::on("web/app.dydomain").body("application/json", body));
    };
    named(r#""evil.example","www.123pan.cn""#);
    let hosts = world.client.current_hosts().await.unwrap();
    assert_eq!(hosts.web().as_str(), "https://www.123pan.cn/b");
    assert_eq!(hosts.web_alternatives()[0].as_str().trim_end_matches('/'), world.sim.urls().web);
    named(r#""evil.example","123pan.cn.evil.example""#);
    assert_eq!(world.client.current_hosts().await.unwrap_err().kind(), ErrorKind::ProtocolChanged);
    let asked = world.sim.requests();
    assert!(asked.iter().all(|request| request.header("authorization").is_none() && request.query.is_empty()));
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_set_right_once() {
    for ahead in [-86_400, 3600, 400 * 86_400] {
        let world = World::new().await;
        let runtime = VirtualRuntime::new(NOW + ahead, 3);
        let client = builder(&world.sim, &runtime).password(world.sim.username(), world.sim.password());
        let client = client.build().unwrap();
        let refused = Fault::on("web/user.info").code(1).message("签名错误");
        world.sim.fault(refused.header("date", "Fri, 15 Jan 2027 08:00:00 GMT"));
        for _ in 0..3 {
            client.user_info().await.unwrap();
        }
        // The simulator looks at signatures: what is not of its own time it refuses.
        assert_eq!((world.sim.count("web/user.info"), world.sim.count("web/auth.sign_in_password")), (4, 1), "{ahead}");
    }
}

/// Where this program runs in the time zone under test.
const CHILD: &str = "PAN123_TEST_TIME_ZONE";

#[tokio::test]
async fn another_time_zone_makes_no_difference() {
    if std::env::var_os(CHILD).is_none() {
        // The zone is the process's: this test runs again in two others, far east and far west.
        for zone in ["Pacific/Kiritimati", "America/Los_Angeles"] {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "hosts::another_time_zone_makes_no_difference"]).env("TZ", zone).env(CHILD, "1");
            let output = child.output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{zone}: {said}");
        }
    }
    let world = World::new().await;
    let client = builder(&world.sim, &world.runtime).password(world.sim.username(), world.sim.password());
    let client = client.build().unwrap();
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count("web/user.info"), 1, "the signature was good at once");
    let end = client.tokens().get().await.unwrap().expires_at().unwrap();
    assert!(end.unix() > NOW, "{end}");
    let name = world.sim.requests().pop().unwrap().query.remove(0).0;
    let there = RequestSigner::new("web", "3").pair("/b/api/user/info", Timestamp::from_unix(NOW), 0).0;
    assert_eq!(name, there);
}

#[tokio::test]
async fn another_platform_is_said_in_the_header_and_the_signature_stays_as_it_was() {
    let world = World::with(|sim| sim, |client| client.platform("android")).await;
    let file = FileId::new(world.sim.put("/a.txt", "hello"));
    world.client.link(file).await.unwrap();
    for request in world.sim.requests().iter().filter(|request| request.face == Face::Web) {
        assert_eq!(request.header("platform"), Some("android"), "{:?}", request.operation);
    }
    check_hosts(&world.sim, &world.sim.web_token());
    assert_eq!(world.builder().platform("").build().unwrap_err().kind(), ErrorKind::Config);
}
