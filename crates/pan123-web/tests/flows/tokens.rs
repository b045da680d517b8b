//! The token in real life: expired, refused, shared by many tasks.

use pan123_sim::{Face, Fault};
use pan123_web::{Client, ErrorKind, Source, ops::app::NewNotices};
use tokio::task::JoinSet;

use crate::world::{World, builder, check_hosts};

const LOGIN: &str = "web/auth.sign_in_password";

async fn logged_in(world: &World) -> Client {
    let client = builder(&world.sim, &world.runtime).password(world.sim.username(), world.sim.password());
    let client = client.build().unwrap();
    client.user_info().await.unwrap();
    world.sim.clear_requests();
    client
}

/// Sixty-four tasks that ask for the account at once; the kinds of what went wrong.
async fn sixty_four(client: &Client) -> Vec<ErrorKind> {
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        tasks.spawn(async move { client.user_info().await.err().map(|error| error.kind()) });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

#[tokio::test]
async fn sixty_four_tasks_on_an_expired_token_cause_one_login() {
    let world = World::new().await;
    let client = logged_in(&world).await;
    world.sim.expire_tokens();
    assert_eq!(sixty_four(&client).await, []);
    assert_eq!(world.sim.count(LOGIN), 1);
}

#[tokio::test]
async fn a_challenge_during_them_is_one_request_and_all_are_told() {
    let world = World::new().await;
    let client = logged_in(&world).await;
    world.sim.expire_tokens();
    world.sim.fault(Fault::on(LOGIN).every().login_challenge());
    assert_eq!(sixty_four(&client).await, [ErrorKind::LoginChallenge; 64]);
    assert_eq!(world.sim.count(LOGIN), 1);
    let asked = world.sim.requests().len();
    assert_eq!(sixty_four(&client).await, [ErrorKind::LoginChallenge; 64]);
    assert_eq!(world.sim.count(LOGIN), 1, "nobody logs in again by themselves");
    assert!(world.sim.requests().len() <= asked + 64);
}

#[tokio::test]
async fn every_code_for_a_caller_who_is_not_logged_in_is_one_login_and_then_final() {
    for code in [401, 20101, 2] {
        let world = World::new().await;
        let client = logged_in(&world).await;
        world.sim.fault(Fault::on("web/user.info").code(code).message("token is expired"));
        client.user_info().await.unwrap();
        assert_eq!((world.sim.count(LOGIN), world.sim.count("web/user.info")), (1, 2), "{code}");

        world.sim.clear_requests();
        world.sim.fault(Fault::on("web/user.info").every().code(code).message("token is expired"));
        let error = client.user_info().await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, Some(code)), "{error}");
        assert_eq!((world.sim.count(LOGIN), world.sim.count("web/user.info")), (1, 2), "{code}");
    }
}

#[tokio::test]
async fn clients_of_one_account_share_a_login() {
    let world = World::new().await;
    let client = logged_in(&world).await;
    let other = builder(&world.sim, &world.runtime).tokens(client.tokens().clone()).build().unwrap();
    world.sim.expire_tokens();
    let (one, two) = tokio::join!(client.user_info(), other.send(NewNotices::new()));
    one.unwrap();
    two.unwrap();
    assert_eq!(world.sim.count(LOGIN), 1);
}

#[tokio::test]
async fn no_token_leaves_for_a_host_that_is_none_of_the_api() {
    let world = World::new().await;
    let client = logged_in(&world).await;
    let file = client.upload(Source::bytes(vec![7; 1000])).name("a.bin").send().await.unwrap();
    assert_eq!(client.download(&file).bytes(1000).await.unwrap(), vec![7; 1000]);
    let token = client.tokens().get().await.unwrap();
    client.logout().await.unwrap();
    let faces = |face| world.sim.requests().iter().filter(|request| request.face == face).count();
    assert!(faces(Face::Storage) > 0 && faces(Face::Cdn) > 0, "there was somebody to tell");
    check_hosts(&world.sim, token.access().expose());
}
