//! Tokens that a user granted: refreshed once each, saved before they are used, and never asked for twice.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pan123_core::{BoxFuture, MemoryTokenStore, Result, Runtime, Secret, Token, TokenStore, testing::VirtualRuntime};
use pan123_open::{
    Client, ClientBuilder, ErrorKind, FileTokenStore,
    ops::{
        broker::{BrokerGrant, GrantAddress, Renew},
        oauth::{AppVerify, AuthState, AuthorizePage, Granted, SHORT_LIFETIME, UserAuthorize},
    },
};
use pan123_sim::{Fault, Simulator};

use crate::world::{World, builder};

const REFRESH: &str = "open/oauth.refresh_token";
const RENEW: &str = "open/oplist.renewapi";
const REDIRECT: &str = "https://app.example.org/cb";

fn oauth(sim: &Simulator, runtime: &VirtualRuntime, refresh_token: &str) -> ClientBuilder {
    builder(sim, runtime).oauth(sim.client_id(), sim.client_secret(), refresh_token)
}

fn broker(sim: &Simulator) -> String {
    format!("{}/123cloud/renewapi", sim.urls().open)
}

/// A store that counts, for each token saved, how many requests the service had seen by then.
#[derive(Debug)]
struct Noting {
    store: MemoryTokenStore,
    sim: Arc<Simulator>,
    saved: Arc<Mutex<Vec<(Token, usize)>>>,
}

impl TokenStore for Noting {
    fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
        self.store.load()
    }

    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
        self.saved.lock().unwrap().push((token.clone(), self.sim.requests().len()));
        self.store.save(token)
    }
}

#[tokio::test]
async fn a_new_pair_is_saved_before_it_is_used_and_each_refresh_token_is_used_once() {
    let sim = Arc::new(Simulator::start().await.unwrap());
    let runtime = VirtualRuntime::new(sim.now(), 1);
    let saved = Arc::default();
    let store = Noting { store: MemoryTokenStore::default(), sim: Arc::clone(&sim), saved: Arc::clone(&saved) };
    let client = oauth(&sim, &runtime, &sim.grant_refresh_token()).token_store(store).build().unwrap();
    for _ in 0..3 {
        client.user_info().await.unwrap();
        sim.expire_tokens();
    }
    let saved = saved.lock().unwrap().clone();
    assert_eq!((saved.len(), sim.count(REFRESH)), (3, 3));
    let requests = sim.requests();
    for (token, seen) in &saved {
        let bearer = format!("Bearer {}", token.access().expose());
        let used = requests.iter().position(|request| request.header("authorization") == Some(bearer.as_str()));
        assert!(used.unwrap() >= *seen, "used as request {used:?}, saved after {seen}");
        assert_eq!(token.expires_at().unwrap().since(runtime.now()), Duration::from_secs(7200));
    }
    let mut sent: Vec<&Secret> = saved.iter().filter_map(|(token, _)| token.refresh()).collect();
    sent.dedup();
    assert_eq!(sent.len(), 3, "each answer brought another");
}

#[tokio::test]
async fn a_token_about_to_end_is_refreshed_once_for_all() {
    let world = World::new().await;
    let client = oauth(&world.sim, &world.runtime, &world.sim.grant_refresh_token()).build().unwrap();
    client.user_info().await.unwrap();
    world.runtime.advance(Duration::from_secs(7200 - 200));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.user_info().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.sim.count(REFRESH), 2);
    assert!(world.sim.requests().iter().all(|request| request.code != Some(401)));
}

#[tokio::test]
async fn a_lost_answer_to_a_refresh_is_not_asked_for_again() {
    for drop in
        [Fault::on(REFRESH).after().drop_answer(), Fault::on(REFRESH).after().status(502).body("text/html", "<html>")]
    {
        let world = World::new().await;
        let client = oauth(&world.sim, &world.runtime, &world.sim.grant_refresh_token()).build().unwrap();
        world.sim.fault(drop);
        for _ in 0..3 {
            let error = client.user_info().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
            assert!(error.may_have_happened() && !error.is_retryable(), "{error}");
            // Neither does it help to wait.
            world.runtime.advance(Duration::from_secs(600));
        }
        assert_eq!((world.sim.count(REFRESH), world.sim.count("open/user.info")), (1, 0));
    }
}

#[tokio::test]
async fn what_never_arrived_is_sent_again() {
    let world = World::new().await;
    let client = oauth(&world.sim, &world.runtime, &world.sim.grant_refresh_token()).build().unwrap();
    world.sim.fault(Fault::on(REFRESH).code(429).message("slow down"));
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(REFRESH), 2);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_is_refused_and_asked_about_once() {
    let world = World::new().await;
    let token = world.sim.grant_refresh_token();
    oauth(&world.sim, &world.runtime, &token).build().unwrap().user_info().await.unwrap();
    let late = oauth(&world.sim, &world.runtime, &token).build().unwrap();
    for _ in 0..3 {
        let error = late.user_info().await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::Unauthorized, Some(REFRESH)), "{error}");
        assert!(!format!("{error} {error:?}").contains(&token), "{error:?}");
        world.runtime.advance(Duration::from_secs(600));
    }
    assert_eq!(world.sim.count(REFRESH), 2);
}

#[tokio::test]
async fn programs_that_share_a_store_refresh_one_at_a_time_and_its_token_is_the_newest() {
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("token.json"));
    let granted = world.sim.grant_refresh_token();
    let clients: Vec<Client> =
        (0..4).map(|_| oauth(&world.sim, &world.runtime, &granted).token_store(store()).build().unwrap()).collect();
    for round in 1..=2 {
        let tasks: Vec<_> = clients
            .iter()
            .map(|client| {
                let client = client.clone();
                tokio::spawn(async move { client.user_info().await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(world.sim.count(REFRESH), round, "four clients, one store, one refresh");
        world.sim.expire_tokens();
    }
    // A restart with the first refresh token, long used: the store's is taken.
    let restarted = oauth(&world.sim, &world.runtime, &granted).token_store(store()).build().unwrap();
    restarted.user_info().await.unwrap();
    assert_eq!(world.sim.count(REFRESH), 3);
}

#[tokio::test]
async fn a_new_grant_helps_where_the_store_has_a_dead_token() {
    let world = World::new().await;
    let store = FileTokenStore::new(world.path("token.json"));
    store.save(&Token::new("dead").with_refresh("dead-refresh-token").with_expiry(world.runtime.now())).await.unwrap();
    let granted = world.sim.grant_refresh_token();
    let client = oauth(&world.sim, &world.runtime, &granted).token_store(store).build().unwrap();
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(REFRESH), 2);
}

#[tokio::test]
async fn a_code_is_exchanged_once_and_then_refreshed() {
    let world = World::new().await;
    let code = world.sim.grant_code(REDIRECT);
    let app = |code: &str| {
        builder(&world.sim, &world.runtime).oauth_code(world.sim.client_id(), world.sim.client_secret(), code, REDIRECT)
    };
    let client = app(&code).build().unwrap();
    client.user_info().await.unwrap();
    world.sim.expire_tokens();
    client.user_info().await.unwrap();
    assert_eq!((world.sim.count("open/oauth.token_by_code"), world.sim.count(REFRESH)), (1, 1));

    let late = app(&code).build().unwrap();
    let error = late.user_info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    assert!(!format!("{error:?}").contains(&code), "{error:?}");
}

#[tokio::test]
async fn a_session_grants_access_without_the_page() {
    let world = World::new().await;
    let state = AuthState::random(&world.runtime);
    let page = AuthorizePage::new(world.sim.client_id(), REDIRECT, state.clone());
    assert!(page.url().query_pairs().any(|(name, value)| name == "state" && value == state.as_str()));
    world.client.send(AppVerify::new(world.sim.client_id(), REDIRECT)).await.unwrap();
    let unknown = world.client.send(AppVerify::new("nobody", REDIRECT)).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Unauthorized);

    let session = world.client.token().await.unwrap().access().clone();
    let ask = UserAuthorize::new(session, world.sim.client_id(), REDIRECT).state(state.as_str());
    let granted: Granted = world.client.send(ask).await.unwrap();
    assert_eq!(granted.state, Some(state));
    let client = builder(&world.sim, &world.runtime)
        .oauth_code(world.sim.client_id(), world.sim.client_secret(), granted.code, REDIRECT)
        .build()
        .unwrap();
    client.user_info().await.unwrap();
    let refused = world.client.send(UserAuthorize::new("not a token", world.sim.client_id(), REDIRECT)).await;
    let error = refused.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unauthorized, Some("access token invalid")));
}

#[tokio::test]
async fn a_broker_refreshes_and_learns_nothing_else() {
    let world = World::new().await;
    let granted = world.sim.grant_refresh_token();
    let client = builder(&world.sim, &world.runtime).broker(broker(&world.sim), granted.as_str()).build().unwrap();
    client.user_info().await.unwrap();
    // A broker that does not say how long the token lasts: it is renewed early.
    let old = r#"{"access_token":"made-up","refresh_token":"made-up-refresh"}"#;
    world.sim.expire_tokens();
    world.sim.fault(Fault::on(RENEW).body("application/json", old));
    client.user_info().await.unwrap_err();
    let ends = client.token().await.unwrap().expires_at().unwrap();
    assert_eq!(ends.since(world.runtime.now()), SHORT_LIFETIME);
    for request in world.sim.requests().iter().filter(|request| request.operation.as_deref() == Some(RENEW)) {
        assert_eq!((request.header("authorization"), request.header("platform")), (None, None));
    }
}

#[tokio::test]
async fn a_brokers_refusal_or_silence_ends_the_refreshing() {
    let world = World::new().await;
    let granted = world.sim.grant_refresh_token();
    let by_broker =
        |token: &str| builder(&world.sim, &world.runtime).broker(broker(&world.sim), token).build().unwrap();
    world.client.send(Renew::new(broker(&world.sim).parse::<url::Url>().unwrap(), granted.as_str())).await.unwrap();
    let client = by_broker(&granted);
    for _ in 0..2 {
        let error = client.user_info().await.unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Unauthorized, Some(500)), "{error}");
        assert!(error.message().is_some(), "the broker's words are kept: {error}");
        world.runtime.advance(Duration::from_secs(600));
    }
    assert_eq!(world.sim.count(RENEW), 2);

    let client = by_broker(&world.sim.grant_refresh_token());
    world.sim.fault(Fault::on(RENEW).after().drop_answer());
    for _ in 0..2 {
        let error = client.user_info().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Unauthorized && error.may_have_happened(), "{error}");
        world.runtime.advance(Duration::from_secs(600));
    }
    assert_eq!(world.sim.count(RENEW), 3);
}

#[tokio::test]
async fn a_broker_hands_out_the_address_of_its_page() {
    let world = World::new().await;
    let address: url::Url = format!("{}/123cloud/requests", world.sim.urls().open).parse().unwrap();
    let page = world.client.send(GrantAddress::new(address)).await.unwrap();
    assert!(page.query_pairs().any(|(name, value)| name == "client_id" && value == world.sim.client_id()));
    // {"access_token":"a","refresh_token":"r"}
    let shown = "https://broker.example/#eyJhY2Nlc3NfdG9rZW4iOiJhIiwicmVmcmVzaF90b2tlbiI6InIifQ==";
    let grant = BrokerGrant::from_address(shown).unwrap();
    assert_eq!(grant.refresh_token.expose(), "r");
}

#[tokio::test]
async fn no_secret_of_a_refresh_is_in_an_error() {
    let world = World::new().await;
    let hosts = pan123_open::Hosts::default().with_open("http://127.0.0.1:1").unwrap();
    let granted = "planted-refresh-token";
    let nobody = oauth(&world.sim, &world.runtime, granted).hosts(hosts).build().unwrap();
    let error = nobody.user_info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    let mut shown = format!("{nobody:?} {error} {error:?}");
    world.sim.fault(
        Fault::on(REFRESH).code(77).message(format!("refresh_token {granted} of {}", world.sim.client_secret())),
    );
    let client = oauth(&world.sim, &world.runtime, granted).build().unwrap();
    shown.push_str(&format!("{:?}", client.user_info().await.unwrap_err()));
    let broker = builder(&world.sim, &world.runtime).broker("http://127.0.0.1:1/123cloud/renewapi", granted);
    shown.push_str(&format!("{broker:?}"));
    shown.push_str(&format!("{:?}", broker.build().unwrap().user_info().await.unwrap_err()));
    assert!(!shown.contains(granted) && !shown.contains(world.sim.client_secret()), "{shown}");
}

#[test]
fn a_grant_without_sense_is_not_built() {
    for (builder, part) in [
        (Client::builder().oauth("", "secret", "refresh"), "app id"),
        (Client::builder().oauth("id", " ", "refresh"), "app secret"),
        (Client::builder().oauth("id", "secret", ""), "refresh token"),
        (Client::builder().oauth_code("id", "secret", "", REDIRECT), "code"),
        (Client::builder().oauth_code("id", "secret", "code", ""), "redirect"),
        (Client::builder().broker("broker.example", "refresh"), "broker"),
        (Client::builder().broker("https://broker.example/123cloud/renewapi", ""), "refresh token"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }
}
