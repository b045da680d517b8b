//! How a request says that it comes from the service's own web page: its headers and its signature.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Error, ErrorKind, RequestSigner, Result, Runtime, Secret, Timestamp};

/// What the clients that work say they are. The signature says it whatever the header says.
const PLATFORM: &str = "web";

/// The version of the page that they say they are.
const VERSION: &str = "3";

/// A text that browsers' own begin with: requests without one have been refused.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; pan123/", env!("CARGO_PKG_VERSION"), ")");

/// The page that the requests of an API are said to come from, for its profile.
///
/// Protocol: `web.yaml`, `headers` and `signing`; `share.yaml`, `common_headers` and `request_signature`.
#[derive(Clone, Debug)]
#[doc(hidden)]
pub struct WebPage {
    origin: &'static str,
    platform: HeaderValue,
    version: HeaderValue,
    login_uuid: Option<HeaderValue>,
    signer: Option<RequestSigner>,
}

impl WebPage {
    /// Makes the page of `origin`, an address without a trailing slash. It signs its requests.
    pub fn new(origin: &'static str) -> Self {
        Self {
            origin,
            platform: HeaderValue::from_static(PLATFORM),
            version: HeaderValue::from_static(VERSION),
            login_uuid: None,
            signer: Some(RequestSigner::new(PLATFORM, VERSION)),
        }
    }

    /// Says another version, in the header and in the signature.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_version(self, version: impl Into<String>) -> Result<Self> {
        let version = version.into();
        let header = header_of(&version, "the version is empty or holds what no header can carry")?;
        let signer = self.signer.map(|_| RequestSigner::new(PLATFORM, version));
        Ok(Self { version: header, signer, ..self })
    }

    /// Says another platform, in the header alone.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_platform(self, platform: &str) -> Result<Self> {
        Ok(Self { platform: header_of(platform, "the platform is empty or holds what no header can carry")?, ..self })
    }

    /// Sends the device id of an installation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is empty or cannot be a header.
    pub fn with_login_uuid(self, uuid: &str) -> Result<Self> {
        let mut uuid = header_of(uuid, "the device id is empty or holds what no header can carry")?;
        uuid.set_sensitive(true);
        Ok(Self { login_uuid: Some(uuid), ..self })
    }

    /// Signs no request.
    #[must_use]
    pub fn without_signature(self) -> Self {
        Self { signer: None, ..self }
    }

    /// Returns the headers that every request carries.
    pub fn headers(&self) -> HeaderMap {
        let referer = format!("{}/", self.origin);
        let mut headers = HeaderMap::from_iter([
            (HeaderName::from_static("platform"), self.platform.clone()),
            (HeaderName::from_static("app-version"), self.version.clone()),
            (header::ORIGIN, HeaderValue::from_static(self.origin)),
            (header::REFERER, HeaderValue::try_from(referer).expect("an origin is plain ASCII")),
            (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        ]);
        if let Some(uuid) = &self.login_uuid {
            headers.insert(HeaderName::from_static("loginuuid"), uuid.clone());
        }
        headers
    }

    /// Signs a request for `path`, where requests are signed.
    pub fn sign(&self, path: &str, now: Timestamp, runtime: &dyn Runtime) -> Option<(String, String)> {
        self.signer.as_ref().map(|signer| signer.sign(path, now, runtime))
    }
}

/// What a client builder says about the page, before it is one.
///
/// A builder keeps one in its field `page`; [`page_methods!`](crate::page_methods) writes the setters.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct WebPageSetup {
    pub login_uuid: Option<Secret>,
    pub platform: Option<String>,
    pub version: Option<String>,
    pub is_unsigned: bool,
}

impl WebPageSetup {
    /// Makes the page of `origin`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when something cannot be a header.
    pub fn page(&self, origin: &'static str) -> Result<WebPage> {
        let mut page = WebPage::new(origin);
        if let Some(version) = &self.version {
            page = page.with_version(version)?;
        }
        if let Some(platform) = &self.platform {
            page = page.with_platform(platform)?;
        }
        if let Some(uuid) = &self.login_uuid {
            page = page.with_login_uuid(uuid.expose())?;
        }
        Ok(if self.is_unsigned { page.without_signature() } else { page })
    }
}

/// Writes the setters that the builders have whose requests come from a web page, over their field `page`.
#[doc(hidden)]
#[macro_export]
macro_rules! page_methods {
    () => {
        /// Sends this device id, which stays the same for an installation. Some clients say that saving shares wants it.
        pub fn login_uuid(mut self, uuid: impl Into<String>) -> Self {
            self.page.login_uuid = ::std::option::Option::Some($crate::Secret::from(::std::convert::Into::<
                ::std::string::String,
            >::into(uuid)));
            self
        }

        /// Says which version of the service's page requests are said to come from; 3, as clients that work say, unless
        /// told. The service may come to refuse it as too old.
        pub fn app_version(mut self, version: impl Into<String>) -> Self {
            self.page.version = Some(version.into());
            self
        }

        /// Says which platform requests come from, in the header `platform`; `web` unless told. How much may be downloaded
        /// has been seen to depend on it, and some clients say `android`.
        pub fn platform(mut self, platform: impl Into<String>) -> Self {
            self.page.platform = Some(platform.into());
            self
        }

        /// Says whether requests are signed as the service's page does; they are unless told otherwise.
        pub fn signing(mut self, is_signed: bool) -> Self {
            self.page.is_unsigned = !is_signed;
            self
        }
    };
}

fn header_of(text: &str, complaint: &'static str) -> Result<HeaderValue> {
    let header = HeaderValue::try_from(text).ok().filter(|header| !header.is_empty());
    header.ok_or_else(|| Error::new(ErrorKind::Config, complaint))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::testing::VirtualRuntime;

    #[test]
    fn what_no_header_can_carry_and_what_is_empty_is_refused() {
        for text in ["", "line\nbreak", "\u{7f}"] {
            let setups = [
                WebPageSetup { login_uuid: Some(text.into()), ..WebPageSetup::default() },
                WebPageSetup { version: Some(text.to_owned()), ..WebPageSetup::default() },
                WebPageSetup { platform: Some(text.to_owned()), ..WebPageSetup::default() },
            ];
            for setup in setups {
                assert_eq!(setup.page("https://h").unwrap_err().kind(), ErrorKind::Config, "{setup:?}");
            }
        }
    }

    #[test]
    fn headers_and_signature_say_the_same_version_and_the_signature_is_the_web_page_s() {
        let now = Timestamp::from_unix(1_767_196_800);
        let setup = WebPageSetup {
            login_uuid: Some("planted".into()),
            platform: Some("android".to_owned()),
            version: Some("139".to_owned()),
            is_unsigned: false,
        };
        let page = setup.page("https://yun.123pan.cn").unwrap();
        let headers = page.headers();
        for (name, value) in [
            ("platform", "android"),
            ("app-version", "139"),
            ("origin", "https://yun.123pan.cn"),
            ("referer", "https://yun.123pan.cn/"),
            ("loginuuid", "planted"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!format!("{setup:?} {page:?} {headers:?}").contains("planted"));
        let sign = |page: &WebPage| page.sign("/b/api/user/info", now, &VirtualRuntime::new(0, 1));
        let by_version = |version: &'static str| {
            RequestSigner::new("web", version).sign("/b/api/user/info", now, &VirtualRuntime::new(0, 1))
        };
        assert_eq!(sign(&page), Some(by_version("139")));
        assert_eq!(sign(&WebPage::new("https://h")), Some(by_version("3")));
        assert_eq!(sign(&page.without_signature()), None);
    }
}
