//! Logging in with a password, being told who one is, and logging out.

use std::time::Duration;

use pan123_core::LOGIN_COOL_DOWN;
use pan123_sim::Fault;
use pan123_web::{AccountId, ClientBuilder, ErrorKind, FileTokenStore, Token, ops::auth};

use crate::world::{World, builder};

const LOGIN: &str = "web/auth.sign_in_password";

/// A builder for the account of the simulator.
fn account(world: &World) -> ClientBuilder {
    builder(&world.sim, &world.runtime).password(world.sim.username(), world.sim.password())
}

#[tokio::test]
async fn a_phone_number_and_a_mail_address_log_in_each_in_their_own_form() {
    let world = World::new().await;
    for (passport, name) in [(world.sim.username(), "passport"), (world.sim.email(), "mail")] {
        world.sim.clear_requests();
        let client = builder(&world.sim, &world.runtime).password(passport, world.sim.password()).build().unwrap();
        assert_eq!(client.user_info().await.unwrap().id.get(), world.sim.uid().unsigned_abs());
        let requests = world.sim.requests();
        let body = requests[0].json().unwrap();
        assert_eq!((requests.len(), body[name].as_str()), (2, Some(passport)));
        assert!(
            requests[0].header("authorization").is_none() && requests[0].query.is_empty(),
            "no token, no signature"
        );
        assert_eq!(requests[1].query.len(), 1, "a call with a token is signed");
    }
}

#[tokio::test]
async fn the_token_itself_tells_whose_it_is() {
    let world = World::new().await;
    let id = AccountId::new(world.sim.uid().unsigned_abs());
    let client = account(&world).build().unwrap();
    assert_eq!(client.account_id().await.unwrap(), id);
    assert_eq!((world.sim.count(LOGIN), world.sim.count("web/user.info")), (1, 0));
    let token = client.tokens().get().await.unwrap();
    assert!(token.expires_at().unwrap().unix() > world.sim.now());

    // A `Bearer` that was copied along is no part of it.
    let copied = format!("Bearer {}", token.access().expose());
    let held = builder(&world.sim, &world.runtime).token(Token::new(copied)).build().unwrap();
    assert_eq!(held.user_info().await.unwrap().id, id);

    let opaque = Token::new("opaque");
    let held = builder(&world.sim, &world.runtime).token(opaque).build().unwrap();
    assert_eq!(held.account_id().await.unwrap_err().kind(), ErrorKind::Unauthorized, "the service was asked");
    assert_eq!(world.sim.count("web/user.info"), 2);
}

#[tokio::test]
async fn a_wrong_password_is_one_request_until_the_login_has_cooled_down() {
    let world = World::new().await;
    let client = builder(&world.sim, &world.runtime).password(world.sim.username(), "wrong").build().unwrap();
    for _ in 0..3 {
        let error = client.user_info().await.unwrap_err();
        assert_eq!((error.kind(), error.endpoint()), (ErrorKind::Unauthorized, Some(LOGIN)), "{error}");
        assert!(!error.may_have_happened(), "the call itself was not sent");
    }
    assert_eq!(world.sim.count(LOGIN), 1);
    world.runtime.advance(LOGIN_COOL_DOWN);
    client.user_info().await.unwrap_err();
    assert_eq!(world.sim.count(LOGIN), 2);
    client.reset_challenge();
    client.user_info().await.unwrap_err();
    assert_eq!(world.sim.count(LOGIN), 3, "a person may want to try again at once");
    assert_eq!(world.sim.count("web/user.info"), 0);
}

#[tokio::test]
async fn a_service_that_has_enough_of_logins_is_not_asked_again() {
    let world = World::new().await;
    let client = account(&world).build().unwrap();
    for fault in [
        Fault::on(LOGIN).every().code(1).message("当前登录操作频繁，请稍后再试"),
        Fault::on(LOGIN).every().code(429),
        Fault::on(LOGIN).every().code_text("403").message("forbidden client ip"),
    ] {
        world.sim.clear_faults();
        world.sim.clear_requests();
        world.sim.fault(fault);
        for _ in 0..3 {
            let error = client.user_info().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Blocked), "{error}");
        }
        assert_eq!(world.sim.count(LOGIN), 1);
        world.runtime.advance(LOGIN_COOL_DOWN);
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_login_is_not_asked_for_again_by_itself() {
    let world = World::new().await;
    let client = account(&world).build().unwrap();
    world.sim.fault(Fault::on(LOGIN).drop_answer());
    let error = client.user_info().await.unwrap_err();
    assert_eq!((error.kind(), world.sim.count(LOGIN)), (ErrorKind::Connection, 1), "{error}");
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(LOGIN), 2);
}

#[tokio::test]
async fn a_kept_login_needs_no_other_after_a_restart_and_no_password() {
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("login.json"));
    account(&world).token_store(store()).build().unwrap().user_info().await.unwrap();
    account(&world).token_store(store()).build().unwrap().user_info().await.unwrap();
    let alone = builder(&world.sim, &world.runtime).token_store(store()).build().unwrap();
    alone.user_info().await.unwrap();
    assert_eq!(world.sim.count(LOGIN), 1);

    world.sim.expire_tokens();
    let error = alone.user_info().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some(401)), "{error}");
    let nothing = FileTokenStore::new(world.path("other.json"));
    let nobody = builder(&world.sim, &world.runtime).token_store(nothing).build().unwrap();
    assert_eq!(nobody.user_info().await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(builder(&world.sim, &world.runtime).build().unwrap_err().kind(), ErrorKind::Config);
}

#[tokio::test]
async fn a_client_that_is_dropped_stays_logged_in_and_a_logout_is_said_once_and_forgotten() {
    const LOGOUT: &str = "web/auth.logout";
    let world = World::new().await;
    let store = || FileTokenStore::new(world.path("login.json"));
    let client = account(&world).token_store(store()).build().unwrap();
    client.logout().await.unwrap();
    assert!(world.sim.requests().is_empty(), "whoever is not logged in does not log in to log out");
    client.user_info().await.unwrap();
    drop(client);
    assert_eq!((world.sim.count(LOGOUT), world.sim.live_tokens()), (0, world.sim.live_tokens()));

    let client = account(&world).token_store(store()).build().unwrap();
    let token = client.tokens().get().await.unwrap();
    client.logout().await.unwrap();
    assert_eq!((world.sim.count(LOGOUT), world.sim.count(LOGIN)), (1, 1));
    assert!(!world.path("login.json").exists(), "the store forgot it");
    let dead = builder(&world.sim, &world.runtime).token(token).build().unwrap();
    assert_eq!(dead.user_info().await.unwrap_err().kind(), ErrorKind::Unauthorized, "the service did, too");
    dead.logout().await.unwrap();

    // Whatever the service says, the token is not used any more.
    client.user_info().await.unwrap();
    world.sim.fault(Fault::on(LOGOUT).status(500));
    assert_eq!(client.logout().await.unwrap_err().kind(), ErrorKind::Server);
    assert_eq!((world.sim.count(LOGOUT), client.tokens().kept().await.unwrap()), (3, None));
}

#[tokio::test]
async fn a_text_message_ends_a_challenge_for_the_client_that_met_it() {
    let world = World::new().await;
    let client = account(&world).build().unwrap();
    world.sim.fault(Fault::on(LOGIN).login_challenge());
    let error = client.user_info().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LoginChallenge);
    let hash = auth::challenge_hash(&error).unwrap();
    let sms =
        client.send(auth::SendSmsCode::new(world.sim.username(), hash.clone()).traceless("solved")).await.unwrap();
    assert!(sms.was_sent(), "{sms:?}");
    let sign_in = auth::SignInSms::new(world.sim.username(), world.sim.sms_code(), hash).time_stamp(sms.time_stamp);
    let token = client.send(sign_in).await.unwrap();
    client.tokens().put(token).await.unwrap();
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(LOGIN), 1);
}

#[tokio::test]
async fn a_token_ends_by_the_service_s_clock_and_a_wrong_one_of_ours_costs_no_login() {
    let day = Duration::from_secs(24 * 3600);
    let world =
        World::with(|sim| sim.lenient().token_lifetime(Duration::from_secs(90 * 24 * 3600)), |client| client).await;
    // A year ahead: every token looks as if it had ended.
    world.runtime.advance(day * 365);
    let client = account(&world).signing(false).build().unwrap();
    for _ in 0..3 {
        client.user_info().await.unwrap();
    }
    assert_eq!(world.sim.count(LOGIN), 1);
    world.sim.advance(day * 91);
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(LOGIN), 2, "it was refused, and replaced once");
}
