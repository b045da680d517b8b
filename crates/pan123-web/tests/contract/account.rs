//! Logging in, the account, the service itself.

use pan123_web::ops::{app, auth, qr, user};

/// The id of a QR code's session.
const ID: &str = "11111111-2222-4333-8444-555555555555";

/// A password longer than the 16 characters that the service is said to look at: it is sent whole.
const PASSWORD: &str = "correct horse battery staple";

const HASH: &str = "00112233445566778899aabbccddeeff";

cases! {
    "auth.sign_in_password" {
        "request" => auth::SignInPassword::new("13800000000", PASSWORD),
        "request-mail" => auth::SignInPassword::new("alice@example.org", PASSWORD),
    }
    "auth.send_sms_code" {
        "request" => auth::SendSmsCode::new("13800000000", HASH),
        "request-traceless" => auth::SendSmsCode::new("13800000000", HASH).traceless("solved"),
    }
    "auth.sign_in_sms" {
        "request" => auth::SignInSms::new("13800000000", "123456", HASH),
        "request-stamped" => auth::SignInSms::new("13800000000", "123456", HASH).time_stamp("1790000000"),
    }
    "auth.sign_in_wechat" { "request" => auth::SignInWechat::new("021AbC") }
    "auth.qr_generate" {
        "request" => qr::Generate::new(),
        "request-id" => qr::Generate::new().id("99999999-2222-4333-8444-555555555555"),
    }
    "auth.qr_result" { "request" => qr::Poll::new(ID) }
    "auth.qr_wx_code" { "request" => qr::WxCode::new(ID) }
    "auth.qr_scan" {
        "request" => qr::Scan::new(ID).platform(qr::ScanPlatform::App),
        "request-bare" => qr::Scan::new(ID),
    }
    "auth.qr_confirm" { "request" => qr::Confirm::new(ID) }
    "auth.qr_deny" { "request" => qr::Deny::new(ID) }
    "auth.qr_bind_wx_code" { "request" => qr::BindWxCode::new(ID, "021AbC") }
    "auth.logout" { "request" => auth::Logout::new() }
    "auth.token_verify" { "request" => auth::VerifyToken::new() }
    "user.info" { "request" => user::UserInfo::new() }
    "user.report_info" { "request" => user::ReportInfo::new() }
    "user.device_list" {
        "request" => user::DeviceList::new(),
        "request-type" => user::DeviceList::new().operate_type(1),
    }
    "user.use_history" { "request" => user::UseHistory::new() }
    "user.modify_info" { "request" => user::ModifyInfo::new("alice") }
    "user.referral_info" { "request" => user::ReferralInfo::new() }
    "app.dydomain" { "request" => app::DynamicDomains::new() }
    "app.server_time" { "request" => app::ServerTime::new() }
    "app.config" { "request" => app::Config::new("OfflineDownload") }
    "app.third_party_app_id" { "request" => app::ThirdPartyAppIds::new() }
    "app.transfer_metrics" { "request" => app::TransferMetrics::new() }
    "app.permission_list" {
        "request" => app::PermissionList::new(1_u32),
        "request-page" => app::PermissionList::new(2_u32).page_size(20),
    }
    "app.permission_delete" { "request" => app::DeletePermission::new("example-app") }
    "app.notice_new" { "request" => app::NewNotices::new() }
    "app.announcement" { "request" => app::Announcements::new() }
}
