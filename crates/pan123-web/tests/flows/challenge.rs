//! A login challenge in the middle of the work: the last request, whatever its form, until a person has dealt with it.

use pan123_sim::{Fault, QrAction};
use pan123_web::{ErrorKind, ops::app::NewNotices};

use crate::world::{World, builder};

const LOGIN: &str = "web/auth.sign_in_password";
const TEXT: &str = "当前账号存在境外登录风险，请使用短信验证码或者微信进行登录";

#[tokio::test]
async fn a_challenge_of_any_call_under_any_code_is_one_request_and_no_login() {
    let info = || Fault::on("web/user.info").every();
    for fault in [
        info().code(1).message("请进行验证"),
        info().code(401).message(TEXT),
        info().code(403).message(TEXT),
        info().code_text("403").message(TEXT),
        info().code(20101).message("陌生设备"),
        info().login_challenge(),
    ] {
        let world = World::new().await;
        let client = builder(&world.sim, &world.runtime).password(world.sim.username(), world.sim.password());
        let client = client.build().unwrap();
        client.account_id().await.unwrap();
        world.sim.fault(fault);
        let error = client.user_info().await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::LoginChallenge, 1), "{error}");
        assert!(error.to_string().contains("QR code") && !error.is_retryable(), "{error}");

        let later = client.send(NewNotices::new()).await.unwrap_err();
        assert_eq!((later.kind(), later.endpoint()), (ErrorKind::LoginChallenge, Some("web/user.info")), "{later}");
        assert_eq!((world.sim.count(LOGIN), world.sim.requests().len()), (1, 2), "nothing more was asked");

        world.sim.clear_faults();
        client.reset_challenge();
        client.send(NewNotices::new()).await.unwrap();
        assert_eq!(world.sim.count(LOGIN), 1);
    }
}

#[tokio::test]
async fn a_qr_code_is_the_way_out_for_the_client_that_was_challenged() {
    let world = World::new().await;
    let client = builder(&world.sim, &world.runtime).password(world.sim.username(), world.sim.password());
    let client = client.build().unwrap();
    world.sim.fault(Fault::on(LOGIN).every().login_challenge());
    assert_eq!(client.user_info().await.unwrap_err().kind(), ErrorKind::LoginChallenge);

    let login = builder(&world.sim, &world.runtime).qr_login().await.unwrap();
    world.sim.qr(&world.sim.qr_sessions()[0], QrAction::Confirm);
    let other = login.wait().await.unwrap();
    client.tokens().put(other.tokens().get().await.unwrap()).await.unwrap();
    client.user_info().await.unwrap();
    assert_eq!(world.sim.count(LOGIN), 1);
}
