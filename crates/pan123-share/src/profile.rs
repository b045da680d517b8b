//! What the share API adds to the pipeline: the headers of the service's pages, a signature, and what refusals mean.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header};
use pan123_core::{ErrorKind, Meta, Operation, Profile, Result, Runtime, Timestamp, WebPage, is_login_challenge};
use url::Url;

use crate::{ShareKey, ops::downloads::DownloadBatch};

/// The headers, the signature and the codes of the share API.
///
/// Refusals are told apart by documented codes first, and by texts where the code says nothing; the service's text is
/// kept in the error either way.
///
/// Protocol: `share.yaml`, `common_headers`, `request_signature`, `business_codes` and `business_texts`.
#[derive(Clone, Debug)]
pub struct ShareProfile {
    owner_page: Option<(String, HeaderValue)>,
    page: WebPage,
}

/// The origin of the page that requests are said to come from, but on an owner's host.
pub(crate) const ORIGIN: &str = "https://yun.123pan.com";

impl ShareProfile {
    /// Makes the profile for one share, which signs its requests.
    pub fn new(key: &ShareKey) -> Self {
        let page = |host: String| {
            let address = format!("https://{host}/123pan/{key}");
            Some((host, HeaderValue::try_from(address).ok()?))
        };
        Self { owner_page: key.owner_host().and_then(page), page: WebPage::new(ORIGIN) }
    }

    /// Says another version of the page, in the header and in the signature: the service may come to refuse this one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_version(self, version: impl Into<String>) -> Result<Self> {
        Ok(Self { page: self.page.with_version(version)?, ..self })
    }

    /// Signs no request.
    #[must_use]
    pub fn without_signature(self) -> Self {
        Self { page: self.page.without_signature(), ..self }
    }

    /// Puts another page in the place of its own.
    pub(crate) fn with_page(self, page: WebPage) -> Self {
        Self { page, ..self }
    }
}

impl Profile for ShareProfile {
    fn headers(&self) -> HeaderMap {
        self.page.headers()
    }

    fn headers_for(&self, _: &Meta, url: &Url) -> HeaderMap {
        let mut headers = self.headers();
        if let Some((host, page)) = self.owner_page.as_ref().filter(|(host, _)| url.host_str() == Some(host)) {
            headers.insert(header::REFERER, page.clone());
            headers.insert(
                header::ORIGIN,
                HeaderValue::try_from(format!("https://{host}")).expect("an owner's host is plain ASCII"),
            );
        }
        headers
    }

    fn classify(&self, endpoint: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>) {
        let (kind, text) = refusal(endpoint, code, message);
        (kind, Cow::Borrowed(text))
    }

    fn sign(&self, _: &Meta, path: &str, now: Timestamp, runtime: &dyn Runtime) -> Option<(String, String)> {
        self.page.sign(path, now, runtime)
    }
}

fn refusal(endpoint: &str, code: i64, message: &str) -> (ErrorKind, &'static str) {
    if is_login_challenge(code, message) {
        return (
            ErrorKind::LoginChallenge,
            "the service wants a person to prove who they are: log in once on the website, then try again",
        );
    }
    match code {
        401 | 5112 | 20101 => (
            ErrorKind::LoginRequired,
            "the service gives this only to callers who are logged in or who pay; a client without a token needs one",
        ),
        403 => (ErrorKind::Blocked, "the service refuses this address or account for now"),
        5066 => (ErrorKind::NotFound, FILE_GONE),
        5103 => WRONG_PASSWORD,
        5104 => by_text(message).unwrap_or(SHARE_GONE),
        5113 | 5114 => (
            ErrorKind::QuotaExceeded,
            "the caller's download traffic is used up: wait until there is more, or buy some",
        ),
        -3 if endpoint == DownloadBatch::META.id => (
            ErrorKind::NotFound,
            "there is nothing to download in the folder, or the service wants a session of its web page",
        ),
        400 if message.contains("不存在") => (ErrorKind::NotFound, FILE_GONE),
        400 => by_text(message)
            .unwrap_or((ErrorKind::InvalidInput, "the service does not accept a parameter, which its text names")),
        _ => by_text(message).unwrap_or((ErrorKind::Api, "the service refused")),
    }
}

const FILE_GONE: &str = "what was asked for is not there, or no longer";

const SHARE_GONE: (ErrorKind, &str) = (ErrorKind::ShareGone, "there is no such share, or its owner has cancelled it");

const WRONG_PASSWORD: (ErrorKind, &str) =
    (ErrorKind::WrongSharePassword, "the share has a password, and it is not this one");

/// Reads a refusal from words of its text, in an order in which the surer ones come first.
fn by_text(message: &str) -> Option<(ErrorKind, &'static str)> {
    let texts: [(&[&str], (ErrorKind, &'static str)); 9] = [
        (
            &["签名错误", "版本过低"],
            (
                ErrorKind::ProtocolChanged,
                "the service does not accept how the SDK asks: check the clock, or update the SDK",
            ),
        ),
        (&["频繁"], (ErrorKind::RateLimited, "too many requests")),
        (&["格式异常"], (ErrorKind::InvalidInput, "the service does not take this for a share key")),
        (&["最大为4位"], (ErrorKind::InvalidInput, "a share password has at most four characters")),
        (&["违规"], (ErrorKind::ContentRejected, "the service's review has withheld the share")),
        (&["过期"], (ErrorKind::ShareExpired, "the share was open for a time that has passed")),
        (&["文件不存在", "目录不存在", "任务不存在"], (ErrorKind::NotFound, FILE_GONE)),
        (&["分享码错误", "不存在", "已失效", "已取消", "已删除"], SHARE_GONE),
        (&["提取码", "密码"], WRONG_PASSWORD),
    ];
    texts.into_iter().find(|(words, _)| words.iter().any(|word| message.contains(word))).map(|(_, refusal)| refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_its_code_first_and_then_by_its_text() {
        let list = "share/share.list";
        for (endpoint, code, message, kind) in [
            (list, 5103, "提取码错误", ErrorKind::WrongSharePassword),
            (list, 5104, "", ErrorKind::ShareGone),
            (list, 5104, "分享已过期", ErrorKind::ShareExpired),
            (list, 5104, "分享文件涉嫌违规", ErrorKind::ContentRejected),
            (list, 5104, "分享已取消", ErrorKind::ShareGone),
            (list, 1, "分享码错误或者分享地址错误", ErrorKind::ShareGone),
            (list, 1, "ShareKey格式异常", ErrorKind::InvalidInput),
            (list, 1, "提取码最大为4位", ErrorKind::InvalidInput),
            (list, 1, "请输入提取码", ErrorKind::WrongSharePassword),
            (list, 1, "分享不存在", ErrorKind::ShareGone),
            ("share/share.download_info", 1, "文件不存在", ErrorKind::NotFound),
            ("share/share.save_task", 1, "任务不存在", ErrorKind::NotFound),
            (list, 1, "内部错误", ErrorKind::Api),
            (list, 1, "操作频繁，请稍后再试", ErrorKind::RateLimited),
            (list, 1, "请进行验证", ErrorKind::LoginChallenge),
            (list, 403, "forbidden client ip", ErrorKind::Blocked),
            (list, 1, "签名错误", ErrorKind::ProtocolChanged),
            ("share/share.download_info", 5112, "", ErrorKind::LoginRequired),
            ("share/share.download_info", 401, "请登录后下载", ErrorKind::LoginRequired),
            ("share/share.download_info", 5113, "", ErrorKind::QuotaExceeded),
            ("share/share.download_info", 5114, "", ErrorKind::QuotaExceeded),
            ("share/share.download_info", 5066, "", ErrorKind::NotFound),
            ("share/share.download_info", 400, "源文件不存在", ErrorKind::NotFound),
            ("share/share.download_info", 400, "Etag: required", ErrorKind::InvalidInput),
            (list, 400, "请输入提取码", ErrorKind::WrongSharePassword),
            ("share/share.download_info_batch", -3, "", ErrorKind::NotFound),
            (list, -3, "", ErrorKind::Api),
            ("share/share.save_legacy", 5050, "缺少参数", ErrorKind::Api),
        ] {
            assert_eq!(refusal(endpoint, code, message).0, kind, "{endpoint} {code} {message}");
        }
    }

    #[test]
    fn an_owners_host_is_told_of_its_own_page() {
        let profile = ShareProfile::new(&"5LF8Vv-a1Bc".parse().unwrap());
        let headers = |url: &str| {
            let headers =
                profile.headers_for(&Meta::get("share/share.list", "/api/share/get"), &Url::parse(url).unwrap());
            ["origin", "referer"].map(|name| headers[name].to_str().unwrap().to_owned())
        };
        assert_eq!(
            headers("https://www.123pan.cn/b/api/share/get"),
            ["https://yun.123pan.com", "https://yun.123pan.com/"]
        );
        assert_eq!(
            headers("https://1812345678.share.123pan.cn/b/api/share/get"),
            ["https://1812345678.share.123pan.cn", "https://1812345678.share.123pan.cn/123pan/5LF8Vv-a1Bc"]
        );
    }
}
