//! Direct links: addresses that serve a file to anyone, at the owner's cost.

use pan123_core::{Effect, Error, ErrorKind, FileId, Meta, Operation, RawJson, Reply, Result, operation};
use serde_json::Value;
use url::Url;

use super::{get, post};

/// The facts of these, in the order of the protocol reference.
pub(super) const ALL: &[Meta] =
    &[EnableDirectLink::META, DisableDirectLink::META, DirectLinkUrl::META, RefreshDirectLinkCache::META];

operation! {
    /// Makes a folder a direct-link space: whoever has a link of a file in it can fetch the file.
    ///
    /// A paid feature, charged by traffic; sign the links.
    ///
    /// Protocol: `web.yaml`, `dlink.enable`.
    pub struct EnableDirectLink -> () = post("web/dlink.enable", "/api/cdn-link/enable").effect(Effect::Same);
    {
        /// The folder; not the root.
        json "fileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_entry()
    }
}

operation! {
    /// Takes a folder out of the direct-link space: its links end.
    ///
    /// Protocol: `web.yaml`, `dlink.disable`.
    pub struct DisableDirectLink -> () = post("web/dlink.disable", "/api/cdn-link/disable").effect(Effect::Same);
    {
        /// The folder.
        json "fileID": folder: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.folder.check_entry()
    }
}

operation! {
    /// Gets the direct link of a file in a direct-link space, not signed.
    ///
    /// No source names the member that holds it: it is the `url` of the Open Platform's answer, or whatever one member of the
    /// answer is an address.
    ///
    /// Protocol: `web.yaml`, `dlink.url`.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) when the answer holds no address, or several of which none is the `url`.
    pub struct DirectLinkUrl => Url = get("web/dlink.url", "/api/cdn-link/url");
    {
        /// The file.
        query "fileID": file: FileId,
    }

    fn validate(&self) -> Result<()> {
        self.file.check_entry()
    }

    fn decode(&self, reply: Reply) -> Result<Url> {
        let answer: RawJson = reply.data()?;
        only_address(&answer.read()?).ok_or_else(|| Error::new(ErrorKind::Decode, "the answer holds no direct link"))
    }
}

/// Finds the one address in an answer.
fn only_address(answer: &Value) -> Option<Url> {
    let address = |value: &Value| {
        value.as_str().and_then(|text| Url::parse(text).ok()).filter(|url| matches!(url.scheme(), "http" | "https"))
    };
    let Value::Object(members) = answer else {
        return address(answer);
    };
    let named = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("url"));
    if let Some(url) = named.and_then(|(_, value)| address(value)) {
        return Some(url);
    }
    let mut addresses = members.values().filter_map(address);
    addresses.next().filter(|_| addresses.next().is_none())
}

operation! {
    /// Has the service forget what it keeps of direct links and lists, so that a replaced file is served at once.
    ///
    /// Protocol: `web.yaml`, `dlink.cache_refresh`.
    pub struct RefreshDirectLinkCache -> () =
        post("web/dlink.cache_refresh", "/api/restful/goapi/v1/cdnLink/cache/refresh").effect(Effect::Same);
    {}
    // Nothing leaves an empty object, which is what clients send.
    fixed {
        json "": (),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_one_address_of_an_answer_is_found() {
        for (answer, found) in [
            (json!("https://vip.123pan.cn/1/a"), true),
            (json!({"url": "https://vip.123pan.cn/1/a", "preview": "https://x.example/"}), true),
            (json!({"URL": "https://vip.123pan.cn/1/a"}), true),
            (json!({"link": "https://vip.123pan.cn/1/a", "size": 1}), true),
            (json!({"link": "https://vip.123pan.cn/1/a", "preview": "https://x.example/"}), false),
            (json!({"url": "javascript:alert(1)"}), false),
            (json!({}), false),
            (json!(null), false),
        ] {
            assert_eq!(only_address(&answer).is_some(), found, "{answer}");
        }
    }
}
