//! Logging in and out: by password, SMS, WeChat. QR codes are in [`super::qr`].

use std::fmt;

use http::{HeaderMap, header};
use pan123_core::{
    Effect, Error, ErrorKind, Meta, Operation, Reply, Request, Result, Role, Secret, Timestamp, Token, operation, wire,
};
use serde::{Deserialize, Serialize, Serializer};

use super::{post, qr};
use crate::claims;

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] = &[
    SignInPassword::META,
    SendSmsCode::META,
    SignInSms::META,
    SignInWechat::META,
    qr::Generate::META,
    qr::Poll::META,
    qr::WxCode::META,
    qr::Scan::META,
    qr::Confirm::META,
    qr::Deny::META,
    qr::BindWxCode::META,
    Logout::META,
    VerifyToken::META,
];

/// Logins answer 200 on success; one client has seen 0.
pub(super) const SUCCESS: &[i64] = &[0, 200];

/// The cookie that holds the token as well.
const TOKEN_COOKIE: &str = "sso-token";

/// What an account is known by at a login: a phone number or a mail address. `Debug` does not show it.
///
/// # Example
///
/// ```
/// use pan123_web::ops::auth::Passport;
///
/// assert!(Passport::from("alice@example.org").is_mail());
/// assert_eq!(format!("{:?}", Passport::from("13800000000")), "Passport([personal])");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Passport(Secret);

impl Passport {
    /// Says whether it is a mail address.
    pub fn is_mail(&self) -> bool {
        self.0.expose().contains('@')
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.expose().trim().is_empty()
    }

    fn check(&self) -> Result<()> {
        if self.is_empty() { Err(Error::invalid("the phone number or mail address is empty")) } else { Ok(()) }
    }
}

impl From<&str> for Passport {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Passport {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Serialize for Passport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose().trim())
    }
}

impl fmt::Debug for Passport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passport([personal])")
    }
}

/// Logs in with a password. A client does this on its own: see [`ClientBuilder::password`](crate::ClientBuilder::password).
///
/// A phone number goes as `passport`, a mail address as `mail` with type 2. Each login may push out another device: a free
/// account has three at a time, a member ten. So it is not sent again after a lost answer.
///
/// Protocol: `web.yaml`, `auth.sign_in_password`.
///
/// # Errors
///
/// [`Unauthorized`](ErrorKind::Unauthorized) for a wrong account or password, [`LoginChallenge`](ErrorKind::LoginChallenge)
/// when the service wants a person to prove who they are (see [`challenge_hash`]).
#[derive(Clone, Debug, PartialEq)]
pub struct SignInPassword {
    passport: Passport,
    password: Secret,
}

impl SignInPassword {
    /// Makes the login of an account.
    pub fn new(passport: impl Into<Passport>, password: impl Into<Secret>) -> Self {
        Self { passport: passport.into(), password: password.into() }
    }
}

impl Operation for SignInPassword {
    type Output = Token;
    const META: Meta = login("web/auth.sign_in_password", "/api/user/sign_in").success(SUCCESS);

    fn validate(&self) -> Result<()> {
        self.passport.check()?;
        check_filled(&self.password, "the password")
    }

    fn encode(&self, request: &mut Request) {
        if self.passport.is_mail() {
            request.json("mail", &self.passport);
            request.json("type", 2);
        } else {
            request.json("passport", &self.passport);
            request.json("remember", true);
        }
        request.json_secret("password", &self.password);
    }

    fn decode(&self, reply: Reply) -> Result<Token> {
        token_of(reply)
    }
}

operation! {
    /// Asks for a text message with a code, after a password login met a challenge.
    ///
    /// The service sends it to those who have solved the puzzle of its page, which a program normally cannot: a QR code is
    /// the better way.
    ///
    /// Protocol: `web.yaml`, `auth.send_sms_code`.
    ///
    /// # Errors
    ///
    /// [`LoginChallenge`](ErrorKind::LoginChallenge) when the puzzle is not solved.
    pub struct SendSmsCode => SmsCode = login("web/auth.send_sms_code", "/api/user/get_vcode").role(Role::Portal);
    {
        /// The phone number.
        json "passport": passport: Passport,
        /// What came with the challenge: see [`challenge_hash`].
        json_secret "hashCode": hash: Secret,
    }
    fixed {
        json "aliVersion": 2,
    }
    optional {
        /// The result of the puzzle.
        json "traceless": traceless: String,
    }

    fn validate(&self) -> Result<()> {
        self.passport.check()?;
        check_filled(&self.hash, "the hash code of the challenge")
    }

    fn decode(&self, reply: Reply) -> Result<SmsCode> {
        reply.data_in_any_case()
    }
}

/// What became of a [`SendSmsCode`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(expecting = "what became of the message")]
#[non_exhaustive]
pub struct SmsCode {
    /// The number of the message; empty when none was really sent.
    #[serde(default, rename = "serial_no", deserialize_with = "wire::loose_text")]
    pub serial: String,
    /// What [`SignInSms::time_stamp`] has to hand back.
    #[serde(default, rename = "timestamp", deserialize_with = "wire::loose_text")]
    pub time_stamp: String,
    /// What the service says to the person; may be empty.
    #[serde(default, deserialize_with = "wire::or_default")]
    pub tips: String,
    #[serde(default, deserialize_with = "wire::or_default")]
    traceless: Traceless,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct Traceless {
    #[serde(default, deserialize_with = "wire::optional_integer")]
    code: Option<i64>,
}

impl SmsCode {
    /// Says whether a message was really sent.
    pub fn was_sent(&self) -> bool {
        !self.serial.is_empty() && self.traceless.code.is_none_or(|code| code == 0)
    }
}

/// Returns what the service gave with a login challenge for [`SendSmsCode`] and [`SignInSms`], if it did.
///
/// # Example
///
/// ```no_run
/// use pan123_web::{Client, ops::auth};
///
/// # async fn run(client: Client) -> pan123_web::Result<()> {
/// if let Err(error) = client.user_info().await {
///     if let Some(hash) = auth::challenge_hash(&error) {
///         let sms = client.send(auth::SendSmsCode::new("13800000000", hash)).await?;
///         println!("a message was sent: {}", sms.was_sent());
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub fn challenge_hash(error: &Error) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Data {
        hashcode: String,
    }

    let wire::AnyCase(data) = error.data::<wire::AnyCase<Data>>()?;
    (error.kind() == ErrorKind::LoginChallenge && !data.hashcode.is_empty()).then(|| data.hashcode.into())
}

operation! {
    /// Logs in with the code of a text message.
    ///
    /// Give the token to [`Tokens::put`](pan123_core::Tokens::put) of the client that met the challenge, or to a new client.
    ///
    /// Protocol: `web.yaml`, `auth.sign_in_sms`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) for a wrong code.
    pub struct SignInSms => Token = login("web/auth.sign_in_sms", "/api/user/sign_in").role(Role::Portal).success(SUCCESS);
    {
        /// The phone number.
        json "passport": passport: Passport,
        /// The code.
        json_secret "v_code": code: Secret,
        /// What came with the challenge: see [`challenge_hash`].
        json_secret "hashCode": hash: Secret,
    }
    fixed {
        json "type": 3,
        json "remember": true,
    }
    optional {
        /// What [`SmsCode::time_stamp`] said.
        json "time_stamp": time_stamp: String,
    }

    fn validate(&self) -> Result<()> {
        self.passport.check()?;
        check_filled(&self.code, "the code of the message")?;
        check_filled(&self.hash, "the hash code of the challenge")
    }

    fn decode(&self, reply: Reply) -> Result<Token> {
        token_of(reply)
    }
}

operation! {
    /// Logs in with the code that a scan by WeChat gave. [`QrLogin`](crate::QrLogin) does this on its own.
    ///
    /// Protocol: `web.yaml`, `auth.sign_in_wechat`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) when it is refused.
    pub struct SignInWechat => Token = login("web/auth.sign_in_wechat", "/api/user/sign_in").success(SUCCESS);
    {
        /// What [`WxCode`](qr::WxCode) gave.
        json_secret "wechat_code": code: Secret,
    }
    fixed {
        json "from": "web",
        json "type": 4,
        json "remember": true,
    }

    fn validate(&self) -> Result<()> {
        check_filled(&self.code, "the code of WeChat")
    }

    fn decode(&self, reply: Reply) -> Result<Token> {
        token_of(reply)
    }
}

operation! {
    /// Ends the session of the token on the server. A client that is done with its login calls
    /// [`logout`](crate::Client::logout), which forgets the token, too.
    ///
    /// Protocol: `web.yaml`, `auth.logout`.
    pub struct Logout -> () = post("web/auth.logout", "/api/user/logout");
    {}
    fixed {
        // An empty object, as most clients send.
        json "": (),
    }
}

operation! {
    /// Asks the login portal whether the token is good; [`UserInfo`](super::user::UserInfo) shows it just as well.
    ///
    /// Protocol: `web.yaml`, `auth.token_verify`.
    ///
    /// # Errors
    ///
    /// [`Unauthorized`](ErrorKind::Unauthorized) when it is not, also after one renewal.
    pub struct VerifyToken -> () = Meta::get("web/auth.token_verify", "/api/user/token/verify").role(Role::Portal);
    {}
}

/// A POST of the login host, without a token; a login that was done twice is one too many.
pub(super) const fn login(id: &'static str, path: &'static str) -> Meta {
    Meta::post(id, path).role(Role::Login).anonymous().effect(Effect::Once)
}

/// What a login gives.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Issued {
    #[serde(deserialize_with = "wire::or_default")]
    token: String,
    #[serde(deserialize_with = "wire::time")]
    expire: Option<Timestamp>,
}

/// Reads the token of a login, which the data or a cookie holds.
fn token_of(reply: Reply) -> Result<Token> {
    let missing = reply.error(ErrorKind::Decode, "the service let the caller in and gave no token");
    let cookie = cookies(reply.headers()).find(|(name, _)| *name == TOKEN_COOKIE).map(|(_, value)| value.to_owned());
    let Issued { token, expire } =
        reply.data::<Option<wire::AnyCase<Issued>>>()?.map(|data| data.0).unwrap_or_default();
    let text = Some(token).filter(|token| !token.is_empty()).or(cookie.filter(|token| !token.is_empty()));
    text.map(|text| claims::token(&text, expire)).ok_or(missing)
}

/// Returns the names and values of the cookies that an answer sets.
pub(crate) fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.filter_map(|line| {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        Some((name.trim(), value.trim()))
    })
}

pub(super) fn check_filled(secret: &Secret, what: &'static str) -> Result<()> {
    if secret.is_empty() { Err(Error::invalid(format!("{what} is empty"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_must_be_there_and_are_not_shown() {
        for (passport, password, ok) in
            [("138", "p", true), (" ", "p", false), ("", "p", false), ("138", "", false), ("138", " ", true)]
        {
            assert_eq!(SignInPassword::new(passport, password).validate().is_ok(), ok, "{passport:?} {password:?}");
        }
        let shown = format!(
            "{:?} {:?} {:?} {:?}",
            SignInPassword::new("13800planted", "planted"),
            SendSmsCode::new("planted", "planted"),
            SignInSms::new("planted", "planted", "planted"),
            SignInWechat::new("planted"),
        );
        assert!(!shown.contains("planted"), "{shown}");
        assert!(!SignInPassword::new("138", "p").is_repeatable());
    }

    #[test]
    fn a_message_counts_as_sent_when_it_has_a_number_and_the_puzzle_was_solved() {
        for (json, was_sent) in [
            (r#"{"serial_no":"SN1","traceless":{"code":0}}"#, true),
            (r#"{"serial_no":"SN1","timestamp":1790000000}"#, true),
            (r#"{"serial_no":"","traceless":{"code":0}}"#, false),
            (r#"{"serial_no":"SN1","traceless":{"code":1}}"#, false),
            (r#"{"serial_no":null,"traceless":null}"#, false),
        ] {
            assert_eq!(serde_json::from_str::<SmsCode>(json).unwrap().was_sent(), was_sent, "{json}");
        }
    }
}
