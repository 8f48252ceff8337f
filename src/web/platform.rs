//! Which calendars are near at hand, told from a browser's User-Agent.

/// The family of a device. A guess that only orders a list: nothing is hidden by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Platform {
    /// iPhone, iPad, Mac.
    Apple,
    /// Android.
    Android,
    /// Windows.
    Windows,
    /// Everything else.
    #[default]
    Other,
}

impl Platform {
    /// By the words that browsers put there.
    pub fn of(user_agent: &str) -> Self {
        let has = |word: &str| user_agent.contains(word);
        if has("Android") {
            Self::Android
        } else if has("iPhone") || has("iPad") || has("Macintosh") {
            Self::Apple
        } else if has("Windows") {
            Self::Windows
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_in_hand_is_told() {
        for (agent, platform) in [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", Platform::Apple),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Platform::Apple),
            ("Mozilla/5.0 (Linux; Android 15; Pixel 9)", Platform::Android),
            ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", Platform::Windows),
            ("Mozilla/5.0 (X11; Linux x86_64)", Platform::Other),
            ("", Platform::Other),
        ] {
            assert_eq!(Platform::of(agent), platform, "{agent}");
        }
    }
}
