//! Files and folders.

use pan123_web::ops::files::ClearTrash;

cases! {
    "file.trash_clear" { "request" => ClearTrash::new() }
}
