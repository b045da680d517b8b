//! How the service says that it wants a person to prove who they are: one code, and texts under any code.

/// The code of a refused login from abroad.
const CHALLENGE_CODE: i64 = 7012;

/// Says whether a refusal is a login challenge, which any call may meet and no retry helps against.
///
/// Protocol: `web.yaml`, `codes`.
///
/// # Example
///
/// ```
/// assert!(pan123_core::is_login_challenge(1, "当前账号存在安全风险，请使用短信验证码或者微信进行登录"));
/// assert!(!pan123_core::is_login_challenge(5066, "文件不存在"));
/// ```
pub fn is_login_challenge(code: i64, message: &str) -> bool {
    let risk = message.split_once("存在").is_some_and(|(_, rest)| rest.contains("风险"));
    code == CHALLENGE_CODE || risk || ["请使用短信验证码", "请进行验证"].iter().any(|text| message.contains(text))
}

#[cfg(test)]
mod tests {
    use super::is_login_challenge;

    #[test]
    fn a_challenge_is_known_by_its_code_or_its_text() {
        for (code, message, is) in [
            (7012, "", true),
            (1, "请进行验证", true),
            (403, "当前账号存在境外登录风险，请使用短信验证码或者微信进行登录", true),
            (1, "内部错误", false),
            (999, "风险文件不存在", false),
        ] {
            assert_eq!(is_login_challenge(code, message), is, "{code} {message}");
        }
    }
}
