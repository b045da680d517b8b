//! The service's rate limits: fixed windows, for each token and path.

use std::collections::HashMap;

/// So many calls in so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    calls: u32,
    window_ms: i64,
}

/// The calls of the current windows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    windows: HashMap<(String, &'static str), (i64, u32)>,
}

impl Rates {
    /// Counts a call, unless it is over the limit.
    pub(crate) fn admit(&mut self, token: &str, op: &'static str, now_ms: i64) -> bool {
        let Some(limit) = limit(op) else { return true };
        let window = now_ms.div_euclid(limit.window_ms);
        let (current, calls) = self.windows.entry((token.to_owned(), op)).or_insert((window, 0));
        if *current != window {
            (*current, *calls) = (window, 0);
        }
        let admitted = *calls < limit.calls;
        *calls += u32::from(admitted);
        admitted
    }
}

/// The limits of a free account; where the reference has no figure for it, the lowest that it has.
fn limit(op: &str) -> Option<Limit> {
    let a_second = |calls| Some(Limit { calls, window_ms: 1000 });
    match op {
        "open/auth.access_token" => a_second(8),
        "open/user.info" => a_second(10),
        "open/file.list_v1" => Some(Limit { calls: 1, window_ms: 5000 }),
        "open/file.list_v2" => a_second(5),
        "open/file.infos" => a_second(10),
        "open/file.move" => a_second(3),
        "open/file.delete" => a_second(1),
        "open/file.trash" => a_second(5),
        "open/file.download_info" => a_second(5),
        "open/file.mkdir" => a_second(5),
        "open/upload_v1.create" => a_second(5),
        "open/upload_v1.get_upload_url" => a_second(20),
        "open/upload_v1.list_upload_parts" => a_second(20),
        "open/upload_v1.upload_complete" => a_second(20),
        "open/upload_v1.upload_async_result" => a_second(5),
        "open/transcode.cloud_video_files" | "open/transcode.space_files" => a_second(5),
        "open/transcode.folder_info"
        | "open/transcode.record"
        | "open/transcode.result"
        | "open/transcode.download_m3u8"
        | "open/transcode.download_ts" => a_second(20),
        "open/transcode.delete" | "open/transcode.download_original" => a_second(10),
        "open/transcode.start" => a_second(3),
        "open/transcode.upload_from_cloud_disk"
        | "open/transcode.resolutions"
        | "open/transcode.third_party_list"
        | "open/transcode.download_all" => a_second(1),
        // Of the web API only its lists are known to have one, and of that only what clients keep to.
        "web/file.list" | "web/file.search" | "web/file.list_trash" | "web/file.list_old" => a_second(2),
        "open/oauth.token_by_code" | "open/oauth.refresh_token" => Some(Limit { calls: 100, window_ms: 60_000 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_second_of_the_clock() {
        let mut rates = Rates::default();
        let admitted = |rates: &mut Rates, now| (0..10).filter(|_| rates.admit("t", "open/file.list_v2", now)).count();
        assert_eq!(admitted(&mut rates, 1_999), 5);
        assert_eq!(admitted(&mut rates, 1_000), 0);
        assert_eq!(admitted(&mut rates, 2_000), 5);
        assert!(rates.admit("other", "open/file.list_v2", 2_000));
        assert!(rates.admit("t", "open/file.detail", 2_000));
    }

    #[test]
    fn a_fifth_of_a_call_a_second_is_one_in_five() {
        let mut rates = Rates::default();
        let admitted: Vec<bool> = [0, 4_999, 5_000].map(|now| rates.admit("t", "open/file.list_v1", now)).to_vec();
        assert_eq!(admitted, [true, false, true]);
    }
}
