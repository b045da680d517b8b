//! The engine's own files beside the user's: how they are named, and how such a name is known again.

use pan123_core::Md5;

use crate::checkpoint::Kind;

/// Behind the name of a checkpoint: what is locked while it is used.
pub(crate) const LOCK: &str = ".lock";

/// Behind the name of a checkpoint: what is to take its place.
pub(crate) const NEW: &str = ".new";

/// How many characters of a file's name are repeated in its checkpoint's. Names on disks have at most 255 bytes.
const MOST_IN_CHECKPOINT: usize = 40;

/// How many bytes of the final name are repeated in the temporary one.
const MOST_IN_TEMPORARY: usize = 64;

/// How many digits of a digest tell a file's checkpoint from others.
const CHECKPOINT_DIGITS: usize = 16;

/// How many digits of a digest tell a temporary file from others.
const TEMPORARY_DIGITS: usize = 8;

/// The ending of temporary files.
const TEMPORARY: &str = "pan123-part";

/// Returns the name of a checkpoint; beside its file it gets a dot in front.
pub(crate) fn checkpoint(name: &str, digest: Md5, kind: Kind) -> String {
    let name: String = name.chars().take(MOST_IN_CHECKPOINT).collect();
    format!("{name}.{}.{}", &digest.to_string()[..CHECKPOINT_DIGITS], kind.extension())
}

/// Returns the name of a temporary file.
pub(crate) fn temporary(name: &str, digest: Md5) -> String {
    let end = (0..=MOST_IN_TEMPORARY.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    format!(".{}.{}.{TEMPORARY}", &name[..end.unwrap_or(0)], &digest.to_string()[..TEMPORARY_DIGITS])
}

/// Returns where the dot before the ending is in a name of exactly such a form, with or without what stands behind it.
///
/// Capitals do not count, as they do not to many file systems.
pub(crate) fn ending(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    let behind = [LOCK, NEW].into_iter().find_map(|behind| name.strip_suffix(behind));
    let (rest, ending) = behind.unwrap_or(&name).rsplit_once('.')?;
    let (stem, digest) = rest.rsplit_once('.')?;
    let is_digest = |digits| digest.len() == digits && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_own = if ending == TEMPORARY {
        let stem = stem.strip_prefix('.').filter(|stem| stem.len() <= MOST_IN_TEMPORARY);
        behind.is_none() && stem.is_some() && is_digest(TEMPORARY_DIGITS)
    } else {
        let stem = stem.strip_prefix('.').unwrap_or(stem);
        [Kind::Upload, Kind::Download].iter().any(|kind| kind.extension() == ending)
            && stem.chars().count() <= MOST_IN_CHECKPOINT
            && is_digest(CHECKPOINT_DIGITS)
    };
    is_own.then_some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_made_are_known_again_and_no_others_are() {
        for name in ["", "x", ".x", "x.tar.gz", "a b.", "秋天.mp4", &"秋".repeat(85), &"a".repeat(255)] {
            let temporary = temporary(name, Md5::of(b"t"));
            assert_eq!(ending(&temporary), temporary.rfind('.'), "{temporary}");
            for kind in [Kind::Upload, Kind::Download] {
                let name = checkpoint(name, Md5::of(b"c"), kind);
                for own in [name.clone(), format!(".{name}"), name.to_ascii_uppercase()] {
                    assert_eq!(ending(&own), own.rfind('.'), "{own}");
                    assert_eq!(ending(&format!("{own}{LOCK}")), own.rfind('.'));
                    assert_eq!(ending(&format!("{own}{NEW}")), own.rfind('.'));
                    assert_eq!(ending(&format!("{own}x")), None);
                    assert_eq!(ending(&format!("{}{own}", "y".repeat(42))), None, "more of a name than is repeated");
                }
            }
            for other in ["pan123-upload".to_owned(), "x.lock".to_owned(), format!("{temporary}{LOCK}")] {
                assert_eq!(ending(&other), None, "{other}");
            }
        }
        for other in [".x.0123456789abcde.pan123-upload", ".x.0123456789abcdeg.pan123-upload", "x.01234567.pan123-part"]
        {
            assert_eq!(ending(other), None);
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let temporary = |name: &str| temporary(name, Md5::of(b"t"));
        assert!(temporary("秋天.mp4").starts_with(".秋天.mp4."));
        assert!(temporary(&"秋".repeat(85)).starts_with(&format!(".{}.", "秋".repeat(21))));
        assert_eq!(temporary(&"a".repeat(255)).find("a."), Some(64));
    }
}
