//! The calls of a login by a QR code; [`QrLogin`](crate::QrLogin) makes them in their order.

use std::fmt;

use pan123_core::{
    Effect, ErrorKind, Meta, Reply, Result, Role, Secret, Timestamp, Token, open_enum, operation, redact, wire,
};
use serde::Deserialize;
use url::Url;

use super::auth::{SUCCESS, check_filled, login};
use crate::claims;

operation! {
    /// Makes a QR code to log in with.
    ///
    /// Protocol: `web.yaml`, `auth.qr_generate`.
    pub struct Generate => QrCode = look("web/auth.qr_generate", "/api/user/qr-code/generate");
    {}
    optional {
        /// Sends an id of the caller's own; the service answers with another.
        query_secret "uniID": id: Secret,
    }

    fn decode(&self, reply: Reply) -> Result<QrCode> {
        let broken = reply.error(ErrorKind::Decode, "the service gave no QR code");
        let Row { id, url } = reply.data_in_any_case()?;
        QrCode::new(&id, &url).ok_or(broken)
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a QR code")]
struct Row {
    #[serde(rename = "uniid")]
    id: String,
    url: String,
}

/// A QR code, as [`Generate`] makes it.
///
/// Whoever knows it can ask for the token once it is confirmed, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QrCode {
    /// The id of its session.
    pub id: Secret,
    /// What to put into the picture.
    pub url: Url,
}

impl QrCode {
    fn new(id: &str, page: &str) -> Option<Self> {
        let mut url = Url::parse(page).ok().filter(|_| !id.is_empty())?;
        // The page picks its API from `env`.
        url.query_pairs_mut()
            .append_pair("env", "production")
            .append_pair("uniID", id)
            .append_pair("source", "123pan")
            .append_pair("type", "login");
        Some(Self { id: id.into(), url })
    }
}

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QrCode").field("id", &self.id).field("page", &redact::url(&self.url)).finish()
    }
}

operation! {
    /// Asks what became of a QR code. The service is asked every 1 to 1.5 seconds.
    ///
    /// Protocol: `web.yaml`, `auth.qr_result`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) and [`Unauthorized`](ErrorKind::Unauthorized) when there is no such code, or no longer.
    pub struct Poll => QrAnswer = look("web/auth.qr_result", "/api/user/qr-code/result").success(SUCCESS);
    {
        /// The id of its session.
        query_secret "uniID": id: Secret,
    }
    fixed {
        query "remember": true,
    }

    fn decode(&self, reply: Reply) -> Result<QrAnswer> {
        let is_confirmed = reply.code()? == 200;
        let no_token = reply.error(ErrorKind::Decode, "the QR code was confirmed and no token came");
        let no_status = reply.error(ErrorKind::Decode, "the answer does not say what became of the QR code");
        let result = reply.data::<Option<wire::AnyCase<Outcome>>>()?.map(|data| data.0).unwrap_or_default();
        let platform = [result.platform, result.login_type].into_iter().flatten().find(|code| *code != 0);
        let platform = platform.map(ScanPlatform::from_code);
        if !result.token.is_empty() {
            let token = claims::token(&result.token, result.expire);
            return Ok(QrAnswer { status: QrStatus::Confirmed, platform, token: Some(token) });
        }
        let status = match result.status.map(QrStatus::from_code) {
            // There is no status to read then.
            _ if is_confirmed && platform == Some(ScanPlatform::WeChat) => QrStatus::Confirmed,
            _ if is_confirmed => return Err(no_token),
            status => status.ok_or(no_status)?,
        };
        Ok(QrAnswer { status, platform, token: None })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "what became of a QR code")]
struct Outcome {
    #[serde(rename = "loginstatus", deserialize_with = "wire::optional_integer")]
    status: Option<i64>,
    #[serde(rename = "scanplatform", deserialize_with = "wire::optional_integer")]
    platform: Option<i64>,
    #[serde(deserialize_with = "wire::optional_integer")]
    login_type: Option<i64>,
    #[serde(deserialize_with = "wire::or_default")]
    token: String,
    #[serde(deserialize_with = "wire::time")]
    expire: Option<Timestamp>,
}

/// What became of a QR code, as [`Poll`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QrAnswer {
    /// How far it is. Sources disagree about 2 and above; this is what most say.
    pub status: QrStatus,
    /// Who scanned it, once somebody has.
    pub platform: Option<ScanPlatform>,
    /// The token, once it is confirmed in the app. After a scan by WeChat there is none: see [`WxCode`].
    pub token: Option<Token>,
}

impl QrAnswer {
    /// Says whether the login goes on at WeChat.
    pub fn is_wechat(&self) -> bool {
        self.status == QrStatus::Confirmed && self.platform == Some(ScanPlatform::WeChat) && self.token.is_none()
    }
}

open_enum! {
    /// How far a login by a QR code is.
    pub enum QrStatus {
        /// Nobody has scanned the code yet.
        Waiting = 0,
        /// Somebody has, and has not answered yet.
        Scanned = 1,
        /// They refused.
        Refused = 2,
        /// They agreed.
        Confirmed = 3,
        /// The code is too old: make another.
        Expired = 4,
    }
}

open_enum! {
    /// What a QR code was scanned with.
    pub enum ScanPlatform {
        /// WeChat.
        WeChat = 4,
        /// The service's own app.
        App = 7,
    }
}

operation! {
    /// Asks for the code that a scan by WeChat gave, for [`SignInWechat`](super::auth::SignInWechat); `None` until it is there.
    ///
    /// Protocol: `web.yaml`, `auth.qr_wx_code`.
    pub struct WxCode => Option<Secret> = login("web/auth.qr_wx_code", "/api/user/qr-code/wx_code").effect(Effect::None);
    {
        /// The id of the QR code's session.
        json_secret "uniID": id: Secret,
    }

    fn decode(&self, reply: Reply) -> Result<Option<Secret>> {
        let code = reply.data::<Option<wire::AnyCase<Code>>>()?.map(|data| data.0.wxcode).unwrap_or_default();
        Ok(Some(code).filter(|code| !code.is_empty()).map(Secret::from))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, expecting = "a code of WeChat")]
struct Code {
    #[serde(deserialize_with = "wire::or_default")]
    wxcode: String,
}

operation! {
    /// Says that a QR code was scanned, as the phone does. With [`Confirm`], a client that is logged in lets another in.
    ///
    /// Protocol: `web.yaml`, `auth.qr_scan`.
    pub struct Scan -> () = login("web/auth.qr_scan", "/api/user/qr-code/scan").effect(Effect::Same);
    {
        /// The id of the QR code's session.
        json_secret "uniID": id: Secret,
    }
    optional {
        /// What it was scanned with.
        json "scanPlatform": platform: ScanPlatform,
    }
}

operation! {
    /// Lets whoever shows a QR code into the account of the token. It may push out another device.
    ///
    /// Protocol: `web.yaml`, `auth.qr_confirm`.
    pub struct Confirm -> () = Meta::post("web/auth.qr_confirm", "/api/user/qr-code/login").role(Role::Login);
    {
        /// The id of the QR code's session.
        json_secret "uniID": id: Secret,
    }
}

operation! {
    /// Refuses a QR code.
    ///
    /// Protocol: `web.yaml`, `auth.qr_deny`.
    pub struct Deny -> () = login("web/auth.qr_deny", "/api/user/qr-code/deny").effect(Effect::Same);
    {
        /// The id of the QR code's session.
        json_secret "uniID": id: Secret,
    }
}

operation! {
    /// Gives a code of WeChat to a QR code's session.
    ///
    /// Protocol: `web.yaml`, `auth.qr_bind_wx_code`.
    pub struct BindWxCode -> () = login("web/auth.qr_bind_wx_code", "/api/user/qr-code/bind_wx_code");
    {
        /// The id of the QR code's session.
        json_secret "uniID": id: Secret,
        /// The code.
        json_secret "wxcode": code: Secret,
    }

    fn validate(&self) -> Result<()> {
        check_filled(&self.code, "the code of WeChat")
    }
}

/// A GET of the login host, without a token.
const fn look(id: &'static str, path: &'static str) -> Meta {
    Meta::get(id, path).role(Role::Login).anonymous()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_holds_the_page_and_the_session() {
        let session = "11111111-2222-4333-8444-555555555555";
        let code = QrCode::new(session, "https://yun.123pan.cn/wx-app-login.html").unwrap();
        assert_eq!(
            code.url.as_str(),
            format!("https://yun.123pan.cn/wx-app-login.html?env=production&uniID={session}&source=123pan&type=login")
        );
        assert_eq!(code.id.expose(), session);
        assert!(!format!("{code:?} {:?} {:?}", Poll::new(session), Confirm::new(session)).contains(session));
        let with_query = QrCode::new("a&b", "https://h/p?v=2").unwrap();
        assert_eq!(with_query.url.as_str(), "https://h/p?v=2&env=production&uniID=a%26b&source=123pan&type=login");
        assert_eq!(QrCode::new("", "https://h/"), None);
        assert_eq!(QrCode::new("a", "no address"), None);
    }
}
