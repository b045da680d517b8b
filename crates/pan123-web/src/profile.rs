//! What the web API adds to the pipeline: the headers of the service's page, a signature, and what refusals mean.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header};
use pan123_core::{Auth, ErrorKind, Meta, Profile, Result, Role, Runtime, Timestamp, WebPage, is_login_challenge};
use url::Url;

/// The headers, the signature and the codes of the web API.
///
/// Refusals are told apart by documented codes first, then by texts of which the code says nothing, and by the call that was
/// refused; the service's text is kept in the error either way. What is not known is [`ErrorKind::Api`].
///
/// Protocol: `web.yaml`, `headers`, `signing` and `codes`.
#[derive(Clone, Debug)]
pub struct WebProfile(WebPage);

/// The version of the login portal's page.
const PORTAL_VERSION: &str = "132";

/// The origin of the page that requests are said to come from.
pub(crate) const ORIGIN: &str = "https://yun.123pan.cn";

/// The origin of the login portal.
const PORTAL_ORIGIN: &str = "https://user.123pan.cn";

impl Default for WebProfile {
    fn default() -> Self {
        Self(WebPage::new(ORIGIN))
    }
}

impl WebProfile {
    /// Makes the profile of the page that clients which work say they are, which signs its requests.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says another version of the page, in the header and in the signature: the service may come to refuse this one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_version(self, version: impl Into<String>) -> Result<Self> {
        self.0.with_version(version).map(Self)
    }

    /// Signs no request.
    #[must_use]
    pub fn without_signature(self) -> Self {
        Self(self.0.without_signature())
    }

    pub(crate) fn of(page: WebPage) -> Self {
        Self(page)
    }
}

impl Profile for WebProfile {
    fn headers(&self) -> HeaderMap {
        self.0.headers()
    }

    fn headers_for(&self, operation: &Meta, _: &Url) -> HeaderMap {
        let mut headers = self.headers();
        if operation.role == Role::Portal {
            headers.insert("app-version", HeaderValue::from_static(PORTAL_VERSION));
            headers.insert(header::ORIGIN, HeaderValue::from_static(PORTAL_ORIGIN));
            headers.remove(header::REFERER);
        }
        headers
    }

    fn classify(&self, endpoint: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>) {
        let (kind, text) = refusal(endpoint, code, message);
        (kind, Cow::Borrowed(text))
    }

    fn sign(&self, operation: &Meta, path: &str, now: Timestamp, runtime: &dyn Runtime) -> Option<(String, String)> {
        // Logins and calls without a token are not signed (`web.yaml`, `signing`).
        let wanted = operation.role == Role::Web && operation.auth != Auth::None;
        wanted.then(|| self.0.sign(path, now, runtime)).flatten()
    }
}

fn refusal(endpoint: &str, code: i64, message: &str) -> (ErrorKind, &'static str) {
    if is_login_challenge(code, message) {
        return CHALLENGE;
    }
    let is_login = endpoint.starts_with("web/auth.sign_in");
    match code {
        2 | 401 | 20101 if is_login => WRONG_CREDENTIALS,
        2 | 401 | 20101 => (ErrorKind::Unauthorized, "the service wants a caller who is logged in"),
        // The three end the session of a QR code.
        403 | 404 if endpoint.starts_with("web/auth.qr_") => {
            (ErrorKind::NotFound, "there is no such QR code, or no longer")
        }
        400 => (ErrorKind::InvalidInput, "the service does not accept a parameter, which its text names"),
        403 => (ErrorKind::Blocked, "the service refuses this address or account for now"),
        429 | 503 => TOO_MANY,
        500 => (ErrorKind::Server, "the server failed"),
        5019 => (
            ErrorKind::LoginChallenge,
            "no text message was sent, as the service wants to see a person solve its puzzle: log in with a QR code",
        ),
        5060 => NAME_TAKEN,
        5066 => NOT_THERE,
        5112 => (ErrorKind::LoginRequired, "the service gives this only to callers who are logged in, or who pay"),
        5113 | 5114 => {
            (ErrorKind::QuotaExceeded, "the download traffic is used up: wait until there is more, or buy some")
        }
        5252 => (ErrorKind::InvalidInput, "there are too many links in one call: give fewer"),
        -1 if is_login => WRONG_CREDENTIALS,
        -1 if ["NoSuchKey", "NoSuchUpload"].iter().any(|gone| message.contains(gone)) => {
            (ErrorKind::NotFound, "the storage has no such upload, or no longer: begin it again")
        }
        -1 if endpoint.starts_with("web/upload.") => (ErrorKind::UploadFailed, "the storage refused"),
        _ => by_text(message).unwrap_or(if is_login {
            WRONG_CREDENTIALS
        } else {
            (ErrorKind::Api, "the service refused")
        }),
    }
}

const CHALLENGE: (ErrorKind, &str) = (
    ErrorKind::LoginChallenge,
    "the service wants a person to prove who they are: log in with a QR code, or once on the website from this network",
);

const WRONG_CREDENTIALS: (ErrorKind, &str) =
    (ErrorKind::Unauthorized, "the login was refused: check the account and the password, or log in with a QR code");

const TOO_MANY: (ErrorKind, &str) = (ErrorKind::RateLimited, "too many requests");

const NAME_TAKEN: (ErrorKind, &str) =
    (ErrorKind::AlreadyExists, "the name is taken in that folder: choose another, or keep both or overwrite");

const NOT_THERE: (ErrorKind, &str) = (ErrorKind::NotFound, "there is no such file or folder, or no longer");

/// Reads a refusal from words of its text, where the code is one for everything.
fn by_text(message: &str) -> Option<(ErrorKind, &'static str)> {
    let texts: [(&[&str], (ErrorKind, &'static str)); 4] = [
        (
            &["签名错误", "版本过低"],
            (
                ErrorKind::ProtocolChanged,
                "the service does not accept how the SDK asks: check the clock, say a newer version with app_version, or update the SDK",
            ),
        ),
        (&["频繁"], TOO_MANY),
        (&["同名", "重名"], NAME_TAKEN),
        (&["文件不存在", "目录不存在"], NOT_THERE),
    ];
    texts.into_iter().find(|(words, _)| words.iter().any(|word| message.contains(word))).map(|(_, refusal)| refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_code_its_text_and_its_call() {
        let (login, list, qr) = ("web/auth.sign_in_password", "web/file.list", "web/auth.qr_result");
        for (endpoint, code, message, kind) in [
            (login, 1, "用户名或密码错误", ErrorKind::Unauthorized),
            (login, -1, "", ErrorKind::Unauthorized),
            (login, 401, "", ErrorKind::Unauthorized),
            (login, 1, "当前登录操作频繁，请稍后再试", ErrorKind::RateLimited),
            (login, 7012, "", ErrorKind::LoginChallenge),
            (login, 1, "陌生设备登录，请使用微信登录", ErrorKind::LoginChallenge),
            (login, 403, "当前账号存在安全风险", ErrorKind::LoginChallenge),
            (login, 403, "", ErrorKind::Blocked),
            (login, 500, "", ErrorKind::Server),
            ("web/auth.send_sms_code", 5019, "", ErrorKind::LoginChallenge),
            (qr, 401, "", ErrorKind::Unauthorized),
            (qr, 403, "", ErrorKind::NotFound),
            (qr, 404, "", ErrorKind::NotFound),
            (list, 401, "请进行验证", ErrorKind::LoginChallenge),
            (list, 401, "cookie token is empty", ErrorKind::Unauthorized),
            (list, 20101, "", ErrorKind::Unauthorized),
            (list, 2, "", ErrorKind::Unauthorized),
            (list, 1, "内部错误", ErrorKind::Api),
            (list, 1, "签名错误", ErrorKind::ProtocolChanged),
            (list, 1, "当前版本过低，请升级", ErrorKind::ProtocolChanged),
            (list, 1, "操作频繁，请稍后再试", ErrorKind::RateLimited),
            (list, 1, "该目录下文件夹重名", ErrorKind::AlreadyExists),
            (list, 1, "文件不存在", ErrorKind::NotFound),
            (list, 400, "Page", ErrorKind::InvalidInput),
            (list, 403, "forbidden", ErrorKind::Blocked),
            (list, 404, "", ErrorKind::Api),
            (list, 503, "", ErrorKind::RateLimited),
            (list, 500, "", ErrorKind::Server),
            ("web/upload.request", 5060, "", ErrorKind::AlreadyExists),
            ("web/file.detail", 5066, "", ErrorKind::NotFound),
            ("web/download.info", 5112, "", ErrorKind::LoginRequired),
            ("web/download.info", 5113, "", ErrorKind::QuotaExceeded),
            ("web/download.info", 5114, "", ErrorKind::QuotaExceeded),
            ("web/offline.resolve", 5252, "", ErrorKind::InvalidInput),
            ("web/upload.list_parts", -1, "NoSuchKey: The specified key does not exist.", ErrorKind::NotFound),
            ("web/upload.complete", -1, "MalformedXML", ErrorKind::UploadFailed),
            (list, -1, "rpc error", ErrorKind::Api),
            (list, 999, "风险文件不存在", ErrorKind::NotFound),
        ] {
            assert_eq!(refusal(endpoint, code, message).0, kind, "{endpoint} {code} {message}");
        }
    }

    #[test]
    fn the_portal_has_a_page_of_its_own_and_only_calls_with_a_token_are_signed() {
        let profile = WebProfile::new();
        let url = Url::parse("https://user.123pan.cn/").unwrap();
        let portal = profile.headers_for(&Meta::get("web/x", "/x").role(Role::Portal), &url);
        assert_eq!(
            (&portal["app-version"], &portal["origin"]),
            (&"132".parse().unwrap(), &PORTAL_ORIGIN.parse().unwrap())
        );
        let runtime = pan123_core::testing::VirtualRuntime::new(0, 1);
        let web = Meta::get("web/x", "/x").role(Role::Web);
        for (meta, is_signed) in [(web, true), (web.anonymous(), false), (web.role(Role::Login), false)] {
            let signed = profile.sign(&meta, "/b/x", Timestamp::from_unix(0), &runtime).is_some();
            assert_eq!(signed, is_signed, "{meta:?}");
            assert!(
                profile.clone().without_signature().sign(&meta, "/b/x", Timestamp::from_unix(0), &runtime).is_none()
            );
        }
    }
}
