//! How the web API tells an address for a download: the address that it gives is not yet the one that has the bytes.

use serde_json::{Value, json};

use super::{Call, cdn};
use crate::token::{base64_standard, base64url};

/// The form in which the web API and the share face tell addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadForm {
    /// The next address is in the parameter `params`, in base64, and answers status 210 with JSON that has the last one.
    #[default]
    Params,
    /// As `Params`, in the alphabet of base64 that is for addresses, without padding.
    UrlSafeParams,
    /// As `Params`, but the next address answers status 302.
    Redirect,
    /// As `Params`, but the next address answers status 200.
    Json,
    /// The next address, without `params`, answers with an HTML page that links to the last one, as older servers do.
    Page,
    /// The address serves the file.
    Direct,
    /// A list of hosts, and a path that all of them serve.
    Dispatch,
}

impl DownloadForm {
    /// Reads the name by which the admin face knows a form.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "params" => Some(Self::Params),
            "url_safe_params" => Some(Self::UrlSafeParams),
            "redirect" => Some(Self::Redirect),
            "json" => Some(Self::Json),
            "page" => Some(Self::Page),
            "direct" => Some(Self::Direct),
            "dispatch" => Some(Self::Dispatch),
            _ => None,
        }
    }
}

/// The `data` that tells where content is; `field` is the name of the address, which differs from call to call.
pub(crate) fn answer(call: &mut Call<'_>, md5: &str, size: u64, name: &str, field: &str) -> Value {
    let form = call.state.download_form;
    if form == DownloadForm::Dispatch {
        return dispatched(call, md5, size, name);
    }
    let last = last(call, md5, size, name);
    let next = |hop: Hop| format!("{last}&{}={}", cdn::HOP, hop as u8);
    let relay = |params: String| format!("{}/{}/?params={params}&is_s3=0", call.shared.urls.cdn, cdn::RELAY);
    json!({field: match form {
        DownloadForm::Params => relay(base64_standard(next(Hop::Odd).as_bytes())),
        DownloadForm::UrlSafeParams => relay(base64url(next(Hop::Odd).as_bytes())),
        DownloadForm::Redirect => relay(base64_standard(next(Hop::Redirect).as_bytes())),
        DownloadForm::Json => relay(base64_standard(next(Hop::Json).as_bytes())),
        DownloadForm::Page => next(Hop::Page),
        DownloadForm::Direct | DownloadForm::Dispatch => last,
    }})
}

/// A list of hosts, and a path that all of them serve.
pub(crate) fn dispatched(call: &mut Call<'_>, md5: &str, size: u64, name: &str) -> Value {
    let last = last(call, md5, size, name);
    let cdn = &call.shared.urls.cdn;
    json!({
        "dispatchList": [{"prefix": cdn, "isp": "line 1"}, {"prefix": cdn, "isp": "line 2"}],
        "downloadPath": last.strip_prefix(cdn.as_str()).unwrap_or(&last),
    })
}

fn last(call: &mut Call<'_>, md5: &str, size: u64, name: &str) -> String {
    format!("{}&{}", cdn::download_url(call, md5, size, name), cdn::FROM_PAGE)
}

/// How an address that is not the last one leads on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// JSON with status 210.
    Odd = 0,
    Redirect = 1,
    Json = 2,
    Page = 3,
}
