//! Where the service is: every address as data, and which hosts may be given a token.

use std::{net::IpAddr, slice};

use url::{Host, Url};

use crate::{Error, ErrorKind, Result, operation::Role, redact};

/// The addresses of the service's faces.
///
/// The defaults are the public ones. Programs that run against a simulator or a proxy give their own,
/// one by one or [from the environment](Self::from_env).
///
/// A token goes to these addresses, and to upload servers that the service names, if their domain is in
/// the list of [`allow_upload_domain`](Self::allow_upload_domain). Plain `http` is allowed only where the caller
/// wrote it: for other ports of a host that is given here with `http`, and between ports of loopback. An upload
/// server named with `http` elsewhere is addressed by `https`.
///
/// # Example
///
/// ```
/// use pan123_core::Hosts;
///
/// let hosts = Hosts::default().with_open("http://127.0.0.1:8080")?;
/// assert_eq!(hosts.open().as_str(), "http://127.0.0.1:8080/");
/// # Ok::<(), pan123_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    open: Url,
    web: Vec<Url>,
    login: Url,
    portal: Url,
    share: Vec<Url>,
    upload_domains: Vec<String>,
}

/// The environment variables that [`Hosts::from_env`] reads.
const VARIABLES: [(&str, Setter); 4] = [
    ("PAN123_OPEN_URL", Hosts::with_open),
    ("PAN123_WEB_URL", Hosts::with_web),
    ("PAN123_LOGIN_URL", Hosts::with_login),
    ("PAN123_SHARE_URL", Hosts::with_share),
];

type Setter = fn(Hosts, &str) -> Result<Hosts>;

impl Default for Hosts {
    fn default() -> Self {
        let known = |text| Url::parse(text).expect("the address is a constant");
        Self {
            open: known("https://open-api.123pan.com"),
            // The host of the page first, then those that other clients use (`web.yaml`, hosts).
            web: ["https://api.123278.com/b", "https://www.123pan.cn/b", "https://yun.123pan.com/b"].map(known).into(),
            login: known("https://login.123pan.com"),
            portal: known("https://user.123pan.cn"),
            // The host of current clients first: www.123pan.com has been seen to answer some calls with a page
            // (`share.yaml`, hosts).
            share: ["https://yun.123pan.com/b", "https://www.123pan.cn/b", "https://www.123pan.com/b"]
                .map(known)
                .into(),
            // The upload servers seen so far: openapi-upload.123242.com and openapi-upload.123pan.com
            // (`open-files.yaml`, HOSTS).
            upload_domains: vec!["123242.com".to_owned(), "123pan.com".to_owned()],
        }
    }
}

impl Hosts {
    /// Takes the defaults and replaces those for which `PAN123_OPEN_URL`, `PAN123_WEB_URL`,
    /// `PAN123_LOGIN_URL` or `PAN123_SHARE_URL` is set and not empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when one of them is no `http` or `https` address.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        VARIABLES.iter().try_fold(Self::default(), |hosts, (name, set)| match read(name) {
            Some(value) if !value.is_empty() => set(hosts, &value)
                .map_err(|_| Error::new(ErrorKind::Config, format!("{name} is not an http or https address"))),
            _ => Ok(hosts),
        })
    }

    /// Sets the base of the Open Platform, which stops before `/api`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when it is no `http` or `https` address; the same for the other setters.
    pub fn with_open(mut self, base: &str) -> Result<Self> {
        self.open = parse_base(base)?;
        Ok(self)
    }

    /// Sets the base of the web API, which stops before `/api`, as the only one.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_web(mut self, base: &str) -> Result<Self> {
        self.web = vec![parse_base(base)?];
        Ok(self)
    }

    /// Adds a base of the web API that is tried when the ones before it answer with a page in place of JSON.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_web_alternative(mut self, base: &str) -> Result<Self> {
        add_base(&mut self.web, base)?;
        Ok(self)
    }

    /// Sets the base of the login API, which stops before `/api`, and that of the login portal with it.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_login(mut self, base: &str) -> Result<Self> {
        self.login = parse_base(base)?;
        self.portal = self.login.clone();
        Ok(self)
    }

    /// Sets the base of the newer login portal, which stops before `/api`.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_portal(mut self, base: &str) -> Result<Self> {
        self.portal = parse_base(base)?;
        Ok(self)
    }

    /// Sets the base of the share API, which stops before `/api`, as the only one.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_share(mut self, base: &str) -> Result<Self> {
        self.share = vec![parse_base(base)?];
        Ok(self)
    }

    /// Adds a base of the share API that is tried when the ones before it answer with a page in place of JSON.
    ///
    /// # Errors
    ///
    /// As [`with_open`](Self::with_open).
    pub fn with_share_alternative(mut self, base: &str) -> Result<Self> {
        add_base(&mut self.share, base)?;
        Ok(self)
    }

    /// Allows upload servers in `domain` and its sub-domains, or at an IP address, beside those known. `*.example.org` and
    /// `.example.org` mean the same as `example.org`; what is no host allows none.
    #[must_use]
    pub fn allow_upload_domain(mut self, domain: &str) -> Self {
        let domain = domain.trim().trim_start_matches("*.").trim_matches('.');
        // An IPv6 address is written in brackets in a URL, and without them by people.
        let host = url::Host::parse(domain).or_else(|_| url::Host::parse(&format!("[{domain}]")));
        self.upload_domains.extend(host.ok().map(|host| host.to_string()).filter(|host| !host.is_empty()));
        self
    }

    /// Returns the base of the Open Platform.
    pub fn open(&self) -> &Url {
        &self.open
    }

    /// Returns the base of the web API.
    pub fn web(&self) -> &Url {
        &self.web[0]
    }

    /// Returns the bases of the web API that stand in for [`web`](Self::web), in their order.
    pub fn web_alternatives(&self) -> &[Url] {
        &self.web[1..]
    }

    /// Returns the base of the login API.
    pub fn login(&self) -> &Url {
        &self.login
    }

    /// Returns the base of the login portal.
    pub fn portal(&self) -> &Url {
        &self.portal
    }

    /// Returns the base of the share API.
    pub fn share(&self) -> &Url {
        &self.share[0]
    }

    /// Returns the bases of the share API that stand in for [`share`](Self::share), in their order.
    pub fn share_alternatives(&self) -> &[Url] {
        &self.share[1..]
    }

    /// Returns the bases of a kind of host, the first of which is the one to ask; none where the service names the host.
    pub(crate) fn bases(&self, role: Role) -> &[Url] {
        match role {
            Role::Open => slice::from_ref(&self.open),
            Role::Share => &self.share,
            Role::Web => &self.web,
            Role::Login => slice::from_ref(&self.login),
            Role::Portal => slice::from_ref(&self.portal),
            Role::Upload | Role::Data => &[],
        }
    }

    /// Says whether the Open Platform's base is on this machine, as a simulator's is.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.open)
    }

    /// Decides whether a server that the service named for uploads may be given the token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] naming the host when it may not, with what to call to allow it.
    pub fn upload_server(&self, named: &Url) -> Result<Url> {
        let bases = [self.open(), self.web(), self.login(), self.share()];
        // The caller wrote this host, and whether the token goes there in the clear.
        let written = bases.iter().any(|base| base.host() == named.host() && base.scheme() == named.scheme());
        if written || (is_loopback(named) && is_loopback(&self.open)) {
            return Ok(named.clone());
        }
        let host = named.host_str().unwrap_or_default().to_ascii_lowercase();
        let known = self.upload_domains.iter().any(|allowed| match named.domain() {
            Some(_) => host.strip_suffix(allowed.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            None => host == *allowed,
        });
        if !known {
            return Err(Error::new(
                ErrorKind::Config,
                format!(
                    "the service named an upload server that is not in the list of hosts, {}; allow its domain with Hosts::allow_upload_domain",
                    redact::url(named)
                ),
            ));
        }
        let mut secure = named.clone();
        if secure.scheme() == "http" {
            secure.set_scheme("https").expect("http and https are both special schemes");
        }
        Ok(secure)
    }
}

fn add_base(bases: &mut Vec<Url>, text: &str) -> Result<()> {
    let base = parse_base(text)?;
    if !bases.contains(&base) {
        bases.push(base);
    }
    Ok(())
}

fn parse_base(text: &str) -> Result<Url> {
    let bad = || Error::new(ErrorKind::Config, "a base address must begin with http:// or https:// and have no query");
    let url = Url::parse(text.trim()).map_err(|_| bad())?;
    let plain =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && plain).then_some(url).ok_or_else(bad)
}

/// Says whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(hosts: &Hosts, named: &str) -> Option<String> {
        hosts.upload_server(&Url::parse(named).unwrap()).ok().map(|url| url.to_string())
    }

    #[test]
    fn a_token_goes_to_known_upload_servers_only_and_never_in_the_clear() {
        let hosts = Hosts::default();
        assert_eq!(
            server(&hosts, "http://openapi-upload.123242.com").as_deref(),
            Some("https://openapi-upload.123242.com/")
        );
        assert_eq!(
            server(&hosts, "https://openapi-upload.123pan.com").as_deref(),
            Some("https://openapi-upload.123pan.com/")
        );
        for named in [
            "https://evil.example",
            "https://evil123242.com",
            "https://123242.com.evil.example",
            "http://127.0.0.1:1",
            "https://10.0.0.1",
        ] {
            assert_eq!(server(&hosts, named), None, "{named}");
        }
        let hosts = hosts.allow_upload_domain("Example.org");
        assert_eq!(server(&hosts, "https://up.example.org:8443").as_deref(), Some("https://up.example.org:8443/"));
    }

    #[test]
    fn a_service_on_loopback_may_name_loopback() {
        let hosts = Hosts::default().with_open("http://127.0.0.1:9000").unwrap();
        assert_eq!(server(&hosts, "http://127.0.0.1:9001").as_deref(), Some("http://127.0.0.1:9001/"));
        assert_eq!(server(&hosts, "http://10.0.0.1:9001"), None);
    }

    #[test]
    fn a_host_that_the_caller_wrote_may_name_its_other_ports() {
        let hosts = Hosts::default().with_open("http://192.168.1.5:9000").unwrap();
        assert_eq!(server(&hosts, "http://192.168.1.5:9001").as_deref(), Some("http://192.168.1.5:9001/"));
        assert_eq!(server(&hosts, "http://192.168.1.6:9001"), None);
        let nothing = ["", ".", "*.", " ", "a b"].into_iter().fold(Hosts::default(), Hosts::allow_upload_domain);
        for named in ["https://evil.com", "https://evil.com.", "https://a.example.org"] {
            assert_eq!(server(&nothing, named), None, "{named}");
        }
        for (allowed, named) in [
            ("*.example.org", "https://up.example.org"),
            (".Example.org.", "https://up.example.org"),
            ("例子.中国", "https://a.xn--fsqu00a.xn--fiqs8s"),
            ("::1", "https://[::1]:8443"),
        ] {
            assert!(server(&Hosts::default().allow_upload_domain(allowed), named).is_some(), "{allowed}");
        }
        let hosts = hosts.allow_upload_domain("192.168.1.6");
        assert_eq!(server(&hosts, "https://192.168.1.6:9001").as_deref(), Some("https://192.168.1.6:9001/"));
        let hosts = Hosts::default().with_open("https://proxy.example").unwrap();
        assert_eq!(server(&hosts, "http://proxy.example"), None, "the caller wrote https");
    }

    #[test]
    fn a_share_base_that_is_set_is_the_only_one_until_another_is_added() {
        assert_eq!(Hosts::default().share_alternatives().len(), 2);
        let hosts = Hosts::default().with_share("http://127.0.0.1:1").unwrap();
        assert!(hosts.share_alternatives().is_empty());
        let hosts = hosts.with_share_alternative("http://127.0.0.1:1").unwrap();
        assert!(hosts.share_alternatives().is_empty(), "it is the first already");
        let hosts = hosts.with_share_alternative("http://127.0.0.1:2/b").unwrap();
        assert_eq!(hosts.share_alternatives()[0].as_str(), "http://127.0.0.1:2/b");
    }

    #[test]
    fn the_environment_replaces_what_it_names() {
        let hosts =
            Hosts::from_variables(|name| (name == "PAN123_WEB_URL").then(|| "http://[::1]:1/b".to_owned())).unwrap();
        assert_eq!(hosts.web().as_str(), "http://[::1]:1/b");
        assert_eq!(hosts.open(), Hosts::default().open());
        let error = Hosts::from_variables(|_| Some("ftp://h".to_owned())).unwrap_err();
        assert_eq!(error.to_string(), "PAN123_OPEN_URL is not an http or https address");
    }
}
