//! What the Open Platform adds to the pipeline: its header, and what its refusals mean.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use pan123_core::{ErrorKind, Operation, Profile, is_login_challenge};

use crate::ops::{
    auth::AccessToken,
    link_videos::{DirectLinkPlaylists, TranscodeDirectLinks},
    links::DirectLinkUrl,
};

/// The Open Platform's header `Platform: open_platform`, and its codes and texts.
///
/// Refusals are told apart by documented codes, by the texts of which the code says nothing, and by the call that was
/// refused; the service's text is kept in the error either way. What is not known is [`ErrorKind::Api`].
///
/// Protocol: `open-files.yaml`, BUSINESS CODES; `web.yaml`, `codes`; `chosen-codes.md`.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenProfile;

impl Profile for OpenProfile {
    fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("platform"), HeaderValue::from_static("open_platform"))])
    }

    fn classify(&self, endpoint: &'static str, code: i64, message: &str) -> (ErrorKind, Cow<'static, str>) {
        let (kind, text) = refusal(endpoint, code, message);
        (kind, Cow::Borrowed(text))
    }
}

fn refusal(endpoint: &str, code: i64, message: &str) -> (ErrorKind, &'static str) {
    if is_login_challenge(code, message) {
        return (
            ErrorKind::LoginChallenge,
            "the service wants a person to prove who they are: log in once on the website, then try again",
        );
    }
    if endpoint == AccessToken::META.id {
        return (ErrorKind::Unauthorized, "no token was given out: check the client id and the client secret");
    }
    if endpoint.starts_with("open/oauth.") || endpoint.starts_with("open/oplist.") {
        return (ErrorKind::Unauthorized, "access was refused: check the app, or have the user grant access again");
    }
    if message.contains(TOO_MANY_TOKENS) {
        return (
            ErrorKind::Unauthorized,
            "the token was pushed out by newer ones: let all programs of this client id share a token store",
        );
    }
    match code {
        20103 => (ErrorKind::Busy, "the file is still being verified: ask again after a second"),
        5060 => (ErrorKind::AlreadyExists, name_taken(endpoint)),
        5066 => (ErrorKind::NotFound, "there is no such file or folder, or no longer"),
        5113 | 5114 => {
            (ErrorKind::QuotaExceeded, "the download traffic is used up: wait until there is more, or buy some")
        }
        1 if QUEUED.iter().any(|text| message.contains(text)) => {
            (ErrorKind::Busy, "the service has queued the upload and asks to slow down: send it again after a second")
        }
        1 if SAME_NAME.iter().any(|text| message.contains(text)) => (ErrorKind::AlreadyExists, name_taken(endpoint)),
        1 if NEED_DIRECT_LINK.contains(&endpoint) => (
            ErrorKind::DirectLinkDisabled,
            "the file has no direct link: it must lie in a folder, not the root, that is direct-link space",
        ),
        _ => (ErrorKind::Api, "the service refused"),
    }
}

fn name_taken(endpoint: &str) -> &'static str {
    if endpoint.starts_with("open/upload") {
        "the name is taken in that folder: choose another, or keep both or overwrite on a conflict"
    } else {
        "the name is taken in that folder: choose another"
    }
}

/// What the service says of a token beyond the third of its client id, under whatever code.
const TOO_MANY_TOKENS: &str = "tokens number has exceeded the limit";

/// The calls about files that must lie in direct-link space.
const NEED_DIRECT_LINK: [&str; 3] =
    [DirectLinkUrl::META.id, DirectLinkPlaylists::META.id, TranscodeDirectLinks::META.id];

/// What it says with the catch-all code 1 when a single-step upload has to wait its turn.
const QUEUED: [&str; 3] = ["秒传队列", "削峰", "请慢一点"];

/// What it says with the catch-all code 1 when the name of a new folder is taken.
const SAME_NAME: [&str; 2] = ["同名", "重名"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_known_by_code_text_and_place() {
        let mkdir = "open/file.mkdir";
        for (endpoint, code, message, kind) in [
            (mkdir, 1, "该目录下已经有同名文件夹,无法进行创建", ErrorKind::AlreadyExists),
            (mkdir, 1, "该目录下文件夹重名", ErrorKind::AlreadyExists),
            (mkdir, 1, "内部错误", ErrorKind::Api),
            ("open/upload_v2.create", 5060, "", ErrorKind::AlreadyExists),
            ("open/file.download_info", 5066, "文件不存在", ErrorKind::NotFound),
            ("open/file.download_info", 5113, "", ErrorKind::QuotaExceeded),
            ("open/file.download_info", 5114, "", ErrorKind::QuotaExceeded),
            ("open/upload_v2.upload_complete", 20103, "文件正在校验中,请间隔1秒后再试", ErrorKind::Busy),
            ("open/upload_v2.upload_complete", 1, "文件上传失败", ErrorKind::Api),
            ("open/upload_v2.single_create", 1, "任务已进入秒传队列，暂无文件ID", ErrorKind::Busy),
            ("open/upload_v2.single_create", 1, "削峰中", ErrorKind::Busy),
            ("open/user.info", 401001, "tokens number has exceeded the limit", ErrorKind::Unauthorized),
            ("open/file.list_v2", 1, "请进行验证", ErrorKind::LoginChallenge),
            (
                "open/auth.access_token",
                1,
                "当前账号存在安全风险，请使用短信验证码或者微信进行登录",
                ErrorKind::LoginChallenge,
            ),
            ("open/user.info", 7012, "", ErrorKind::LoginChallenge),
            ("open/auth.access_token", 1, "内部错误", ErrorKind::Unauthorized),
            ("open/oauth.refresh_token", 0, "invalid_grant", ErrorKind::Unauthorized),
            ("open/oplist.renewapi", 1, "anything", ErrorKind::Unauthorized),
            ("open/dlink.url", 1, "anything", ErrorKind::DirectLinkDisabled),
            ("open/dlink.m3u8", 1, "anything", ErrorKind::DirectLinkDisabled),
            ("open/dlink.transcode_start", 1, "anything", ErrorKind::DirectLinkDisabled),
            ("open/dlink.transcode_query", 1, "anything", ErrorKind::Api),
            ("open/dlink.url", 5066, "", ErrorKind::NotFound),
            ("open/dlink.enable", 1, "anything", ErrorKind::Api),
            ("open/user.info", 999, "风险文件不存在", ErrorKind::Api),
        ] {
            assert_eq!(refusal(endpoint, code, message).0, kind, "{endpoint} {code} {message}");
        }
    }
}
