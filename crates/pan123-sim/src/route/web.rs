//! The web API: logging in, the account, files, uploads, downloads.

use super::{Route, web};
use crate::ops::web_user;

pub(super) const USER: &[Route] = &[web("web/user.info", "GET", "/api/user/info", &[], web_user::info)];
