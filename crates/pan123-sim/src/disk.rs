//! The folder that a simulator can keep its drive in.

use std::io;

use crate::state::Shared;

/// Takes over what an earlier simulator left in the folder.
pub(crate) fn load(shared: &Shared) -> io::Result<()> {
    if let Some(dir) = &shared.config.dir {
        std::fs::create_dir_all(dir)?;
    }
    Ok(())
}
