//! Secrets planted everywhere, and looked for in everything that can be printed.

use std::error::Error as _;

use pan123_sim::Fault;
use pan123_web::{
    Client, Error, FileTokenStore, Token,
    ops::{auth, qr},
};

use crate::world::{World, builder};

const PLANTED: [&str; 4] = ["planted-password", "planted-token", "planted-uuid", "13800planted"];

fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {:?} {:?}", error.message(), error.trace_id());
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(" {inner} {inner:?}"));
        cause = inner.source();
    }
    text
}

fn check(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} is in: {shown}");
    }
}

#[tokio::test]
async fn no_secret_is_in_anything_that_can_be_printed() {
    let world = World::new().await;
    let with_password = Client::builder().password(PLANTED[3], PLANTED[0]).login_uuid(PLANTED[2]);
    let held = builder(&world.sim, &world.runtime).token(Token::new(PLANTED[1])).login_uuid(PLANTED[2]);
    let mut shown = format!("{with_password:?} {held:?}");
    let held = held.build().unwrap();
    shown.push_str(&format!("{:?} {held:?} {:?}", with_password.build().unwrap(), held.tokens()));
    shown.push_str(&format!("{:?}", auth::SignInPassword::new(PLANTED[3], PLANTED[0])));
    shown.push_str(&format!("{:?} {:?}", qr::Poll::new(PLANTED[1]), auth::SignInWechat::new(PLANTED[0])));
    shown.push_str(&format!("{:?}", FileTokenStore::new(world.path("t"))));
    shown.push_str(&everything(&held.user_info().await.unwrap_err()));
    check(&shown, &PLANTED);

    let login = builder(&world.sim, &world.runtime).qr_login().await.unwrap();
    let session = world.sim.qr_sessions().remove(0);
    check(&format!("{login:?}"), &[&session]);
    assert!(login.url().contains(&session), "the picture has to hold it");
}

#[tokio::test]
async fn no_secret_that_a_service_repeats_comes_through() {
    let world = World::new().await;
    let password = world.sim.password().to_owned();
    let client = builder(&world.sim, &world.runtime).password(world.sim.username(), password.as_str()).build().unwrap();
    for message in [format!("password {password} is bad"), format!("{{\"password\":\"{password}\"}}")] {
        world.sim.fault(Fault::on("web/auth.sign_in_password").code(1).message(&message));
        check(&everything(&client.user_info().await.unwrap_err()), &[&password]);
        client.reset_challenge();
    }
    let token = client.tokens().get().await.unwrap().access().expose().to_owned();
    for message in [format!("token {token} is bad"), format!("Authorization: Bearer {token}")] {
        world.sim.fault(Fault::on("web/user.info").code(77).message(&message));
        check(&everything(&client.user_info().await.unwrap_err()), &[&token]);
        // In place of the data too, where a parser would quote it.
        let body = format!(r#"{{"code":0,"message":"ok","data":{}}}"#, serde_json::json!(message));
        world.sim.fault(Fault::on("web/user.info").body("application/json", body));
        check(&everything(&client.user_info().await.unwrap_err()), &[&token]);
    }
    let login = builder(&world.sim, &world.runtime).qr_login().await;
    let session = world.sim.qr_sessions().remove(0);
    world.sim.fault(Fault::on("web/auth.qr_result").code(1).message(format!("no session {session}")));
    check(&everything(&login.unwrap().wait().await.unwrap_err()), &[&session]);
}
