//! Hosts that answer with a page: the next is asked, and remembered.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use pan123_core::{Body, BoxFuture, HttpClient, Timeouts, Transport, TransportError};
use pan123_share::{Client, ErrorKind, FileId, RateLimits, ShareLink};
use pan123_sim::{Fault, ShareOptions};

use crate::world::World;

/// Sends what is meant for the public hosts to the simulator, which is told the host; a host of the list shows a page.
#[derive(Debug)]
struct Public {
    inner: HttpClient,
    simulator: http::uri::Authority,
    shows_a_page: Vec<&'static str>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Transport for Public {
    fn send(&self, mut request: Request<Body>) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let host = request.uri().host().unwrap().to_owned();
        self.asked.lock().unwrap().push(host.clone());
        if self.shows_a_page.contains(&host.as_str()) {
            let page = Response::builder().header("content-type", "text/html").body(Body::from("<!DOCTYPE html>"));
            return Box::pin(async move { Ok(page.unwrap()) });
        }
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(http::uri::Scheme::HTTP);
        parts.authority = Some(self.simulator.clone());
        *request.uri_mut() = http::Uri::from_parts(parts).unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        self.inner.send(request)
    }
}

fn public(
    world: &World,
    key: &pan123_share::ShareKey,
    shows_a_page: &[&'static str],
) -> (Client, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::default();
    let transport = Public {
        inner: HttpClient::direct(Timeouts::default()).unwrap(),
        simulator: world.sim.urls().share.strip_prefix("http://").unwrap().parse().unwrap(),
        shows_a_page: shows_a_page.to_vec(),
        asked: Arc::clone(&asked),
    };
    let builder = Client::builder(ShareLink::new(key)).transport(transport).runtime(world.runtime.clone());
    (builder.rate_limits(RateLimits::unlimited()).build().unwrap(), asked)
}

#[tokio::test]
async fn a_host_that_shows_a_page_is_passed_over() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    for (pages, want) in [
        (&[][..], &["yun.123pan.com"][..]),
        (&["yun.123pan.com"], &["yun.123pan.com", "www.123pan.cn"]),
        (
            &["yun.123pan.com", "www.123pan.cn", "www.123pan.com"],
            &["yun.123pan.com", "www.123pan.cn", "www.123pan.com", "1812345678.share.123pan.cn"],
        ),
    ] {
        let (share, asked) = public(&world, &key, pages);
        share.info().await.unwrap();
        assert_eq!(*asked.lock().unwrap(), want);
        share.list(FileId::ROOT).collect().await.unwrap();
        assert_eq!(asked.lock().unwrap().last().map(String::as_str), want.last().copied());
        assert_eq!(asked.lock().unwrap().len(), want.len() + 1, "the host that answered is asked first");
    }
}

#[tokio::test]
async fn when_every_host_shows_a_page_that_is_said() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default());
    world.sim.fault(Fault::on("share/share.info").every().page_shell());
    let (share, asked) = public(&world, &key, &[]);
    let error = share.info().await.unwrap_err();
    assert_eq!((error.kind(), asked.lock().unwrap().len()), (ErrorKind::ProtocolChanged, 4), "{error}");
}

#[tokio::test]
async fn a_key_of_somebody_else_is_not_shown_by_an_owners_host() {
    let world = World::new().await;
    let key = world.share(&["/"], ShareOptions::default().owner(4_000_000_000));
    let (share, asked) = public(&world, &key, &["yun.123pan.com", "www.123pan.cn", "www.123pan.com"]);
    share.info().await.unwrap();
    assert_eq!(asked.lock().unwrap().last().map(String::as_str), Some("4000000000.share.123pan.cn"));
}
