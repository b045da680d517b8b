//! Direct links: the folders that have them, and the link of one file.

use std::fmt;

use pan123_core::{Effect, FileId, Link, Meta, Reply, Result, operation, wire};
use serde::{Deserialize, Deserializer, de};

operation! {
    /// Turns a folder into direct-link space: every file below it then has a direct link.
    ///
    /// Doing it again is harmless. Direct links are a paid, metered benefit, and an unsigned link can be used by whoever
    /// sees it: switch authentication on in the service's settings and sign them.
    ///
    /// Protocol: `open-services.yaml`, `dlink.enable`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](pan123_core::ErrorKind::InvalidInput) for the root, which cannot be enabled;
    /// [`Api`](pan123_core::ErrorKind::Api) with the service's text when the account lacks the benefit.
    pub struct EnableDirectLink => DirectLinkFolder =
        Meta::post("open/dlink.enable", "/api/v1/direct-link/enable").effect(Effect::Same);
    {
        /// The folder; not the root.
        json "fileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<DirectLinkFolder> {
        reply.data_or_default()
    }
}

operation! {
    /// Takes a folder out of direct-link space. The links of all files below it stop working.
    ///
    /// Protocol: `open-services.yaml`, `dlink.disable`.
    pub struct DisableDirectLink => DirectLinkFolder =
        Meta::post("open/dlink.disable", "/api/v1/direct-link/disable").effect(Effect::Same);
    {
        /// The folder; not the root.
        json "fileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<DirectLinkFolder> {
        reply.data_or_default()
    }
}

/// The folder that [`EnableDirectLink`] or [`DisableDirectLink`] has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct DirectLinkFolder {
    /// Its name; empty where the service does not tell it.
    #[serde(default, rename = "filename", alias = "fileName", deserialize_with = "wire::or_default")]
    pub name: String,
}

operation! {
    /// Asks for the direct link of one file in direct-link space.
    ///
    /// The link is not signed: where authentication is on, it works only with an `auth_key` appended. Using it costs
    /// direct-link traffic. How long it lasts is not settled, sources say a day and a year.
    ///
    /// Protocol: `open-services.yaml`, `dlink.url`.
    ///
    /// # Errors
    ///
    /// [`DirectLinkDisabled`](pan123_core::ErrorKind::DirectLinkDisabled) when the service refuses with its catch-all code
    /// 1, whose text is kept: the file lies in the root, or in no folder that [`EnableDirectLink`] was sent for.
    pub struct DirectLinkUrl => DirectLink = Meta::get("open/dlink.url", "/api/v1/direct-link/url");
    {
        /// The file.
        query "fileID": id: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.id.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<DirectLink> {
        reply.data::<Given>().map(|given| given.url)
    }
}

/// An unsigned direct link, byte for byte as the service gave it.
///
/// Signatures depend on those bytes, so it is text and not a parsed URL. The host varies: one of the service's, with or
/// without the account id in host or path, or a domain of the owner's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DirectLink(String);

impl DirectLink {
    /// Returns the address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a link that can be fetched as it is, where authentication is off.
    pub fn unsigned(&self) -> Link {
        Link::parse(&self.0).expect("it was parsed when it was read")
    }
}

impl From<DirectLink> for String {
    fn from(link: DirectLink) -> Self {
        link.0
    }
}

impl fmt::Debug for DirectLink {
    /// Shows the address without a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirectLink").field(&self.0.split(['?', '#']).next().unwrap_or_default()).finish()
    }
}

impl<'de> Deserialize<'de> for DirectLink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Link::parse(&text).map_err(de::Error::custom)?;
        Ok(Self(text))
    }
}

#[derive(Deserialize)]
#[serde(expecting = "a direct link")]
struct Given {
    #[serde(alias = "URL")]
    url: DirectLink,
}

#[cfg(test)]
mod tests {
    use pan123_core::Operation;

    use super::*;

    #[test]
    fn the_root_has_no_direct_links() {
        assert!(EnableDirectLink::new(FileId::ROOT).validate().is_err());
        assert!(DisableDirectLink::new(FileId::ROOT).validate().is_err());
        assert!(DirectLinkUrl::new(FileId::ROOT).validate().is_err());
        assert!(EnableDirectLink::new(FileId::new(1)).validate().is_ok());
        assert!(EnableDirectLink::new(FileId::new(1)).is_repeatable());
    }

    #[test]
    fn a_link_keeps_its_bytes_and_hides_its_query() {
        let link: DirectLink = serde_json::from_str(r#""https://vip.123pan.cn/18/%e7%89%87 a.png?x=planted""#).unwrap();
        assert_eq!(link.as_str(), "https://vip.123pan.cn/18/%e7%89%87 a.png?x=planted");
        assert_eq!(format!("{link:?}"), r#"DirectLink("https://vip.123pan.cn/18/%e7%89%87 a.png")"#);
    }
}
