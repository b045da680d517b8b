//! Tokens in real life: expired, refused, kicked out, shared between tasks and programs.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use pan123_core::{BoxFuture, MemoryTokenStore, Result, Token, TokenStore, testing::VirtualRuntime};
use pan123_open::{Client, ErrorKind, FileId, FileTokenStore};
use pan123_sim::{Fault, Simulator};

use crate::world::{PART, World, builder, content};

const TOKEN: &str = "open/auth.access_token";

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_an_upload_is_replaced() {
    let world = World::new().await;
    world.client.token().await.unwrap();
    // The second slice meets a service that has forgotten the token.
    world.sim.fault(Fault::on("open/upload_v2.slice").nth(2).code(401).message("token is expired"));
    let file = world.client.upload(content(4 * PART)).name("a.bin").single_step_up_to(0).send().await.unwrap();
    assert_eq!(file.size, 4 * PART as u64);
    assert_eq!(world.sim.count(TOKEN), 2);
    assert_eq!(world.sim.read("/a.bin").unwrap(), content(4 * PART));
}

#[tokio::test]
async fn sixty_four_tasks_that_meet_a_401_at_once_cause_one_token_request() {
    let world = World::new().await;
    world.client.user_info().await.unwrap();
    world.sim.expire_tokens();
    world.sim.clear_requests();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move { client.user_info().await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.sim.count(TOKEN), 1);
}

#[tokio::test]
async fn a_second_401_is_an_error() {
    let world = World::new().await;
    world.sim.fault(Fault::on("open/user.info").every().code(401).message("access token invalid"));
    let error = world.client.user_info().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Unauthorized, Some("access token invalid")));
    assert_eq!((world.sim.count(TOKEN), world.sim.count("open/user.info")), (2, 2));
}

#[tokio::test]
async fn a_token_about_to_end_is_renewed_before_it_is_refused() {
    let world = World::with(|sim| sim.token_lifetime(Duration::from_secs(3600)), |client| client).await;
    world.client.user_info().await.unwrap();
    for clock in [3000, 299] {
        world.sim.advance(Duration::from_secs(clock));
        world.runtime.advance(Duration::from_secs(clock));
        world.client.user_info().await.unwrap();
    }
    assert_eq!(world.sim.count(TOKEN), 1);
    world.runtime.advance(Duration::from_secs(2));
    world.client.user_info().await.unwrap();
    assert_eq!(world.sim.count(TOKEN), 2);
    assert!(world.sim.requests().iter().all(|request| request.code != Some(401)));
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_yet_is_used_until_it_ends() {
    let world = World::with(|sim| sim.token_lifetime(Duration::from_secs(3600)), |client| client).await;
    world.client.user_info().await.unwrap();
    world.sim.fault(Fault::on(TOKEN).every().status(503));
    world.sim.advance(Duration::from_secs(3500));
    world.runtime.advance(Duration::from_secs(3500));
    world.client.user_info().await.unwrap();

    let held = world.client.token().await.unwrap();
    let held = builder(&world.sim, &world.runtime).token(held).build().unwrap();
    held.user_info().await.unwrap();
    world.sim.advance(Duration::from_secs(200));
    world.runtime.advance(Duration::from_secs(200));
    assert_eq!(held.user_info().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(world.client.user_info().await.unwrap_err().kind(), ErrorKind::Server);
}

#[tokio::test]
async fn wrong_credentials_are_asked_about_once() {
    let world = World::new().await;
    let client = builder(&world.sim, &world.runtime).app(world.sim.client_id(), "not the secret").build().unwrap();
    for _ in 0..3 {
        let error = client.user_info().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);
        assert_eq!(error.endpoint(), Some(TOKEN), "{error}");
    }
    assert_eq!(world.sim.count(TOKEN), 1);
}

#[tokio::test]
async fn a_login_challenge_is_one_request_and_says_so() {
    let world = World::new().await;
    world.sim.fault(Fault::on(TOKEN).every().code(1).message("当前账号存在安全风险，请使用短信验证码或者微信进行登录"));
    for _ in 0..3 {
        assert_eq!(world.client.user_info().await.unwrap_err().kind(), ErrorKind::LoginChallenge);
    }
    assert_eq!(world.sim.count(TOKEN), 1);

    for code in [1, 401] {
        let world = World::new().await;
        world.sim.fault(Fault::on("open/file.list_v2").every().code(code).message("请进行验证"));
        let error = world.client.list(FileId::ROOT).collect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LoginChallenge);
        assert_eq!((world.sim.count("open/file.list_v2"), world.sim.count(TOKEN)), (1, 1), "code {code}");
        assert_eq!(world.client.user_info().await.unwrap_err().kind(), ErrorKind::LoginChallenge);
        assert_eq!(world.sim.count("open/user.info"), 0, "nothing is asked until a person has dealt with it");
        world.client.reset_challenge();
        world.client.user_info().await.unwrap();
    }
}

#[tokio::test]
async fn programs_that_share_a_file_share_a_token() {
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("token.json"));
    let clients: Vec<Client> =
        (0..4).map(|_| builder(&world.sim, &world.runtime).token_store(store()).build().unwrap()).collect();
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
    assert_eq!(world.sim.count(TOKEN), 1, "four clients, one file, one token");
    let restarted = builder(&world.sim, &world.runtime).token_store(store()).build().unwrap();
    restarted.user_info().await.unwrap();
    assert_eq!(world.sim.count(TOKEN), 1, "a restart needs none");
}

/// Notes, for each token saved, how many requests the service had seen by then.
#[derive(Debug)]
struct Noting {
    store: MemoryTokenStore,
    sim: Arc<Simulator>,
    saved: Arc<Mutex<Vec<(String, usize)>>>,
}

impl TokenStore for Noting {
    fn load(&self) -> BoxFuture<'_, Result<Option<Token>>> {
        self.store.load()
    }

    fn save<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<()>> {
        self.saved.lock().unwrap().push((token.access().expose().to_owned(), self.sim.requests().len()));
        self.store.save(token)
    }
}

#[tokio::test]
async fn a_token_is_saved_before_it_is_used() {
    let sim = Arc::new(Simulator::start().await.unwrap());
    let saved = Arc::default();
    let store = Noting { store: MemoryTokenStore::default(), sim: Arc::clone(&sim), saved: Arc::clone(&saved) };
    let client = builder(&sim, &VirtualRuntime::new(sim.now(), 1)).token_store(store).build().unwrap();
    client.user_info().await.unwrap();
    sim.expire_tokens();
    client.user_info().await.unwrap();

    let saved = saved.lock().unwrap().clone();
    assert_eq!(saved.len(), 2);
    let requests = sim.requests();
    for (token, seen) in saved {
        let bearer = format!("Bearer {token}");
        let uses = requests.iter().position(|request| request.header("authorization") == Some(bearer.as_str()));
        // The service's own log: when the token was saved it had seen fewer requests than the first with that token.
        assert!(uses.unwrap() >= seen, "used as request {uses:?}, saved after {seen}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_saved_is_never_used() {
    let world = World::new().await;
    let store = FileTokenStore::new(world.path("no/such/folder/token.json"));
    let client = builder(&world.sim, &world.runtime).token_store(store).build().unwrap();
    let error = client.user_info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenStore, "{error}");
    assert_eq!(world.sim.count("open/user.info"), 0);
}

#[tokio::test]
async fn a_token_the_caller_holds_is_used_and_not_renewed() {
    let world = World::new().await;
    let token = world.client.token().await.unwrap();
    let held = builder(&world.sim, &world.runtime).token(token).build().unwrap();
    held.user_info().await.unwrap();
    world.sim.expire_tokens();
    let error = held.user_info().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unauthorized, Some(401)),
        "the service's words are kept: {error}"
    );
    assert_eq!(world.sim.count(TOKEN), 1);
}

#[tokio::test]
async fn a_fourth_token_kicks_out_the_first_and_it_is_replaced() {
    let world = World::new().await;
    world.client.user_info().await.unwrap();
    for _ in 0..3 {
        builder(&world.sim, &world.runtime).build().unwrap().user_info().await.unwrap();
    }
    world.client.user_info().await.unwrap();
    assert_eq!(world.sim.count(TOKEN), 5);
}

#[test]
fn a_client_without_sense_is_not_built() {
    for (builder, part) in [
        (Client::builder(), "no credentials"),
        (Client::builder().app("", "secret"), "empty"),
        (Client::builder().app("id", " "), "empty"),
        (Client::builder().token(Token::new("")), "empty"),
        (Client::builder().token(Token::new("https://open-api.123pan.com/api/v1/access_token?client_id=a")), "address"),
        (Client::builder().app("id", "secret").link_key(""), "empty"),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }
}
