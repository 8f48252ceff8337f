//! Golden mails: `tests/golden/mail-*.eml` byte for byte, in two languages. `tests/clients` reads them with the MIME and
//! calendar parsers of other projects.
//!
//! `UPDATE_GOLDEN=1 cargo test --test suite mails` rewrites them; review the diff.

use callboard::config::{Config, MailAddress, Overrides};
use callboard::fixtures::{self, at, speaker, talk};
use callboard::program::SessionId;
use callboard::reach::{Body, MailKeys, MailKind, MailWriter, PlannedMail};
use callboard::revision::Digest;
use callboard::store::MailSecretBytes;
use std::path::Path;

const CONFIG: &str = "[mail]
relay = \"smtp://localhost\"
from = \"calendar@conf.example.org\"
reply_to = \"desk@conf.example.org\"
[conference]
zone = \"Europe/Berlin\"
";

#[test]
fn golden_mails_are_byte_for_byte_what_they_were() {
    let mail = Config::parse(Some(CONFIG), Overrides::default()).unwrap().mail.unwrap();
    let keys = MailKeys::of(&MailSecretBytes([7; 32])).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut session = talk(
        "slow-queries",
        at("2025-03-25T09:00:00Z"),
        at("2025-03-25T09:45:00Z"),
        "Slow Queries: \"EXPLAIN\", ünïcode & a title that is longer than one line of a header field",
    );
    session.speakers = vec![speaker("Zoë Müller", "Example SE")];
    session.abstract_text = callboard::program::Text::from(".A line with a dot\n=3D, 100 % and — a dash");
    for language in ["en-US", "ja"] {
        let title =
            if language == "ja" { "小さなカンファレンス" } else { "Small Conference, \"2025\"" };
        let conference = fixtures::conference().language(language).zone("Europe/Berlin").title(title);
        let release = conference.sessions([session.clone()]).release();
        let writer = MailWriter::new(&mail, &keys, &release);
        let now = at("2025-03-01T12:00:00Z");
        let planned = |kind, generation, sequence| PlannedMail {
            session: SessionId::parse("slow-queries").unwrap(),
            kind,
            generation,
            sequence,
            stamp: now,
        };
        let agenda = Digest([3; 32]);
        let address = MailAddress::parse("Ada.Lovelace@example.org").unwrap();
        let invitation =
            |planned| writer.invitation(agenda, "00112233445566778899aabb", address.as_str(), &planned);
        for (name, message) in [
            ("confirm", writer.confirmation(agenda, &address, now)),
            ("first", invitation(planned(MailKind::First, 0, 0))),
            ("update", invitation(planned(MailKind::Update, 0, 3))),
            ("cancellation", invitation(planned(MailKind::Cancellation, 1, 4))),
        ] {
            let Body::Text(text) = message.unwrap().body else { panic!("a mail is text") };
            let path = folder.join(format!("mail-{name}-{language}.eml"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let golden = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(golden == text, "{} differs:\n{text}", path.display());
            for line in text.split("\r\n") {
                assert!(line.len() <= 76 || line.starts_with("List-Unsubscribe: "), "{line}");
                assert!(line.is_ascii(), "{line}");
            }
        }
    }
}
