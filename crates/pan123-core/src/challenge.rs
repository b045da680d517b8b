//! How the service says that it wants a person to prove who they are: one code, and texts under any code.

/// The code of a refused login from abroad.
const CHALLENGE_CODE: i64 = 7012;

/// What it says, mostly under codes that say nothing themselves.
const DEMANDS: [&str; 4] = ["短信验证码", "微信登录", "陌生设备", "请进行验证"];

/// What it says of a code that the caller gave and that is not the right one, or no longer.
const WRONG_CODE: [&str; 4] = ["验证码错误", "验证码不正确", "验证码已过期", "验证码已失效"];

/// Codes of one known meaning, whose text may hold the name of a file (`web.yaml`, `codes`): what such a name says is
/// nobody's demand.
const PLAIN_CODES: [i64; 9] = [400, 5060, 5066, 5103, 5104, 5112, 5113, 5114, 5252];

/// Says whether a refusal is a login challenge, which any call may meet and no retry helps against.
///
/// Protocol: `web.yaml`, `codes` and `password_login`.
///
/// # Example
///
/// ```
/// assert!(pan123_core::is_login_challenge(1, "当前账号存在安全风险，请使用短信验证码或者微信进行登录"));
/// assert!(!pan123_core::is_login_challenge(5060, "该目录下已存在同名文件：微信登录.png"));
/// ```
pub fn is_login_challenge(code: i64, message: &str) -> bool {
    let has = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    // A file may be a risk, too, and that is no matter of the login.
    let risk = || has(&["安全风险", "登录风险", "账号风险", "设备风险"]) && !has(&["文件"]);
    let demand = || has(&DEMANDS) && !has(&WRONG_CODE) && !has(&["同名", "重名"]);
    code == CHALLENGE_CODE || !PLAIN_CODES.contains(&code) && (risk() || demand())
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
            (1, "当前账号存在安全风险", true),
            (1, "账号风险", true),
            (401, "陌生设备登录", true),
            (1, "请使用微信登录", true),
            (1, "该文件存在安全风险", false),
            (5060, "该目录下文件名重复:微信登录.png", false),
            (5066, "短信验证码.txt", false),
            (1, "该目录下文件夹重名：微信登录", false),
            (1, "短信验证码错误", false),
            (5019, "请进行验证", true),
            (1, "内部错误", false),
            (999, "风险文件不存在", false),
        ] {
            assert_eq!(is_login_challenge(code, message), is, "{code} {message}");
        }
    }
}
