//! Hostile bodies. Each gets a 4xx.

use super::{AGENDA, PUBLIC, TestApp, basic, password, request};

const CALDAV: &str = "xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'";

#[rustfmt::skip]
fn bodies() -> Vec<String> {
    let report = |name: &str, inner: &str| format!("<C:{name} {CALDAV}>{inner}</C:{name}>");
    let find = |inner: &str| format!("<D:propfind xmlns:D='DAV:'>{inner}</D:propfind>");
    let sync = |inner: &str| format!("<D:sync-collection xmlns:D='DAV:'>{inner}</D:sync-collection>");
    let filter = |inner: &str| report("calendar-query", &format!("<D:prop/><C:filter>{inner}</C:filter>"));
    let mut all: Vec<String> = [
        " ", "x", "<", "<>", "</>", "<a", "<a>", "<a></b>", "<a/><b/>", "<a/>x", "\u{feff}", "<?xml version='1.0'?>",
        "<?xml version='9.9'?><a/>", "<?xml version='1.0' encoding='utf-16'?><a/>", "<!-- -->", "<!-- -- -->", "<!--",
        "<![CDATA[", "<?x", "<a b>", "<a b=c/>", "<a b='1' b='2'/>", "<a>&nbsp;</a>", "<a>&#0;</a>", "<a>&#xFFFFFFFFF;</a>",
        "<a>&</a>", "<!DOCTYPE a><a/>", "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/'>%x;]><a/>",
        "<D:propfind><D:prop/></D:propfind>", "<propfind/>", "<propfind xmlns='DAV:'/>", "<propfind xmlns='urn:x'><prop/></propfind>",
        "<D:propfind xmlns:D=''><D:prop/></D:propfind>", "<D:propfind xmlns:D='DAV:'><E:prop/></D:propfind>",
        "<D:expand-property xmlns:D='DAV:'/>", "<D:principal-property-search xmlns:D='DAV:'/>", "<D:version-tree xmlns:D='DAV:'/>",
        "{\"json\": true}", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "a=b&c=d", "\0\0\0\0",
    ].map(str::to_owned).into();
    all.extend([
        find(""), find("<D:prop/><D:allprop/>"), find("<D:prop/><D:prop/><D:propname/>"), find("<D:prop>text</D:prop><D:x/>x"),
        find("<D:prop><x:y xmlns:x='http://www.w3.org/XML/1998/namespace'/></D:prop>"), find("<D:prop><a\"b/></D:prop>"),
        find("<D:prop><1/></D:prop>"), find(&format!("<D:prop><{}/></D:prop>", "x".repeat(10_000))),
        find(&format!("<D:prop><x xmlns='{}'/></D:prop>", "y".repeat(10_000))),
        find(&format!("<D:prop>{}</D:prop>", (0..500).map(|n| format!("<x{n}/>")).collect::<String>())),
        find(&format!("<D:prop>{}{}</D:prop>", "<x>".repeat(31), "</x>".repeat(31))),
        find(&format!("<D:prop>{}</D:prop>", "<x>".repeat(5_000))),
        format!("<D:propfind xmlns:D='DAV:'{}/>", (0..5_000).map(|n| format!(" a{n}='{n}'")).collect::<String>()),
        format!("<D:propfind xmlns:D='DAV:'{}/>", (0..5_000).map(|n| format!(" xmlns:a{n}='{n}'")).collect::<String>()),
        format!("<x xmlns='{}'>{}</x>", "n".repeat(300_000), "<y/>".repeat(50_000)),
        "<a/>".repeat(70_000), "x".repeat(2 * 1024 * 1024),
        sync("<D:sync-level>2</D:sync-level>"), sync("<D:sync-token>r1.1</D:sync-token>"), sync("<D:sync-token>\u{202e}</D:sync-token>"),
        sync("<D:limit/>"), sync("<D:limit><D:nresults>-1</D:nresults></D:limit>"),
        sync("<D:limit><D:nresults>99999999999999999999999</D:nresults></D:limit>"),
        sync("<D:sync-token>https://conf.example/dav/sync/program/r18446744073709551616.0</D:sync-token>"),
        sync("<D:sync-token>https://conf.example/dav/sync/program/r0~99999999999999999999.x</D:sync-token>"),
        sync("<D:sync-token>https://conf.example/dav/sync/program/r1.-9223372036854775808.____</D:sync-token>"),
        report("calendar-multiget", ""), report("calendar-multiget", "<D:prop/>"), report("free-busy-query", ""),
        report("free-busy-query", "<C:time-range/>"), report("free-busy-query", "<C:time-range start='x'/>"),
        report("free-busy-query", "<C:time-range start='20250327T000000Z' end='20250325T000000Z'/>"),
        report("calendar-query", ""), report("calendar-query", "<C:filter/>"), report("nonsense", "<D:prop/>"),
        filter("<C:comp-filter/>"), filter("<C:comp-filter name='VEVENT'/>"), filter("<C:comp-filter name='VCALENDAR'/><C:comp-filter name='VCALENDAR'/>"),
        filter("<C:comp-filter name='VCALENDAR'><C:comp-filter/></C:comp-filter>"), filter("<C:prop-filter name='X'/>"),
        filter("<C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'><C:time-range start='20251301T000000Z'/></C:comp-filter></C:comp-filter>"),
        filter("<C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'><C:time-range start='+2502010T0000000Z'/></C:comp-filter></C:comp-filter>"),
        filter("<C:comp-filter name='VCALENDAR'><C:comp-filter name='VEVENT'><C:is-not-defined/><C:time-range start='20250101T000000Z'/></C:comp-filter></C:comp-filter>"),
        filter("<C:comp-filter name='VCALENDAR'><C:comp-filter name='VTIMEZONE'><C:time-range start='20250101T000000Z'/></C:comp-filter></C:comp-filter>"),
        filter(&format!("{}{}", "<C:comp-filter name='VCALENDAR'>".repeat(20), "</C:comp-filter>".repeat(20)).replacen("<C:comp-filter name='VCALENDAR'>", "<C:comp-filter name='VCALENDAR'><C:text-match/>", 1)),
    ]);
    all
}

#[tokio::test]
async fn no_body_gets_anything_but_the_clients_own_fault() {
    let app = TestApp::new();
    let mine = app.agenda(&["lunch"]).await;
    let key = basic("me", &password(&mine.feed));
    let bodies = bodies();
    assert!(bodies.len() >= 60, "{}", bodies.len());
    for body in &bodies {
        for method in ["PROPFIND", "REPORT"] {
            for target in [PUBLIC, "/dav/public/", "/dav/public/program/lunch.ics", AGENDA] {
                let answer = app.send(request(method, target, "0", body).field("authorization", &key)).await;
                let shown: String = body.chars().take(200).collect();
                assert!(
                    (400..500).contains(&answer.status) || answer.status == 207,
                    "{} {method} {target} {shown}",
                    answer.status
                );
                let is_sound = body.trim_start().starts_with("<D:propfind xmlns:D='DAV:'><D:prop>")
                    || body.contains("sync-collection");
                assert!(is_sound || answer.status != 207, "{method} {target} {shown}");
                if answer.status == 207 {
                    callboard::xml::read(&answer.body, 1 << 24).unwrap();
                }
            }
        }
    }
}

#[tokio::test]
async fn odd_credentials_depths_and_addresses_are_the_clients_fault_too() {
    let app = TestApp::new();
    for field in ["", "Basic", "Basic =", "Basic Og==", "Digest x", "Basic //79/Q==", "Bearer cbr_x"] {
        let answer = app.send(request("PROPFIND", AGENDA, "0", "").field("authorization", field)).await;
        assert_eq!(answer.status, 401, "{field}");
        // Credentials for a public calendar are ignored.
        assert_eq!(
            app.send(request("PROPFIND", PUBLIC, "0", "").field("authorization", field)).await.status,
            207
        );
    }
    for depth in ["-1", "1,noroot", "infinit", "00"] {
        assert_eq!(app.send(request("PROPFIND", PUBLIC, depth, "")).await.status, 400, "{depth}");
    }
    for path in [
        "/dav//",
        "/dav/public//",
        "/dav/public/program/a/b",
        "/dav/public/%ff/",
        "/dav/public/program/..%2f",
        "/dav/x/",
    ] {
        assert_eq!(app.send(request("PROPFIND", path, "0", "")).await.status, 404, "{path}");
    }
}
