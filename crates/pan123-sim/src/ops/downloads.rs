//! How the web API tells an address for a download: the address that it gives is not yet the one that has the bytes.

use serde_json::{Value, json};

use super::{Call, cdn};
use crate::token::base64_standard;

/// The form in which the web API and the share face tell addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadForm {
    /// The next address is in the parameter `params`, in base64, and answers status 210 with JSON that has the last one.
    #[default]
    Params,
    /// As `Params`, but the next address answers status 302.
    Redirect,
    /// The address serves the file.
    Direct,
    /// A list of hosts, and a path that all of them serve.
    Dispatch,
}

/// The `data` that tells where content is; `field` is the name of the address, which differs from call to call.
pub(crate) fn answer(call: &mut Call<'_>, md5: &str, size: u64, name: &str, field: &str) -> Value {
    let last = format!("{}&{}", cdn::download_url(call, md5, size, name), cdn::FROM_PAGE);
    let cdn = &call.shared.urls.cdn;
    let indirect = |auto: u8| {
        let next = base64_standard(format!("{last}&auto_redirect={auto}").as_bytes());
        json!({field: format!("{cdn}/download-v2/?params={next}&is_s3=0")})
    };
    match call.state.download_form {
        DownloadForm::Params => indirect(0),
        DownloadForm::Redirect => indirect(1),
        DownloadForm::Direct => json!({field: last}),
        DownloadForm::Dispatch => json!({
            "dispatchList": [{"prefix": cdn, "isp": "line 1"}, {"prefix": cdn, "isp": "line 2"}],
            "downloadPath": last.strip_prefix(cdn.as_str()).unwrap_or(&last),
        }),
    }
}
